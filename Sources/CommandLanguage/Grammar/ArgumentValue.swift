/// A range of numbers as typed, `A..B`, with its unit.
package struct Interval: Hashable, Sendable {
  package let lower: Double
  package let upper: Double
  /// The unit of the second end, or of the first where that has none; nil for bare numbers.
  package let unit: Unit?
}

/// The value of an argument, checked against its parameter's kind.
package indirect enum ArgumentValue: Hashable, Sendable {
  case quantity(Quantity)
  case integer(Int)
  case yesNo(Bool)
  case interval(Interval)
  case integers(ClosedRange<Int>)
  /// A choice, in the spelling of the table.
  case choice(String)
  case text(String)
  case list([ArgumentValue])
}
