package import Operations
package import Tensors

/// The values and gradients of a program, as far as they were kept.
package struct PassValues<Element: Scalar>: Sendable {
  package let program: Program<Element>
  /// By place among the nodes; nil where nothing was computed or kept.
  package var values: [Value<Element>?]
  package var gradients: [Value<Element>?]
  /// Whether a convolution found a NaN or an infinity.
  package var foundNonFinite = false

  /// Nothing yet.
  package init(_ program: Program<Element>) {
    self.program = program
    values = Array(repeating: nil, count: program.nodes.count)
    gradients = values
  }

  /// Everything that an execution kept.
  package init(_ execution: Execution<Element, Numbers<Element>>) {
    self.init(execution.plan.program)
    for place in program.nodes.indices {
      if let value = execution.value(at: place), !value.isReleased { values[place] = value }
      gradients[place] = execution.gradient(at: place)
    }
    foundNonFinite = execution.foundNonFinite
  }

  /// Keeps what belongs to the nodes in `range`: their values and gradients, and the values that they read.
  package mutating func keep(only range: Range<Int>) {
    let read = Set(range.flatMap { program.nodes[$0].operands })
    for place in values.indices where !range.contains(place) {
      gradients[place] = nil
      if !read.contains(place) { values[place] = nil }
    }
  }
}

extension Execution where Arithmetic == Numbers<Element> {
  /// An execution on numbers.
  package init(_ plan: PassPlan<Element>) { self.init(plan, Numbers(plan.program)) }

  /// Takes the parameters, buffers and tensors of a flow that the program holds.
  package mutating func giveTensors() {
    for place in plan.program.nodes.indices {
      if let tensor = plan.program.tensor(at: place) { give(.tensor(tensor), at: place) }
    }
  }
}
