// A pass as a program: its operations one after the other, each with what it reads and writes.
//
// The forward pass goes through the layers from the first to the last, operation by operation, to the
// loss; the backward pass goes back in the opposite order. At a residual join two gradients arrive at
// one value, and only the second makes it final: that is why the order matters.
//
// The values themselves belong to a `PassResult`, which computed them once; a cursor over these steps
// says which of them have been reached.

package import Networks
import Tensors

/// One operation of a forward or backward pass.
package struct PassStep: Hashable, Sendable {
  package enum Direction: String, Sendable {
    case forward
    case backward
  }

  /// A gradient that arrives at a value which several operations read.
  package struct Arrival: Hashable, Sendable {
    /// Which one it is, from 1, and how many there are.
    package let number: Int, count: Int

    package var isFinal: Bool { number == count }
  }

  package let direction: Direction
  /// The layer it belongs to, by its place; none for the loss and what becomes of the output.
  package let layer: Int?
  /// A word such as conv2d, relu, add or loss.
  package let operation: String
  /// The operation in letters: `target = expression`, with commas between several.
  ///
  /// A name without its place is that of the layer; what is written beside it is handed on as it is.
  package let formula: String
  /// The operation under each of several flows that are walked at once; empty if all do the same.
  package let formulasByFlow: [String]
  /// Names of values, gradients with `.grad`.
  package let reads: [String], writes: [String]
  /// Where two gradients meet, which this is.
  package let arrival: Arrival?

  init(
    _ direction: Direction, layer: Int?, _ operation: String, _ formula: String, reads: [String],
    writes: [String], arrival: Arrival? = nil
  ) {
    self.init(
      direction, layer: layer, operation, [formula], reads: reads, writes: writes, arrival: arrival)
  }

  /// A step with a formula for each flow.
  init(
    _ direction: Direction, layer: Int?, _ operation: String, _ formulas: [String],
    reads: [String], writes: [String], arrival: Arrival? = nil
  ) {
    (self.direction, self.layer, self.operation) = (direction, layer, operation)
    (self.formula, self.reads, self.writes) = (formulas.first ?? "", reads, writes)
    formulasByFlow = Set(formulas).count > 1 ? formulas : []
    self.arrival = arrival
  }

  /// The operation in letters under the flow numbered `flow`.
  package func formula(flow: Int) -> String {
    formulasByFlow.isEmpty ? formula : formulasByFlow[flow]
  }

  /// The value that the operation is about: the last that it writes.
  package var place: String { writes.last ?? "" }
}

// MARK: - Forward

extension Network {
  /// The operations of the forward pass, from the input to the loss.
  ///
  /// With `isMasked`, only the pixels of a mask count.
  package func forwardSteps(loss: Loss, isMasked: Bool = false) -> [PassStep] {
    var steps: [PassStep] = []
    var input = "net.in"
    let names = layerNames
    for (index, layer) in layers.enumerated() {
      // What a layer hands on is what the next is given.
      let next = index + 1 < names.count ? ["\(names[index + 1]).in"] : []
      steps += layer.forwardSteps(index, names[index], input: input, next: next)
      input = "\(names[index]).out"
    }
    let isSubtracted = outputRule == .subtract
    steps.append(
      PassStep(
        .forward, layer: nil, isSubtracted ? "subtract" : "output",
        isSubtracted ? "net.out = net.in − \(input)" : "net.out = \(input)",
        reads: (isSubtracted ? ["net.in"] : []) + [input], writes: ["net.out"]))
    steps.append(
      PassStep(
        .forward, layer: nil, "loss", loss.formula(isMasked: isMasked), reads: ["net.out"],
        writes: ["loss"]))
    return steps
  }
}

extension Layer {
  fileprivate func forwardSteps(
    _ index: Int, _ name: String, input: String, next: [String]
  ) -> [PassStep] {
    func step(
      _ operation: String, _ formula: String, _ reads: [String], _ writes: [String]
    ) -> PassStep {
      PassStep(.forward, layer: index, operation, formula, reads: reads, writes: writes)
    }
    func convolve(_ place: String, _ convolution: Conv2D<Element>, _ x: String, _ z: String)
      -> PassStep
    {
      step(
        "conv2d", "\(z) = weight ∗ \(x)\(convolution.bias == nil ? "" : " + bias")",
        [x] + convolution.parameterNames.map { "\(place).\($0)" }, [z])
    }
    switch self {
    case .convolution(let plain):
      let (z, a) = ("\(name).z", "\(name).a")
      return [
        convolve(name, plain.convolution, input, z),
        step(
          plain.options.activation.rawValue, "a = \(plain.options.activation.formula)", [z],
          next + ["\(name).out", a]),
      ]
    case .block(let block):
      var steps: [PassStep] = []
      var x = input
      for (i, convolution) in block.convolutions.enumerated() {
        let place = "\(name).conv\(i + 1)"
        steps.append(convolve(place, convolution, x, "\(place).z"))
        steps.append(
          step(
            block.options.activation.rawValue, "a = \(block.options.activation.formula)",
            ["\(place).z"], ["\(place).a"]))
        x = "\(place).a"
      }
      let (skip, out) = ("\(name).skip", "\(name).out")
      switch (block.options.merge, block.options.skip) {
      case (.none, _): break
      case (_, .block): steps.append(step("skip", "s = \(input)", [input], [skip]))
      case (_, .input): steps.append(step("skip", "s = net.in", ["net.in"], [skip]))
      case (_, .project):
        let act = block.options.projectActivation
        let inner = "project.weight ∗ \(input)\(block.options.hasBias ? " + project.bias" : "")"
        steps.append(
          step(
            "project", "s = \(act == .linear ? inner : "\(act.rawValue)(\(inner))")",
            [input] + (block.project?.parameterNames ?? []).map { "\(name).project.\($0)" }, [skip])
        )
      }
      steps.append(
        step(
          block.options.merge == .none ? "out" : block.options.merge.rawValue,
          "out = \(block.options.merge.formula)",
          [x] + (block.options.merge == .none ? [] : [skip]), next + [out]))
      return steps
    }
  }
}
