/// The arguments of a command, checked against its table entry.
///
/// An accessor throws when there is neither an argument nor a default; those ending in `IfGiven`
/// return nil then.
package struct Arguments: Sendable {
  /// An argument's place and value.
  package struct Argument: Hashable, Sendable {
    package let source: SourceText
    package let value: ArgumentValue
  }

  /// The command's table entry.
  package let spec: CommandSpec
  /// The whole line as typed.
  package let line: String
  /// The place of the command's name in the line.
  package let nameRange: Range<Int>
  private var given: [String: [Argument]] = [:]
  private let defaults: [String: Argument]

  package init(
    spec: CommandSpec, line: String, nameRange: Range<Int>
  ) throws(CommandError) {
    (self.spec, self.line, self.nameRange) = (spec, line, nameRange)
    var defaults: [String: Argument] = [:]
    for parameter in spec.parameters {
      guard case .value(let text) = parameter.fallback else { continue }
      let source = SourceText(text, at: nameRange)
      let value = try ValueParser(name: parameter.name).value(source, as: parameter.kind)
      defaults[parameter.name] = Argument(source: source, value: value)
    }
    self.defaults = defaults
  }

  mutating func add(_ argument: Argument, for name: String) {
    given[name, default: []].append(argument)
  }

  // MARK: - Presence

  /// Whether the argument was typed.
  package func has(_ name: String) -> Bool { given[name] != nil }

  /// Whether any argument was typed.
  package var sayAnything: Bool { !given.isEmpty }

  /// The first of `names` that was typed.
  package func first(of names: [String]) -> String? { names.first(where: has) }

  /// The place of an argument in the line, or of the command's name.
  package func range(of name: String) -> Range<Int> {
    guard let arguments = given[name], let first = arguments.first, let last = arguments.last
    else { return nameRange }
    let lower = first.source.range.lowerBound
    return lower..<max(lower, last.source.range.upperBound)
  }

  /// An error that points at an argument, or at one of its words.
  package func error(
    at name: String, index: Int? = nil, _ code: CommandError.Code, _ message: String,
    hint: String? = nil, status: ExitStatus = .commandFailed
  ) -> CommandError {
    let words = given[name] ?? []
    let word = index.flatMap { words.indices.contains($0) ? words[$0].source.range : nil }
    return CommandError(
      code, message, hint: hint, range: word ?? range(of: name), line: line, status: status)
  }

  /// The error `cause`, pointing at an argument or at one of its words.
  package func error(
    at name: String, index: Int? = nil, _ cause: CommandError, status: ExitStatus? = nil
  ) -> CommandError {
    error(
      at: name, index: index, cause.code, cause.message, hint: cause.hint,
      status: status ?? cause.status)
  }

  /// An error that points at the command's name.
  package func error(
    _ code: CommandError.Code, _ message: String, hint: String? = nil,
    status: ExitStatus = .commandFailed
  ) -> CommandError {
    CommandError(code, message, hint: hint, range: nameRange, line: line, status: status)
  }

  /// Runs `body`; an error of it that has no place points at one argument.
  package func blaming<Result>(
    _ name: String, _ body: () throws(CommandError) -> Result
  ) throws(CommandError) -> Result {
    do throws(CommandError) {
      return try body()
    } catch {
      guard error.range == nil else { throw error }
      throw self.error(at: name, error)
    }
  }

  // MARK: - Numbers

  /// A number with its unit; durations are in seconds, sizes in bytes, percent a fraction.
  package func number(_ name: String) throws(CommandError) -> Quantity {
    try required(name, numberIfGiven(name))
  }

  /// A number with its unit, if there is one.
  package func numberIfGiven(_ name: String) -> Quantity? {
    switch argument(name)?.value {
    case .quantity(let quantity): quantity
    case .integer(let integer): Quantity(Double(integer))
    default: nil
    }
  }

  /// A whole number, or the bytes of a size.
  package func integer(_ name: String) throws(CommandError) -> Int {
    try required(name, integerIfGiven(name))
  }

  /// A whole number, or the bytes of a size, if there is one.
  package func integerIfGiven(_ name: String) -> Int? {
    switch argument(name)?.value {
    case .integer(let integer): integer
    case .quantity(let quantity): Int(exactly: quantity.value.rounded())
    default: nil
    }
  }

  /// A range of numbers with its unit.
  package func interval(_ name: String) throws(CommandError) -> Interval {
    try required(name, intervalIfGiven(name))
  }

  /// A range of numbers, if there is one.
  package func intervalIfGiven(_ name: String) -> Interval? {
    if case .interval(let interval) = argument(name)?.value { interval } else { nil }
  }

  /// A range of whole numbers, both ends included, if there is one.
  package func integersIfGiven(_ name: String) -> ClosedRange<Int>? {
    if case .integers(let range) = argument(name)?.value { range } else { nil }
  }

  // MARK: - Words

  /// A choice in the spelling of the table.
  package func choice(_ name: String) throws(CommandError) -> String {
    try required(name, choiceIfGiven(name))
  }

  /// A choice, if there is one.
  package func choiceIfGiven(_ name: String) -> String? {
    if case .choice(let word) = argument(name)?.value { word } else { nil }
  }

  /// A choice as a value of an enumeration whose raw values are the table's words.
  package func choice<Value: RawRepresentable<String>>(
    _ name: String, as type: Value.Type
  ) throws(CommandError) -> Value {
    let word = try choice(name)
    guard let value = Value(rawValue: word) else {
      throw error(
        at: name, .wrongValue, "\(name): \"\(word)\" is not known here",
        hint: "type: help \(spec.name)")
    }
    return value
  }

  /// The word and number of a choice such as `range:255`.
  package func taggedChoice(
    _ name: String
  ) throws(CommandError) -> (word: String, number: Double?) {
    let choice = try choice(name)
    guard let colon = choice.firstIndex(of: ":") else { return (choice, nil) }
    return (String(choice[..<colon]), Double(choice[choice.index(after: colon)...]))
  }

  /// A yes or no.
  package func flag(_ name: String) throws(CommandError) -> Bool {
    try required(name, flagIfGiven(name))
  }

  /// A yes or no, if there is one.
  package func flagIfGiven(_ name: String) -> Bool? {
    if case .yesNo(let value) = argument(name)?.value { value } else { nil }
  }

  /// A path as typed; nothing is resolved.
  package func path(_ name: String) throws(CommandError) -> String { try text(name) }

  /// A path as typed, if there is one.
  package func pathIfGiven(_ name: String) -> String? { textIfGiven(name) }

  /// The text of any argument, variables replaced and quotes taken off.
  package func text(_ name: String) throws(CommandError) -> String {
    try required(name, textIfGiven(name))
  }

  /// The text of any argument, if there is one.
  package func textIfGiven(_ name: String) -> String? { argument(name)?.source.string }

  /// The text of an argument with the place of each of its characters.
  package func source(_ name: String) throws(CommandError) -> SourceText {
    try required(name, argument(name)?.source)
  }

  /// All words of a parameter that takes several; else its default, or none.
  package func words(_ name: String) -> [String] {
    (given[name] ?? defaults[name].map { [$0] } ?? []).map(\.source.string)
  }

  /// The values of a list; empty if there is none.
  package func list(_ name: String) -> [ArgumentValue] {
    if case .list(let values) = argument(name)?.value { values } else { [] }
  }

  /// The checked value of an argument or its default.
  package func value(_ name: String) -> ArgumentValue? { argument(name)?.value }

  // MARK: - Looking up

  private func argument(_ name: String) -> Argument? {
    given[name]?.first ?? defaults[name]
  }

  private func required<Value>(_ name: String, _ value: Value?) throws(CommandError) -> Value {
    guard let value else {
      let parameter = spec.parameter(named: name)
      throw error(
        .missingArgument, "\(spec.name) needs \(parameter?.syntax ?? name)",
        hint: "type: \(spec.syntax)")
    }
    return value
  }
}
