/// A part of a line that a command gives back.
package enum Field: Hashable, Sendable {
  /// Words that must be the same in a replay.
  case text(String)
  /// A number with its digits; its unit is part of the text that follows.
  case number(Double, NumberFormat)
  /// Times, speeds and whatever else may differ between runs.
  case volatile(String)

  /// The field as it is shown and recorded.
  package var rendered: String {
    switch self {
    case .text(let text): Escapes.inside(VisibleText.visible(text))
    case .number(let value, let format): format.string(value)
    case .volatile(let text): Escapes.volatile(VisibleText.visible(text))
    }
  }

  /// The field as a person reads it: the same without the escapes of a record.
  var shown: String {
    if case .text(let text) = self { VisibleText.visible(text) } else { rendered }
  }
}

/// One line that a command gives back, written as an interpolated string.
///
///     "noisy  rmse \(rmse, digits: 2) HU  \(volatile: "4.1 s")"
package struct OutputLine: Hashable, Sendable, ExpressibleByStringInterpolation {
  package var fields: [Field]

  package init(_ fields: [Field]) { self.fields = fields }

  /// A line of plain words.
  package init(_ text: String) { fields = [.text(text)] }

  package init(stringLiteral value: String) { self.init(value) }

  package init(stringInterpolation: StringInterpolation) { fields = stringInterpolation.fields }

  /// The line as it is shown and recorded.
  package var rendered: String { fields.map(\.rendered).joined() }

  /// Collects the fields of a line.
  package struct StringInterpolation: StringInterpolationProtocol {
    var fields: [Field] = []

    package init(literalCapacity: Int, interpolationCount: Int) {
      fields.reserveCapacity(2 * interpolationCount + 1)
    }

    package mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { fields.append(.text(literal)) }
    }

    /// Words.
    package mutating func appendInterpolation(_ text: String) { fields.append(.text(text)) }

    /// A whole number.
    package mutating func appendInterpolation(_ value: Int) { fields.append(.text("\(value)")) }

    /// A number with the fewest digits that read back the same.
    package mutating func appendInterpolation(_ value: Double) {
      fields.append(.number(value, .shortest))
    }

    /// A number with `digits` after the point.
    package mutating func appendInterpolation(_ value: Double, digits: Int) {
      fields.append(.number(value, .fixed(digits)))
    }

    /// A number with `significant` digits.
    package mutating func appendInterpolation(_ value: Double, significant: Int) {
      fields.append(.number(value, .significant(significant)))
    }

    /// What may differ between runs.
    package mutating func appendInterpolation(volatile text: String) {
      fields.append(.volatile(text))
    }

    /// Another line's fields.
    package mutating func appendInterpolation(_ line: OutputLine) { fields += line.fields }
  }
}
