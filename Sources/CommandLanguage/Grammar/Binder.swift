/// Assigns each word of a line to the parameter it belongs to.
struct Binder {
  private let spec: CommandSpec
  private var arguments: Arguments
  private let words: [SourceText]
  private let end: Int
  private var next = 0
  private var positionals: [Parameter]
  private var rest: [SourceText] = []

  init(spec: CommandSpec, arguments: Arguments, words: [SourceText], end: Int) {
    (self.spec, self.arguments, self.words) = (spec, arguments, words)
    self.end = words.last?.range.upperBound ?? end
    positionals = spec.parameters.filter { $0.position == .word || $0.position == .words }
  }

  /// Assigns and checks all words, and returns the arguments.
  mutating func bind() throws(CommandError) -> Arguments {
    while next < words.count {
      if try takeAssigned() { continue }
      if try takeKey() { continue }
      if try takeFlag() { continue }
      try takePositional()
    }
    try finishRest()
    try checkRequired()
    return arguments
  }

  // MARK: - Kinds of places

  /// Takes `= VALUE` up to the end of the line.
  private mutating func takeAssigned() throws(CommandError) -> Bool {
    guard let parameter = spec.parameters.first(where: { $0.position == .assigned }),
      let sign = words[next].firstIndex(ofSyntax: "=")
    else { return false }
    let word = words[next]
    if sign > 0 {
      let before = word[0..<sign]
      guard let positional = positionals.first else { throw surplus(before) }
      positionals.removeFirst()
      try add(before, to: positional)
    }
    var values = Array(words[(next + 1)...])
    if sign + 1 < word.characters.count {
      values.insert(word[sign + 1..<word.characters.count], at: 0)
    }
    guard !values.isEmpty else {
      throw CommandError(
        .missingValue, "\"=\" needs a value", hint: "type: \(spec.syntax)", range: word.range)
    }
    try add(SourceText.joined(values, emptyAt: end), to: parameter)
    next = words.count
    return true
  }

  /// Takes `key=value`, with or without spaces around the sign.
  private mutating func takeKey() throws(CommandError) -> Bool {
    let word = words[next]
    var key = word
    var value: SourceText?
    var used = 1
    if let sign = word.firstIndex(ofSyntax: "=") {
      key = word[0..<sign]
      value = sign + 1 < word.characters.count ? word[sign + 1..<word.characters.count] : nil
    } else if next + 1 < words.count, words[next + 1].firstIndex(ofSyntax: "=") == 0 {
      let sign = words[next + 1]
      value = sign.characters.count > 1 ? sign[1..<sign.characters.count] : nil
      used = 2
    } else {
      return false
    }
    let parameter = spec.parameters.first {
      $0.position == .key && $0.name == key.string.lowercased() && !key.hasLiterals
    }
    guard let parameter else {
      if spec.parameters.contains(where: { [.rest, .assigned].contains($0.position) }) {
        return false
      }
      guard Self.looksLikeKey(key) else {
        guard key.characters.isEmpty else { return false }
        throw CommandError(
          .syntax, "\"=\" has no key before it", hint: "type: \(spec.syntax)", range: word.range)
      }
      throw unknownKey(key)
    }
    if value == nil, next + used < words.count, !isKeyAhead(at: next + used) {
      value = words[next + used]
      used += 1
    }
    guard let value else {
      throw CommandError(
        .missingValue, "\(parameter.name)= needs a value",
        hint: "expected \(parameter.kind.expectation)",
        range: key.range.lowerBound..<words[next + used - 1].range.upperBound)
    }
    if arguments.has(parameter.name) {
      throw CommandError(
        .repeatedArgument, "\(parameter.name)= is given twice", hint: "leave one out",
        range: key.range)
    }
    next += used
    try add(gathered(value, for: parameter.kind), to: parameter)
    return true
  }

  /// Takes a bare word that is a flag's choice.
  private mutating func takeFlag() throws(CommandError) -> Bool {
    let word = words[next]
    let wanted = word.string.lowercased()
    let parameter = spec.parameters.first {
      $0.position == .flag && !word.hasLiterals
        && $0.kind.words.contains { $0.lowercased() == wanted }
    }
    guard let parameter else { return false }
    if arguments.has(parameter.name) {
      throw CommandError(
        .repeatedArgument,
        "\"\(word.string)\" comes after \"\(try arguments.text(parameter.name))\"",
        hint: "give one of \(parameter.kind.placeholder)", range: word.range)
    }
    next += 1
    try add(word, to: parameter)
    return true
  }

  /// Takes a word as the next parameter in order, or keeps it for the rest of the line.
  private mutating func takePositional() throws(CommandError) {
    let word = words[next]
    guard let parameter = positionals.first else {
      guard spec.parameters.contains(where: { $0.position == .rest }) else { throw surplus(word) }
      rest.append(word)
      next += 1
      return
    }
    next += 1
    if parameter.position == .word { positionals.removeFirst() }
    try add(gathered(word, for: parameter.kind), to: parameter)
  }

  private mutating func finishRest() throws(CommandError) {
    guard !rest.isEmpty, let parameter = spec.parameters.first(where: { $0.position == .rest })
    else { return }
    try add(SourceText.joined(rest, emptyAt: end), to: parameter)
  }

  private func checkRequired() throws(CommandError) {
    for parameter in spec.parameters
    where parameter.fallback == .required && !arguments.has(parameter.name) {
      throw CommandError(
        .missingArgument, "\(spec.name) needs \(parameter.syntax): \(parameter.help)",
        hint: "type: \(spec.syntax)", range: end..<end + 1)
    }
  }

  // MARK: - Values

  private mutating func add(
    _ source: SourceText, to parameter: Parameter
  ) throws(CommandError) {
    let value = try ValueParser(name: parameter.name).value(source, as: parameter.kind)
    arguments.add(.init(source: source, value: value), for: parameter.name)
  }

  /// A value with the unit or the range that follows it after a space.
  private mutating func gathered(_ value: SourceText, for kind: ParameterKind) -> SourceText {
    var result = value
    while next < words.count {
      let ahead = words[next]
      let isUnit =
        kind.takesUnit && Self.endsInNumber(result.string) && Unit(named: ahead.string) != nil
      let isRange =
        kind.takesRange && (result.string.hasSuffix("..") || ahead.string.hasPrefix(".."))
      guard isUnit || isRange, !isKeyAhead(at: next) else { break }
      result = SourceText.joined([result, ahead], emptyAt: end)
      next += 1
    }
    return result
  }

  /// Whether the text ends in a number without a unit.
  private static func endsInNumber(_ text: String) -> Bool {
    guard let last = text.last else { return false }
    return ("0"..."9").contains(last) || last == "."
  }

  /// Whether the word at `index` begins another `key=value`.
  private func isKeyAhead(at index: Int) -> Bool {
    if let sign = words[index].firstIndex(ofSyntax: "=") {
      return Self.looksLikeKey(words[index][0..<sign])
    }
    return index + 1 < words.count && words[index + 1].firstIndex(ofSyntax: "=") == 0
  }

  private static func looksLikeKey(_ text: SourceText) -> Bool {
    guard let first = text.characters.first?.character, first.isLetter, !text.hasLiterals
    else { return false }
    return text.characters.allSatisfy {
      $0.character.isLetter || $0.character.isNumber || "-_.".contains($0.character)
    }
  }

  // MARK: - Errors

  private func unknownKey(_ key: SourceText) -> CommandError {
    let known = spec.keys
    let cure =
      known.isEmpty
      ? "it takes no key=value; put the word in quotes if it is a name or path"
      : "expected \(ParameterKind.alternatives(known.map { $0 + "=" }))"
    return CommandError(
      .unknownKey, "\(spec.name) has no key \"\(key.string)\"",
      hint: NearestNames.question(for: key.string, among: known) ?? cure, range: key.range)
  }

  private func surplus(_ word: SourceText) -> CommandError {
    let text = word.string
    if let parameter = spec.parameters.first(where: {
      $0.position == .key && $0.name == text.lowercased()
    }) {
      return CommandError(
        .missingValue, "\(parameter.name) needs = and a value",
        hint: "expected \(parameter.name)=\(parameter.kind.placeholder)", range: word.range)
    }
    let flags = spec.parameters.filter { $0.position == .flag }.flatMap(\.kind.words)
    let near = NearestNames.question(for: text, among: flags + spec.keys.map { $0 + "=" })
    let takes = spec.parameters.isEmpty ? "\(spec.name) takes no arguments" : "type: \(spec.syntax)"
    return CommandError(
      .surplusArgument, "\(spec.name) does not take \"\(text)\"", hint: near ?? takes,
      range: word.range)
  }
}
