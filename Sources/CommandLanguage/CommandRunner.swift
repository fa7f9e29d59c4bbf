/// Runs command lines on a workspace.
///
/// It expands variables, finds the command in the table, checks its arguments, runs its body, and
/// keeps what later lines may ask for: variables, results, history.
package final class CommandRunner<Workspace>: LineRunner {
  /// The commands, which are the only registry.
  package let commands: [Command<Workspace>]
  /// The named things.
  package var workspace: Workspace
  /// The variables of `let`.
  package private(set) var variables: Variables
  /// The lines run so far.
  package private(set) var history: [(line: Int, text: String)] = []
  /// Writes the session, when something records one.
  package var saveSession: ((_ arguments: Arguments) throws -> Outcome)?
  /// Says how pictures are shown, when somebody sees them.
  package var describeTerminal: (() -> Outcome)?
  /// The lines of earlier sessions, for `history WORD`.
  package var earlierLines: [String] = []
  /// The ideas that help explains beside the commands.
  package let topics: [HelpTopic]

  private var results: [String: JSONValue] = [:]
  private let progress: @Sendable (ProgressUpdate) -> Void
  private let interruption: Interruption
  private let describe: (any Error) -> CommandError

  /// Makes a runner.
  ///
  /// - Parameters:
  ///   - commands: The table; the validator's rules hold for it.
  ///   - topics: The ideas that help explains.
  ///   - workspace: The named things at the start.
  ///   - overrides: Values from outside that replace those of `let`.
  ///   - progress: Shows how far a command is.
  ///   - interruption: Tells a command to stop.
  ///   - describe: Turns errors of other modules into errors of a command.
  package init(
    commands: [Command<Workspace>], topics: [HelpTopic] = [], workspace: Workspace,
    overrides: [String: String] = [:],
    progress: @escaping @Sendable (ProgressUpdate) -> Void = { _ in },
    interruption: Interruption = Interruption(),
    describe: @escaping (any Error) -> CommandError = { CommandError(.failed, "\($0)") }
  ) {
    self.commands = commands
    self.topics = topics
    self.workspace = workspace
    variables = Variables(overrides: overrides)
    self.progress = progress
    self.interruption = interruption
    self.describe = describe
  }

  /// Runs one command line; nil for a blank line or a comment.
  package func run(_ text: String, line: Int) -> Execution? {
    let start = ContinuousClock.now
    var spec: CommandSpec?
    let result: Result<Outcome, CommandError>
    do throws(CommandError) {
      guard let invocation = try parser.parse(text) else { return nil }
      spec = invocation.spec
      // However long it takes, somebody sees that it runs.
      progress(ProgressUpdate(invocation.spec.name))
      if invocation.spec.name != SessionCommand.history.spec.name { remember(text, line: line) }
      result = .success(try perform(invocation, line: line))
    } catch {
      if spec == nil { remember(text, line: line) }
      result = .failure(error)
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return Execution(line: line, text: text, spec: spec, seconds: seconds, result: result)
  }

  /// Keeps a line for `history`, unless it begins with a space.
  private func remember(_ text: String, line: Int) {
    if text.first != " " { history.append((line, text)) }
  }

  /// The values from outside that no `let` asked for.
  package var unusedOverrides: [String] {
    variables.overrides.keys.filter { variables[$0] == nil }.sorted()
  }

  /// Says what a line would do, without running it.
  ///
  /// - Parameter completer: Knows whether an unfinished word can become one.
  /// - Returns: What finds hints for the workspace as it is now.
  package func hinter(_ completer: Completer) -> Hinter {
    Hinter(parser: parser, completer: completer, describe: describe) { [self] invocation in
      let command = commands.first { $0.spec.name == invocation.spec.name }
      return try command?.preview?(invocation.arguments, workspace) ?? invocation.spec.summary
    }
  }

  // MARK: - One command

  private var specs: [CommandSpec] { commands.map(\.spec) }

  private var help: Help { Help(specs, topics: topics) }

  private var parser: Parser { Parser(specs, variables: variables) }

  /// Runs a command and remembers its result.
  private func perform(
    _ invocation: Invocation, line: Int
  ) throws(CommandError) -> Outcome {
    let spec = invocation.spec
    guard let command = commands.first(where: { $0.spec.name == spec.name }) else {
      throw CommandError(.unknownCommand, "there is no command \"\(spec.name)\"")
    }
    do {
      var outcome =
        switch command.action {
        case .workspace(let body):
          try body(invocation.arguments, &workspace, context(line: line))
        case .session(let command):
          try perform(command, invocation, line: line)
        }
      if !outcome.followUps.isEmpty { try follow(up: &outcome, line: line) }
      results[spec.name] = outcome.result
      results[String(spec.name.prefix { $0 != " " })] = outcome.result
      return outcome
    } catch {
      var failure = (error as? CommandError) ?? describe(error)
      failure.line = failure.line ?? invocation.arguments.line
      // What no argument is to blame for points at the command.
      failure.range = failure.range ?? invocation.arguments.nameRange
      throw failure
    }
  }

  /// Runs the lines that an outcome asks for; if one fails, all is as before.
  private func follow(up outcome: inout Outcome, line: Int) throws(CommandError) {
    let before = workspace
    do {
      for text in outcome.followUps {
        outcome.say(OutputLine("  \(text)"))
        guard let inner = try parser.parse(text) else { continue }
        outcome.append(try perform(inner, line: line))
      }
    } catch {
      workspace = before
      var failure = error
      // Its place is in a line that nobody typed.
      failure.range = nil
      throw failure
    }
    if let closing = outcome.closing { outcome.say(OutputLine(closing)) }
  }

  private func context(line: Int) -> CommandContext {
    CommandContext(
      line: line, variables: variables, results: results, progress: progress,
      interruption: interruption)
  }

  // MARK: - Commands without a workspace

  private func perform(
    _ command: SessionCommand, _ invocation: Invocation, line: Int
  ) throws -> Outcome {
    switch command {
    case .let: try assign(invocation.arguments)
    case .fails: try expectFailure(invocation, line: line)
    case .help: try help.outcome(for: invocation.arguments)
    case .apropos: try help.search(invocation.arguments)
    case .history: listHistory(invocation.arguments)
    case .quit: quit()
    case .saveSession: try save(invocation.arguments)
    case .terminal: describeTerminal?() ?? Outcome("no terminal: pictures are files only")
    }
  }

  /// Gives a variable its value; says nothing, so that a value from outside changes no record.
  private func assign(_ arguments: Arguments) throws(CommandError) -> Outcome {
    let name = try arguments.text("name")
    guard Variables.isName(name) else {
      throw arguments.error(
        at: "name", .wrongValue, "\"\(name)\" cannot name a variable",
        hint: "use letters, digits and _, a letter first")
    }
    var outcome = Outcome()
    switch (arguments.textIfGiven("value"), variables.overrides[name]) {
    case (_, let override?): variables.assign(name, override)
    case (let value?, nil): variables.assign(name, value)
    case (nil, nil):
      throw arguments.error(
        at: "name", .missingValue, "\(name) has no value",
        hint: "give it from outside with --let \(name)=VALUE, or type: let \(name) = VALUE",
        status: .wrongUsage)
    }
    outcome.result = ["name": .string(name), "value": .string(variables[name] ?? "")]
    return outcome
  }

  /// Runs a command that must fail.
  private func expectFailure(
    _ invocation: Invocation, line: Int
  ) throws(CommandError) -> Outcome {
    guard let (text, start) = invocation.command else {
      throw invocation.arguments.error(.missingArgument, "fails needs a command")
    }
    do throws(CommandError) {
      guard let inner = try parser.parse(text) else { throw Self.noCommand }
      guard inner.command == nil else { throw Self.noNesting }
      _ = try perform(inner, line: line)
    } catch {
      guard error != Self.noNesting else { throw error }
      return Outcome(
        "failed: \(error.summary)",
        result: ["code": .string(error.code.rawValue), "message": .string(error.message)])
    }
    throw CommandError(
      .notFailed, "the command did not fail", hint: "leave \"fails\" out if it should work",
      range: start..<start + text.count, line: invocation.arguments.line)
  }

  private static var noCommand: CommandError {
    CommandError(.missingArgument, "fails needs a command")
  }

  private static var noNesting: CommandError {
    CommandError(.syntax, "fails cannot run fails")
  }

  private func listHistory(_ arguments: Arguments) -> Outcome {
    let word = arguments.textIfGiven("word")?.lowercased()
    let found = history.filter { entry in
      word.map { entry.text.lowercased().contains($0) } ?? true
    }
    var outcome = Outcome()
    if let word {
      for line in earlierLines where line.lowercased().contains(word) {
        outcome.say(OutputLine("-  \(line)"))
      }
    }
    for entry in found {
      outcome.say("\(entry.line)  \(ContinuedLine.joined(entry.text))")
    }
    outcome.result = .list(found) {
      ["line": .integer($0.line), "command": .string(ContinuedLine.joined($0.text))]
    }
    return outcome
  }

  private func quit() -> Outcome {
    var outcome = Outcome()
    outcome.quits = true
    return outcome
  }

  private func save(_ arguments: Arguments) throws -> Outcome {
    guard let saveSession else {
      throw arguments.error(.state, "nothing is being recorded here")
    }
    return try saveSession(arguments)
  }
}
