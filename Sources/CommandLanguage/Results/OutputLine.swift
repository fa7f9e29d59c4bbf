import Foundation

/// A part of a line of output.
package enum Field: Hashable, Sendable {
  /// Words that must be the same in a replay.
  case text(String)
  /// A number with its digits; its unit is part of the text that follows.
  case number(Double, NumberFormat)
  /// A time, a speed or other text that may differ between runs.
  case volatile(String)
  /// A file that was written: its recorded name, and its absolute path.
  case file(String, place: String?)

  /// The field as it is recorded.
  package var rendered: String {
    switch self {
    case .text(let text): Escapes.inside(VisibleText.visible(text))
    case .number(let value, let format): format.string(value)
    case .volatile(let text): Escapes.volatile(VisibleText.visible(text))
    case .file(let name, _): Field.text(name).rendered
    }
  }

  /// The field as it is printed, without the escapes of a record: a file has the path from the
  /// working directory.
  package var shown: String {
    switch self {
    case .text(let text): VisibleText.visible(text)
    case .file(let name, let place):
      VisibleText.visible(place.map(ShownPath.fromHere) ?? name)
    case .number, .volatile: rendered
    }
  }
}

/// Paths as they are shown to a person.
package enum ShownPath {
  /// The path to an absolute `place` from the working directory: `out/x/a.png`.
  package static func fromHere(_ place: String) -> String {
    let here = FileManager.default.currentDirectoryPath
    let root = here.hasSuffix("/") ? here : here + "/"
    return place.hasPrefix(root) ? String(place.dropFirst(root.count)) : place
  }
}

/// A line of output, written as an interpolated string.
///
///     "noisy  rmse \(rmse, digits: 2) HU  \(volatile: "4.1 s")"
package struct OutputLine: Hashable, Sendable, ExpressibleByStringInterpolation {
  package var fields: [Field]

  package init(_ fields: [Field]) { self.fields = fields }

  /// A line of plain words.
  package init(_ text: String) { fields = [.text(text)] }

  package init(stringLiteral value: String) { self.init(value) }

  package init(stringInterpolation: StringInterpolation) { fields = stringInterpolation.fields }

  /// The line as it is recorded.
  package var rendered: String { fields.map(\.rendered).joined() }

  /// The line as it is printed.
  package var shown: String { fields.map(\.shown).joined() }

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

    /// A count with what is counted: `1 slice`, `2 slices`.
    package mutating func appendInterpolation(_ count: Int, _ noun: String) {
      fields.append(.text("\(count, noun)"))
    }

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

    /// A text that may differ between runs.
    package mutating func appendInterpolation(volatile text: String) {
      fields.append(.volatile(text))
    }

    /// A file that was written.
    package mutating func appendInterpolation(file name: String, at place: String?) {
      fields.append(.file(name, place: place))
    }

    /// Another line's fields.
    package mutating func appendInterpolation(_ line: OutputLine) { fields += line.fields }
  }
}

extension DefaultStringInterpolation {
  /// A count with what is counted: `1 slice`, `2 slices`.
  package mutating func appendInterpolation(_ count: Int, _ noun: String) {
    appendInterpolation("\(count) \(noun)\(count == 1 ? "" : "s")")
  }
}
