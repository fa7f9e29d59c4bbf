import CommandLanguage
import Foundation

/// The degree to which a new line agrees with the recorded one.
enum LineMatch: Int, Comparable {
  /// Equal, except for text in `<…>`.
  case equal
  /// Every number is within its written tolerance, or within one unit of its last digit.
  case tolerated
  /// The words are equal, but a number is farther off than its last digit.
  case otherNumbers
  /// A number is outside the tolerance that the record writes.
  case outsideTolerance
  /// The words differ.
  case otherWords

  static func < (a: LineMatch, b: LineMatch) -> Bool { a.rawValue < b.rawValue }
}

/// Compares a recorded line with the typed fields that came back.
///
/// Text must be equal, but a run of spaces matches any other, since a column's width follows its
/// numbers; `<…>` matches `<…>`; a number may carry a tolerance in the record, `31.20~0.05`.
struct LineMatcher {
  private let recorded: [Character]
  private let toTheDigit: Bool
  private var position = 0

  /// How `recorded` and `fields` agree; `toTheDigit` demands equal numbers without a tolerance.
  static func match(_ recorded: String, _ fields: [Field], toTheDigit: Bool) -> LineMatch {
    if recorded == fields.map(\.rendered).joined() { return .equal }
    var matcher = LineMatcher(recorded, toTheDigit: toTheDigit)
    return matcher.match(fields)
  }

  private init(_ recorded: String, toTheDigit: Bool) {
    let characters = Array(recorded)
    let end = characters.lastIndex { $0 != " " }.map { $0 + 1 } ?? 0
    self.recorded = Array(characters[..<end])
    self.toTheDigit = toTheDigit
  }

  private mutating func match(_ fields: [Field]) -> LineMatch {
    var worst = LineMatch.equal
    skipSpaces()
    for piece in Self.pieces(fields) {
      let match: LineMatch =
        switch piece {
        case .character(let character): take(character) ? .equal : .otherWords
        case .space: takeSpace() ? .equal : .otherWords
        case .word(let text): takeNumber(text, isMeasured: false)
        case .number(let text): takeNumber(text, isMeasured: true)
        case .volatile: takeVolatile() ? .equal : .otherWords
        }
      worst = max(worst, match)
      if worst == .otherWords { return worst }
    }
    return position == recorded.count ? worst : .otherWords
  }

  // MARK: - Pieces of the new line

  /// A piece that is compared as a whole.
  private enum Piece {
    case character(Character)
    case space
    /// A number in text, such as a count, which must be equal.
    case word(String)
    /// A measured number.
    case number(String)
    case volatile
  }

  private static func pieces(_ fields: [Field]) -> [Piece] {
    var pieces: [Piece] = []
    var previous: Character = " "
    for field in fields {
      let rendered = Array(field.rendered)
      switch field {
      case .volatile: pieces.append(.volatile)
      case .number: pieces.append(.number(String(rendered)))
      case .text, .file: add(rendered, after: previous, to: &pieces)
      }
      previous = rendered.last ?? previous
    }
    while case .space? = pieces.last { pieces.removeLast() }
    return pieces
  }

  /// Adds text as characters, runs of spaces and whole numbers of digits.
  private static func add(
    _ text: [Character], after before: Character, to pieces: inout [Piece]
  ) {
    var position = 0
    var previous = before
    while position < text.count {
      let character = text[position]
      var length = 1
      if character == " " {
        if case .space? = pieces.last {} else if !pieces.isEmpty { pieces.append(.space) }
      } else if isDigit(character), !follows(previous),
        let number = WrittenNumber.read(text, from: position)
      {
        pieces.append(.word(number.text))
        length = number.text.count
      } else {
        pieces.append(.character(character))
      }
      position += length
      previous = text[position - 1]
    }
  }

  private static func isDigit(_ character: Character) -> Bool {
    ("0"..."9").contains(character)
  }

  /// Whether a digit after `character` continues a word or number.
  private static func follows(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_" || character == "."
  }

  // MARK: - Taking from the record

  private mutating func take(_ character: Character) -> Bool {
    guard position < recorded.count, recorded[position] == character else { return false }
    position += 1
    return true
  }

  private mutating func takeSpace() -> Bool {
    guard take(" ") else { return false }
    skipSpaces()
    return true
  }

  private mutating func skipSpaces() {
    while position < recorded.count, recorded[position] == " " { position += 1 }
  }

  private mutating func takeVolatile() -> Bool {
    guard take("<") else { return false }
    guard let end = recorded[position...].firstIndex(of: ">") else { return false }
    position = end + 1
    return true
  }

  /// Takes a number from the record and compares it with `text`.
  private mutating func takeNumber(_ text: String, isMeasured: Bool) -> LineMatch {
    guard let number = WrittenNumber.read(recorded, from: position) else { return .otherWords }
    position = number.end
    let found = WrittenNumber.read(Array(text), from: 0)
    if let tolerance = number.tolerance {
      guard let found else { return .otherWords }
      return found.isWithin(tolerance, of: number) ? .tolerated : .outsideTolerance
    }
    if number.text == text { return .equal }
    guard isMeasured else { return .otherWords }
    guard let found, !toTheDigit else { return .otherNumbers }
    return found.isWithin(number.lastDigit, of: number) ? .tolerated : .otherNumbers
  }
}

/// A number as a transcript writes it: `-512.4`, `3.1e-05`, `nan`, `31.20~0.05`.
struct WrittenNumber: Hashable {
  /// The digits, without a tolerance.
  let text: String
  let value: Double
  /// One unit of the last written digit.
  let lastDigit: Double
  let tolerance: Double?
  /// The tolerance as it is written.
  let toleranceText: String
  /// The index of its first character.
  let start: Int
  /// The index after the number and its tolerance.
  let end: Int

  /// The number at `start`, or nil.
  static func read(_ characters: [Character], from start: Int) -> WrittenNumber? {
    guard let (text, end) = digits(characters, from: start), let value = Double(text) else {
      return nil
    }
    var tolerance: Double?
    var toleranceText = ""
    var last = end
    if end < characters.count, characters[end] == "~",
      let (written, after) = digits(characters, from: end + 1), let width = Double(written),
      width.isFinite, !written.hasPrefix("-")
    {
      (tolerance, toleranceText) = (width, written)
      last = after
    }
    return WrittenNumber(
      text: text, value: value, lastDigit: unit(of: text), tolerance: tolerance,
      toleranceText: toleranceText, start: start, end: last)
  }

  /// Whether this number is at most `width` from `other`; the same non-finite words agree too.
  func isWithin(_ width: Double, of other: WrittenNumber) -> Bool {
    guard value.isFinite && other.value.isFinite else { return text == other.text }
    // Decimal fractions are not exact in binary, so the width is a little larger.
    return abs(value - other.value) <= width * (1 + 1e-6) + abs(other.value) * 1e-15
  }

  private static func digits(_ characters: [Character], from start: Int) -> (String, Int)? {
    for word in ["nan", "inf", "-inf"] where characters[start...].starts(with: word) {
      return (word, start + word.count)
    }
    var end = start
    func count() -> Int {
      let first = end
      while end < characters.count, ("0"..."9").contains(characters[end]) { end += 1 }
      return end - first
    }
    if end < characters.count, characters[end] == "-" || characters[end] == "+" { end += 1 }
    guard count() > 0 else { return nil }
    let whole = end
    if end < characters.count, characters[end] == "." {
      end += 1
      if count() == 0 { end = whole }
    }
    let mantissa = end
    if end < characters.count, characters[end] == "e" {
      end += 1
      if end < characters.count, "+-".contains(characters[end]) { end += 1 }
      if count() == 0 { end = mantissa }
    }
    return (String(characters[start..<end]), end)
  }

  private static func unit(of text: String) -> Double {
    let parts = text.split(separator: "e")
    let fraction = parts.first?.split(separator: ".").dropFirst().first?.count ?? 0
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    return pow(10, Double(min(max(exponent, -400), 400) - fraction))
  }
}
