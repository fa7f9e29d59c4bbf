/// A command and its checked arguments.
package struct Invocation {
  package let spec: CommandSpec
  package let arguments: Arguments
  /// The text and start of the command that `fails` and the like run; nil for other commands.
  let command: (text: String, start: Int)?
}

/// Turns a command line into a command and its arguments, by means of the table.
package struct Parser {
  /// The commands by name.
  let specs: [String: CommandSpec]
  let variables: Variables

  package init(_ specs: some Sequence<CommandSpec>, variables: Variables) {
    self.init(
      specs: Dictionary(specs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }),
      variables: variables)
  }

  init(specs: [String: CommandSpec], variables: Variables) {
    (self.specs, self.variables) = (specs, variables)
  }

  /// The largest number of characters of a command, also after its variables are expanded.
  package static let longestCommand = 1 << 20

  /// Throws when a command is longer than ``longestCommand``.
  static func checkLength(_ count: Int, at range: Range<Int>) throws(CommandError) {
    guard count > longestCommand else { return }
    throw CommandError(
      .limit, "the command has more than \(longestCommand) characters",
      hint: "use fewer or shorter words; long texts belong into files", range: range)
  }

  /// The command that `line` gives, or nil for a blank line or a comment.
  package func parse(_ line: String) throws(CommandError) -> Invocation? {
    do throws(CommandError) {
      if ContinuedLine.goesOn(line) {
        throw CommandError(
          .syntax, "the line ends with \"\\\", but nothing follows", hint: "leave it out",
          range: line.count - 1..<line.count)
      }
      try Self.checkLength(line.utf8.count, at: 0..<1)
      var lexer = Lexer(line)
      guard let (spec, nameRange) = try commandName(&lexer) else { return nil }
      var arguments = try Arguments(spec: spec, line: line, nameRange: nameRange)
      if let parameter = spec.parameters.first(where: { $0.position == .command }) {
        return try nested(parameter, spec, &arguments, lexer)
      }
      var words: [SourceText] = []
      var length = 0
      while let word = try lexer.next() {
        words.append(try word.expanded(with: variables))
        length += words.last?.characters.count ?? 0
        try Self.checkLength(length, at: word.range)
      }
      var binder = Binder(spec: spec, arguments: arguments, words: words, end: nameRange.upperBound)
      do throws(CommandError) {
        return Invocation(spec: spec, arguments: try binder.bind(), command: nil)
      } catch {
        // `optimizer adma lr=1`: the key that "optimizer" lacks is one of "optimizer adam".
        guard error.code == .unknownKey, let second = words.first,
          second.firstIndex(ofSyntax: "=") == nil, !secondWords(after: spec.name).isEmpty
        else { throw error }
        throw unknownSecond(second, after: spec.name)
      }
    } catch {
      var located = error
      located.line = located.line ?? line
      throw located
    }
  }

  /// Binds the rest of the line to `parameter` as a command of its own, after the words and flags that
  /// come before it.
  private func nested(
    _ parameter: Parameter, _ spec: CommandSpec, _ arguments: inout Arguments, _ lexer: Lexer
  ) throws(CommandError) -> Invocation {
    var lexer = lexer
    var words: [SourceText] = []
    let flags = spec.parameters.filter { $0.position == .flag }.flatMap(\.kind.words)
    let count = spec.parameters.count { $0.position == .word }
    while words.count < count, let word = try lexer.next() {
      words.append(try word.expanded(with: variables))
    }
    var ahead = lexer
    if !flags.isEmpty, let word = try? ahead.next()?.expanded(with: variables),
      flags.contains(word.string.lowercased())
    {
      words.append(word)
      lexer = ahead
    }
    if count > 0 {
      var binder = Binder(
        spec: spec, arguments: arguments, words: words, end: arguments.nameRange.upperBound)
      arguments = try binder.bind()
    }
    let (text, start) = lexer.remainder
    guard !text.isEmpty, !text.hasPrefix("#") else {
      if parameter.fallback != .required {
        return Invocation(spec: spec, arguments: arguments, command: nil)
      }
      throw CommandError(
        .missingArgument, "\(spec.name) needs \(parameter.syntax)", hint: "type: \(spec.syntax)",
        range: arguments.nameRange)
    }
    let source = SourceText(
      zip(text, start...).map { SourceCharacter($0, at: $1..<$1 + 1) },
      range: start..<start + text.count)
    arguments.add(.init(source: source, value: .text(text)), for: parameter.name)
    return Invocation(spec: spec, arguments: arguments, command: (text, start))
  }

  // MARK: - The command's name

  /// Reads one or two words that name a command.
  private func commandName(
    _ lexer: inout Lexer
  ) throws(CommandError) -> (CommandSpec, Range<Int>)? {
    guard let first = try lexer.next()?.expanded(with: variables) else { return nil }
    let word = first.string.lowercased()
    let seconds = secondWords(after: word)
    guard !seconds.isEmpty else {
      guard let spec = specs[word] else { throw unknown(first) }
      return (spec, first.range)
    }
    var ahead = lexer
    let second = try? ahead.next()?.expanded(with: variables)
    if let second, let spec = specs["\(word) \(second.string.lowercased())"] {
      lexer = ahead
      return (spec, first.range.lowerBound..<second.range.upperBound)
    }
    if let spec = specs[word] { return (spec, first.range) }
    guard let second else {
      throw CommandError(
        .missingArgument, "\(first.string) needs \(ParameterKind.alternatives(seconds)) after it",
        hint: "type: help \(word)", range: first.range)
    }
    throw unknownSecond(second, after: first.string)
  }

  /// The second words of the commands that begin with `word`.
  private func secondWords(after word: String) -> [String] {
    specs.keys.filter { $0.hasPrefix(word + " ") }.map { String($0.dropFirst(word.count + 1)) }
      .sorted()
  }

  private func unknownSecond(_ second: SourceText, after first: String) -> CommandError {
    let seconds = secondWords(after: first.lowercased())
    return CommandError(
      .unknownCommand,
      "\(first) needs \(ParameterKind.alternatives(seconds)) after it, found \"\(second.string)\"",
      hint: NearestNames.question(for: second.string, among: seconds) ?? "type: help \(first)",
      range: second.range)
  }

  private func unknown(_ word: SourceText) -> CommandError {
    let wanted = word.string
    var hint = NearestNames.question(
      for: wanted, among: Set(specs.keys.map { String($0.prefix { $0 != " " }) }).sorted())
    if hint == nil {
      let full = specs.keys.filter { $0.hasSuffix(" " + wanted.lowercased()) }.sorted()
      hint = full.isEmpty ? nil : "did you mean \"\(full[0])\"?"
    }
    return CommandError(
      .unknownCommand, "there is no command \"\(wanted)\"", hint: hint ?? "type: help",
      range: word.range)
  }
}
