/// One operation of a forward or backward pass, with its formula and the names it reads and writes.
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
  /// The layer it belongs to, by its place; nil for the loss and what becomes of the output.
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
  /// Which of several arrivals at the gradient this is; nil for the only one.
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
