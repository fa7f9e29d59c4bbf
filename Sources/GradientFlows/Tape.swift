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
// What it is not. It knows no layer, no block and no flow: only operations. It stores every value it
// made, so it needs more memory than a pass written by hand. And it differentiates what was
// computed, not what was meant: at a corner it takes one side.

package import Tensors

/// What an entry of a tape holds.
package enum TapeValue<Element: Scalar>: Sendable {
  case map(FeatureMap<Element>)
  case tensor(Tensor<Element>)
  case number(Double)

  /// The sum of two arrivals of one kind.
  func adding(_ other: TapeValue) -> TapeValue {
    switch (self, other) {
    case (.map(let a), .map(let b)): .map(a.adding(b))
    case (.tensor(let a), .tensor(let b)): .tensor(a.adding(b))
    case (.number(let a), .number(let b)): .number(a + b)
    default: preconditionFailure("Arrivals at one entry are of one kind.")
    }
  }

  /// The value with one element moved.
  func moved(at offset: Int, by shift: Element) -> TapeValue {
    switch self {
    case .number(let number): return .number(number + Double(shift))
    case .tensor(var tensor):
      tensor.scalars[offset] += shift
      return .tensor(tensor)
    case .map(let map):
      var tensor = map.tensor
      tensor.scalars[offset] += shift
      return .map(FeatureMap(tensor))
    }
  }

  var map: FeatureMap<Element> {
    guard case .map(let map) = self else { preconditionFailure("The entry holds a map.") }
    return map
  }

  var tensor: Tensor<Element> {
    guard case .tensor(let tensor) = self else { preconditionFailure("The entry holds a tensor.") }
    return tensor
  }

  var number: Double {
    guard case .number(let number) = self else { preconditionFailure("The entry holds a number.") }
    return number
  }
}

/// The place of a value on a tape.
package struct TapeVariable: Hashable, Sendable {
  fileprivate let index: Int
}

/// Operations in the order in which they were computed.
///
/// A tape is used up by reading it backwards: it cannot be copied, and ``gradients(of:seed:keeping:)``
/// consumes it, so that a second reading does not compile.
package struct Tape<Element: Scalar>: ~Copyable {
  typealias Pullback = (TapeValue<Element>) -> TapeValue<Element>

  private struct Entry {
    let value: TapeValue<Element>
    /// The entries that the value was made from, each with the way back to it.
    let operands: [(index: Int, pullback: Pullback)]
    /// Whether a gradient of it is wanted.
    let isVariable: Bool
    /// All entries that it was made from, and how: what computes it again.
    let sources: [Int]
    let compute: (([TapeValue<Element>]) -> TapeValue<Element>)?
  }

  private var entries: [Entry] = []

  package init() {}

  /// What is written at `variable`.
  package func map(_ variable: TapeVariable) -> FeatureMap<Element> {
    entries[variable.index].value.map
  }

  package func number(_ variable: TapeVariable) -> Double { entries[variable.index].value.number }

  func tensor(_ variable: TapeVariable) -> Tensor<Element> {
    entries[variable.index].value.tensor
  }

  /// Computes a value from `operands` and writes it; the ways back to constants are left out.
  mutating func write(
    _ operands: [(TapeVariable, Pullback)],
    _ compute: @escaping ([TapeValue<Element>]) -> TapeValue<Element>
  ) -> TapeVariable {
    write(compute(operands.map { entries[$0.0.index].value }), operands, compute)
  }

  /// Writes a value whose ways back need it.
  private mutating func write(
    _ value: TapeValue<Element>, _ operands: [(TapeVariable, Pullback)],
    _ compute: @escaping ([TapeValue<Element>]) -> TapeValue<Element>
  ) -> TapeVariable {
    let wanted = operands.filter { entries[$0.0.index].isVariable }
    entries.append(
      Entry(
        value: value, operands: wanted.map { ($0.0.index, $0.1) }, isVariable: !wanted.isEmpty,
        sources: operands.map(\.0.index), compute: compute))
    return TapeVariable(index: entries.count - 1)
  }

  /// Writes what is not computed.
  private mutating func write(
    given value: TapeValue<Element>, isVariable: Bool
  ) -> TapeVariable {
    entries.append(
      Entry(value: value, operands: [], isVariable: isVariable, sources: [], compute: nil))
    return TapeVariable(index: entries.count - 1)
  }

  // MARK: - What is not computed

  /// A map whose gradient is wanted, if `isVariable`.
  package mutating func input(
    _ map: FeatureMap<Element>, isVariable: Bool
  ) -> TapeVariable {
    write(given: .map(map), isVariable: isVariable)
  }

  /// A weight or bias, whose gradient is wanted.
  package mutating func parameter(_ tensor: Tensor<Element>) -> TapeVariable {
    write(given: .tensor(tensor), isVariable: true)
  }

  // MARK: - Operations on maps

  /// z = x ∗ w + bias: conv2d of stride 1 and same padding.
  package mutating func convolution(
    _ x: TapeVariable, weight: TapeVariable, bias: TapeVariable?
  ) -> TapeVariable {
    let (input, kernel) = (map(x), tensor(weight))
    var operands: [(TapeVariable, Pullback)] = [
      (x, { .map(Convolution.inputGradient($0.map, kernel: kernel)) }),
      (weight, { .tensor(Convolution.kernelGradient(input, $0.map, kernelShape: kernel.shape)) }),
    ]
    if let bias { operands.append((bias, { .tensor(Convolution.biasGradient($0.map)) })) }
    return write(operands) { values in
      .map(
        Convolution.forward(
          values[0].map, kernel: values[1].tensor, bias: values.count > 2 ? values[2].tensor : nil))
    }
  }

  /// a = act(z).
  package mutating func activation(
    _ function: Activation, _ z: TapeVariable, reluNaN: ReLUNaN
  ) -> TapeVariable {
    let input = map(z)
    let a = function.forward(input, reluNaN: reluNaN)
    return write(
      .map(a), [(z, { .map(function.backward($0.map, activation: a, preactivation: input)) })]
    ) { .map(function.forward($0[0].map, reluNaN: reluNaN)) }
  }

  /// The value itself, under a name of its own: its gradient is what arrives by this way.
  package mutating func identity(_ x: TapeVariable) -> TapeVariable {
    write([(x, { $0 })]) { $0[0] }
  }

  /// One channel that serves all channels of what it joins; backwards, the sum over them.
  ///
  /// The engine repeats the channel as it reads it, so that the value stays as it is.
  package mutating func broadcast(_ x: TapeVariable) -> TapeVariable {
    let shape = map(x).shape
    return write(
      [(x, { $0.map.shape == shape ? $0 : .map($0.map.summedOverChannels()) })]
    ) { $0[0] }
  }

  /// x + y.
  package mutating func sum(_ x: TapeVariable, _ y: TapeVariable) -> TapeVariable {
    write([(x, { $0 }), (y, { $0 })]) { .map($0[0].map.adding($0[1].map)) }
  }

  /// x − y.
  package mutating func difference(_ x: TapeVariable, _ y: TapeVariable) -> TapeVariable {
    write([(x, { $0 }), (y, { .map($0.map.negated()) })]) {
      .map($0[0].map.subtracting($0[1].map))
    }
  }

  /// x · y, element by element.
  package mutating func product(_ x: TapeVariable, _ y: TapeVariable) -> TapeVariable {
    let (left, right) = (map(x), map(y))
    return write([
      (x, { .map($0.map.multiplied(by: right)) }), (y, { .map($0.map.multiplied(by: left)) }),
    ]) { .map($0[0].map.multiplied(by: $0[1].map)) }
  }

  // MARK: - Reductions

  /// Σ x².
  package mutating func sumOfSquares(_ x: TapeVariable) -> TapeVariable {
    let map = map(x)
    return write([(x, { .map(map.scaled(by: 2 * $0.number)) })]) {
      .number($0[0].map.sumOfSquares())
    }
  }

  /// Σ |x|, with gradient 0 at 0.
  package mutating func sumOfMagnitudes(_ x: TapeVariable) -> TapeVariable {
    let map = map(x)
    return write([(x, { .map(map.signs().scaled(by: $0.number)) })]) {
      .number($0[0].map.sumOfMagnitudes())
    }
  }

  /// A number divided by a constant.
  package mutating func quotient(_ x: TapeVariable, by divisor: Double) -> TapeVariable {
    write([(x, { .number($0.number / divisor) })]) { .number($0[0].number / divisor) }
  }

  // MARK: - Again

  /// What a number on the tape would be if the element at `offset` of `variable` were moved.
  package func number(
    _ end: TapeVariable, moving variable: TapeVariable, at offset: Int, by shift: Element
  ) -> Double {
    var changed = [variable.index: entries[variable.index].value.moved(at: offset, by: shift)]
    for index in variable.index + 1...end.index {
      let entry = entries[index]
      guard let compute = entry.compute, entry.sources.contains(where: { changed[$0] != nil })
      else { continue }
      changed[index] = compute(entry.sources.map { changed[$0] ?? entries[$0].value })
    }
    return (changed[end.index] ?? entries[end.index].value).number
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
    var gradients = [TapeValue<Element>?](repeating: nil, count: entries.count)
    gradients[end.index] = .number(seed)
    for index in (0...end.index).reversed() {
      guard let gradient = gradients[index] else { continue }
      for operand in entries[index].operands {
        let arrival = operand.pullback(gradient)
        if keepsArrivals {
          arrivals.append(
            .init(
              from: TapeVariable(index: index), to: TapeVariable(index: operand.index),
              value: arrival))
        }
        gradients[operand.index] = gradients[operand.index]?.adding(arrival) ?? arrival
      }
      if !keepsAll, !entries[index].operands.isEmpty { gradients[index] = nil }
    }
    return TapeGradients(values: gradients, arrivals: arrivals)
  }
}

/// The gradients that a reading of a tape gave.
package struct TapeGradients<Element: Scalar>: Sendable {
  /// What one operation passes on to one of its operands.
  struct Arrival: Sendable {
    let from: TapeVariable, to: TapeVariable
    let value: TapeValue<Element>
  }

  fileprivate let values: [TapeValue<Element>?]
  /// In the order in which they were added; empty if they were not kept.
  let arrivals: [Arrival]

  /// The gradient of a map; none if the end does not depend on it or it was not kept.
  package func map(_ variable: TapeVariable) -> FeatureMap<Element>? {
    values[variable.index]?.map
  }

  /// The gradient of a parameter; none if the end does not depend on it.
  package func tensor(_ variable: TapeVariable) -> Tensor<Element>? {
    guard case .tensor(let tensor) = values[variable.index] else { return nil }
    return tensor
  }
}
