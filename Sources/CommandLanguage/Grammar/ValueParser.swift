/// Reads the text of an argument as a value of its parameter's kind.
struct ValueParser {
  /// The parameter's name, for error messages.
  let name: String

  /// Reads `text` as a value of `kind`.
  func value(
    _ text: SourceText, as kind: ParameterKind
  ) throws(CommandError) -> ArgumentValue {
    switch kind {
    case .number(let units, let bounds):
      let quantity = try quantity(text, kind, units: units)
      try check(bounds.contains(quantity.value), text, kind)
      return .quantity(quantity)
    case .duration:
      let quantity = try quantity(text, kind, units: Unit.durations)
      try check(quantity.value.isFinite && quantity.value >= 0, text, kind)
      return .quantity(quantity)
    case .size:
      let quantity = try quantity(text, kind, units: Unit.sizes)
      try check(quantity.value >= 0 && quantity.value < 0x1p62, text, kind)
      return .quantity(quantity)
    case .integer(let range, let odd):
      let integer = try integer(text, kind)
      try check(range.contains(integer) && (!odd || !integer.isMultiple(of: 2)), text, kind)
      return .integer(integer)
    case .choice(let words):
      return .choice(try choice(text, kind, words))
    case .yesNo:
      return .yesNo(try choice(text, kind, ["yes", "no"]) == "yes")
    case .interval(let units):
      return .interval(try interval(text, kind, units: units))
    case .integerInterval:
      return .integers(try integers(text, kind))
    case .path, .thing, .text, .helpTitle:
      guard !text.characters.isEmpty else { throw wrong(text, kind) }
      return .text(text.string)
    case .list(let element):
      return .list(try list(text, element))
    case .either(let kinds):
      return try either(text, kind, kinds)
    }
  }

  // MARK: - Numbers

  /// A number with one of `units`, in the base unit.
  private func quantity(
    _ text: SourceText, _ kind: ParameterKind, units: [Unit]
  ) throws(CommandError) -> Quantity {
    guard let (number, end) = Self.number(in: text.string) else { throw wrong(text, kind) }
    let suffix = text[end..<text.characters.count].trimmed
    let symbol = suffix.string.filter { !$0.isWhitespace }
    guard !symbol.isEmpty else { return Quantity(number) }
    guard let unit = Unit(named: symbol), units.contains(unit) else {
      let expected = ParameterKind.alternatives(units.map(\.rawValue))
      let known = Unit(named: symbol) != nil
      throw CommandError(
        .wrongUnit, "\(name): the unit \"\(symbol)\" \(known ? "does not fit here" : "is unknown")",
        hint: units.isEmpty
          ? "write a bare number"
          : NearestNames.question(for: symbol, among: units.map(\.rawValue))
            ?? "expected \(expected), or a bare number",
        range: suffix.range)
    }
    return Quantity(number * unit.scale, unit)
  }

  /// The number at the start of `text`, and the index of the first character after it.
  static func number(in text: String) -> (value: Double, end: Int)? {
    let characters = Array(text)
    var end = 0
    func digits() -> Int {
      let start = end
      while end < characters.count, ("0"..."9").contains(characters[end]) { end += 1 }
      return end - start
    }
    if end < characters.count, "+-".contains(characters[end]) { end += 1 }
    var count = digits()
    if end < characters.count, characters[end] == ".",
      !(end + 1 < characters.count && characters[end + 1] == ".")
    {
      end += 1
      count += digits()
    }
    guard count > 0 else { return nil }
    let mantissa = end
    if end < characters.count, "eE".contains(characters[end]) {
      end += 1
      if end < characters.count, "+-".contains(characters[end]) { end += 1 }
      if digits() == 0 { end = mantissa }
    }
    guard let value = Double(String(characters[..<end])) else { return nil }
    return (value, end)
  }

  private func integer(_ text: SourceText, _ kind: ParameterKind) throws(CommandError) -> Int {
    let string = text.string
    if let integer = Int(string) { return integer }
    guard let (value, end) = Self.number(in: string), end == text.characters.count,
      let integer = Int(exactly: value)
    else { throw wrong(text, kind) }
    return integer
  }

  // MARK: - Ranges

  private func interval(
    _ text: SourceText, _ kind: ParameterKind, units: [Unit]
  ) throws(CommandError) -> Interval {
    let (first, second) = try ends(text, kind)
    let lower = try quantity(first, kind, units: units)
    let upper = try quantity(second, kind, units: units)
    try check(lower.value.isFinite && upper.value.isFinite && lower.value < upper.value, text, kind)
    return Interval(lower: lower.value, upper: upper.value, unit: upper.unit ?? lower.unit)
  }

  private func integers(
    _ text: SourceText, _ kind: ParameterKind
  ) throws(CommandError) -> ClosedRange<Int> {
    if let single = Int(text.string) { return single...single }
    let (first, second) = try ends(text, kind)
    let lower = try integer(first, kind)
    let upper = try integer(second, kind)
    guard lower <= upper else { throw outOfRange(text, kind) }
    return lower...upper
  }

  /// The texts on both sides of `..`.
  private func ends(
    _ text: SourceText, _ kind: ParameterKind
  ) throws(CommandError) -> (SourceText, SourceText) {
    let characters = text.characters.map(\.character)
    guard
      let dots = characters.indices.dropLast().first(where: {
        characters[$0] == "." && characters[$0 + 1] == "."
      }), dots > 0, dots + 2 < characters.count
    else { throw wrong(text, kind) }
    return (text[0..<dots].trimmed, text[dots + 2..<characters.count].trimmed)
  }

  // MARK: - Words

  private func choice(
    _ text: SourceText, _ kind: ParameterKind, _ words: [String]
  ) throws(CommandError) -> String {
    let wanted = text.string.lowercased()
    for word in words {
      guard word.contains(":") else {
        if word.lowercased() == wanted { return word }
        continue
      }
      let stem = ParameterKind.stem(of: word)
      guard wanted.hasPrefix(stem.lowercased() + ":") else { continue }
      let rest = String(wanted.dropFirst(stem.count + 1))
      if let (_, end) = Self.number(in: rest), end == rest.count { return "\(stem):\(rest)" }
      throw CommandError(
        .wrongValue, "\(name): \"\(stem):\" needs a number, found \"\(rest)\"",
        hint: "write \(word) with a number", range: text.range)
    }
    let near = NearestNames.question(for: wanted, among: kind.words)
    throw CommandError(
      .wrongValue, "\(name): expected \(kind.expectation), found \"\(text.string)\"",
      hint: near ?? example(kind),
      range: text.range)
  }

  private func list(
    _ text: SourceText, _ element: ParameterKind
  ) throws(CommandError) -> [ArgumentValue] {
    var values: [ArgumentValue] = []
    var start = 0
    let commas = text.characters.indices.filter {
      text.characters[$0].character == "," && !text.characters[$0].isLiteral
    }
    for end in commas + [text.characters.count] {
      values.append(try value(text[start..<end].trimmed, as: element))
      start = end + 1
    }
    return values
  }

  private func either(
    _ text: SourceText, _ kind: ParameterKind, _ kinds: [ParameterKind]
  ) throws(CommandError) -> ArgumentValue {
    var clearest: CommandError?
    for option in kinds {
      do {
        return try value(text, as: option)
      } catch {
        if error.code != .wrongValue { clearest = clearest ?? error }
      }
    }
    throw clearest ?? wrong(text, kind)
  }

  // MARK: - Errors

  private func check(
    _ isAllowed: Bool, _ text: SourceText, _ kind: ParameterKind
  ) throws(CommandError) {
    if !isAllowed { throw outOfRange(text, kind) }
  }

  private func outOfRange(_ text: SourceText, _ kind: ParameterKind) -> CommandError {
    CommandError(
      .outOfRange, "\(name): \(text.string) is out of range",
      hint: "expected \(kind.expectation)", range: text.range)
  }

  private func wrong(_ text: SourceText, _ kind: ParameterKind) -> CommandError {
    let found = text.characters.isEmpty ? "nothing" : "\"\(text.string)\""
    return CommandError(
      .wrongValue, "\(name): expected \(kind.expectation), found \(found)", hint: example(kind),
      range: text.range)
  }

  private func example(_ kind: ParameterKind) -> String { "for example \(kind.example)" }
}

extension SourceText {
  /// The text without spaces at its ends.
  package var trimmed: SourceText {
    let inside = characters.indices.filter { !characters[$0].character.isWhitespace }
    guard let first = inside.first, let last = inside.last else { return self[0..<0] }
    return self[first..<last + 1]
  }
}
