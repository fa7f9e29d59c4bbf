// Reverse-mode automatic differentiation: the tape.
//
// The idea. Every operation that makes a value from others is written down, in order, together with
// its pullbacks: for each operand, the function that turns the gradient of the result into the
// operand's share of it. Read backwards from the end, the tape gives the gradient of one number
// with respect to everything that was written down.
//
//         forward   x, w ──▶ z = conv(x, w) ──▶ a = relu(z) ──▶ … ──▶ loss
//         backward  dx, dw ◀──── dz ◀────────── da ◀─────────── … ◀── 1
//
// The equation. For an operation v = f(u₁, u₂, …) and the gradient v̄ of the end with respect to v:
//
//         ūᵢ ← ūᵢ + (∂f/∂uᵢ)ᵀ · v̄
//
// A value that several operations read gets one arrival from each, added in the order of reading the
// tape, so that the result is the same bits every time.
//
// Source: Linnainmaa, "Taylor expansion of the accumulated rounding error" (1976); Griewank and
// Walther, "Evaluating derivatives" (2008), chapter 3.
//
// Limits. The tape knows operations, but no layer, block or flow. It stores every value it
// made, so it needs more memory than a pass written by hand. And it differentiates what was
// computed, not what was meant: at a corner it takes one side.

package import Operations
package import Tensors

/// The place of a value on a tape.
package struct TapeVariable: Hashable, Sendable {
  fileprivate let index: Int
}

/// Operations in the order in which they were computed.
///
/// A tape is used up by reading it backwards: it cannot be copied, and ``gradients(of:seed:keepsAll:keepsArrivals:)``
/// consumes it, so that a second reading does not compile.
package struct Tape<Element: Scalar>: ~Copyable {
  private struct Entry {
    let value: Value<Element>
    /// The operation that made the value; nil for what is given.
    let operation: (any Operation)?
    /// The entries that it was made from.
    let operands: [Int]
    /// Whether a gradient of it is wanted.
    let isVariable: Bool
  }

  private var entries: [Entry] = []

  package init() {}

  /// The map that is written at `variable`.
  package func map(_ variable: TapeVariable) -> FeatureMap<Element> {
    entries[variable.index].value.map
  }

  /// The single number that is written at `variable`, also as a map of one pixel.
  package func number(_ variable: TapeVariable) -> Double {
    Self.number(entries[variable.index].value)
  }

  /// The value that is written at `variable`.
  func value(_ variable: TapeVariable) -> Value<Element> { entries[variable.index].value }

  /// Whether a convolution found a NaN or an infinity in the map at `variable`.
  func foundNonFinite(_ variable: TapeVariable) -> Bool {
    if case .map(let map) = entries[variable.index].value { map.foundNonFinite } else { false }
  }

  private static func number(_ value: Value<Element>) -> Double {
    if case .map(let map) = value { map.total() } else { value.number }
  }

  // MARK: - Writing

  /// Writes a map that nothing computes; its gradient is wanted if `isVariable`.
  package mutating func input(
    _ map: FeatureMap<Element>, isVariable: Bool
  ) -> TapeVariable {
    write(given: .map(map), isVariable: isVariable)
  }

  /// Writes a weight or bias, whose gradient is wanted.
  package mutating func parameter(_ tensor: Tensor<Element>) -> TapeVariable {
    write(given: .tensor(tensor), isVariable: true)
  }

  /// Writes a tensor that has no gradient.
  package mutating func constant(_ tensor: Tensor<Element>) -> TapeVariable {
    write(given: .tensor(tensor), isVariable: false)
  }

  private mutating func write(given value: Value<Element>, isVariable: Bool) -> TapeVariable {
    entries.append(Entry(value: value, operation: nil, operands: [], isVariable: isVariable))
    return TapeVariable(index: entries.count - 1)
  }

  /// Computes an operation of what was written before, and writes the result.
  package mutating func write(
    _ operation: any Operation, _ operands: [TapeVariable]
  ) -> TapeVariable {
    entries.append(
      Entry(
        value: operation.forward(operands.map { entries[$0.index].value }), operation: operation,
        operands: operands.map(\.index),
        isVariable: operands.contains { entries[$0.index].isVariable }))
    return TapeVariable(index: entries.count - 1)
  }

  // MARK: - Again

  /// Returns a number on the tape computed again with the element at `offset` of `variable` moved.
  package func number(
    _ end: TapeVariable, moving variable: TapeVariable, at offset: Int, by shift: Element
  ) -> Double {
    var changed = [variable.index: entries[variable.index].value.moved(at: offset, by: shift)]
    for index in variable.index + 1...end.index {
      let entry = entries[index]
      guard let operation = entry.operation,
        entry.operands.contains(where: { changed[$0] != nil })
      else { continue }
      changed[index] = operation.forward(entry.operands.map { changed[$0] ?? entries[$0].value })
    }
    return Self.number(changed[end.index] ?? entries[end.index].value)
  }

  /// The derivative of a number on the tape by the element at `offset` of `variable`, extrapolated
  /// from two pairs of central differences.
  package func difference(
    of end: TapeVariable, by variable: TapeVariable, at offset: Int
  ) -> Double {
    func difference(_ h: Double) -> Double {
      let ahead = number(end, moving: variable, at: offset, by: Element(h))
      let behind = number(end, moving: variable, at: offset, by: Element(-h))
      return (ahead - behind) / (2 * h)
    }
    return (4 * difference(5e-5) - difference(1e-4)) / 3
  }

  // MARK: - Backwards

  /// The gradients of a number on the tape with respect to what was written before it.
  ///
  /// - Parameters:
  ///   - end: The number.
  ///   - seed: The gradient of the end with respect to itself: 1, or a factor on all gradients.
  ///   - keepsAll: Whether gradients between the end and the inputs are kept, too.
  ///   - keepsArrivals: Whether each arrival is kept alone, in the order of adding.
  /// - Returns: The gradients, by variable.
  package consuming func gradients(
    of end: TapeVariable, seed: Double = 1, keepsAll: Bool, keepsArrivals: Bool = false
  ) -> TapeGradients<Element> {
    var arrivals: [TapeGradients<Element>.Arrival] = []
    var gradients = [Value<Element>?](repeating: nil, count: entries.count)
    gradients[end.index] = Self.seed(seed, like: entries[end.index].value)
    for index in (0...end.index).reversed() {
      let entry = entries[index]
      guard let gradient = gradients[index], let operation = entry.operation, entry.isVariable
      else { continue }
      let values = OperationValues(
        operands: entry.operands.map { entries[$0].value }, result: entry.value)
      for (position, operand) in entry.operands.enumerated() where entries[operand].isVariable {
        let arrival = operation.pullback(gradient, to: position, values)
        if keepsArrivals {
          arrivals.append(
            .init(
              from: TapeVariable(index: index), operand: position,
              to: TapeVariable(index: operand), value: arrival))
        }
        gradients[operand] = gradients[operand]?.adding(arrival) ?? arrival
      }
      if !keepsAll { gradients[index] = nil }
    }
    return TapeGradients(values: gradients, arrivals: arrivals)
  }

  /// The gradient of the end with respect to itself, of the kind that the end is.
  private static func seed(_ seed: Double, like end: Value<Element>) -> Value<Element> {
    guard case .map(let map) = end else { return .number(seed) }
    return .map(FeatureMap(shape: map.shape, number: seed))
  }
}

/// The gradients that a reading of a tape gave.
package struct TapeGradients<Element: Scalar>: Sendable {
  /// One operation's contribution to the gradient of one of its operands.
  struct Arrival: Sendable {
    let from: TapeVariable
    /// Which operand of the operation it is.
    let operand: Int
    let to: TapeVariable
    let value: Value<Element>
  }

  fileprivate let values: [Value<Element>?]
  /// In the order in which they were added; empty if they were not kept.
  let arrivals: [Arrival]

  /// The gradient of a value of any kind; nil if the end does not depend on it or it was not kept.
  func value(_ variable: TapeVariable) -> Value<Element>? { values[variable.index] }

  /// The gradient of a map; nil if the end does not depend on it or it was not kept.
  package func map(_ variable: TapeVariable) -> FeatureMap<Element>? {
    values[variable.index]?.map
  }

  /// The gradient of a parameter; nil if the end does not depend on it.
  package func tensor(_ variable: TapeVariable) -> Tensor<Element>? {
    guard case .tensor(let tensor) = values[variable.index] else { return nil }
    return tensor
  }
}
