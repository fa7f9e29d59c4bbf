/// Runs command lines on a workspace.
///
/// It expands variables, finds the command in the table, checks its arguments, runs its body, and
/// keeps variables, results and history for later lines.
package final class CommandRunner<Workspace>: LineRunner {
  /// The commands of the program, the only registry.
  package let commands: [Command<Workspace>]
  /// The state on which the commands work.
  package var workspace: Workspace
  /// The variables of `let`.
  package internal(set) var variables: Variables
  /// The lines run so far.
  package internal(set) var history: [(line: Int, text: String)] = []
  /// Changes a line of the session; nil when no session is recorded.
  package var editSession: ((_ arguments: Arguments) throws -> Outcome)?
  /// Whether the state before each line is kept, so that an edit need not begin at the first one.
  package var keepsMoments = false
  /// Writes the session in the form that the command asks for; nil when no session is recorded.
  package var keepSession: ((_ command: SessionCommand, _ arguments: Arguments) throws -> Outcome)?
  /// Describes how the terminal shows pictures; nil without a terminal.
  package var describeTerminal: (() -> Outcome)?
  /// The lines of earlier sessions, for `history WORD`.
  package var earlierLines: [String] = []
  /// The topics that help explains beside the commands.
  package let topics: [HelpTopic]
  /// Whether a program reads the results.
  package var wantsEverything = false

  /// The rules of `undo` for the workspace.
  package var undoRules: UndoRules<Workspace> {
    get { undoLog.rules }
    set { undoLog.rules = newValue }
  }
  /// Reads the lines of a session file, for `run`.
  package var readSession: ((_ arguments: Arguments) throws -> Outcome)?
  /// Replays a session file beside this session.
  package var replaySession: ((_ arguments: Arguments) throws -> Outcome)?

  /// Restricts a workspace for lines from a file, which may do less than a person; returns the
  /// function that ends that.
  package var enterScript: ((_ workspace: inout Workspace) -> (inout Workspace) -> Void)?

  /// The table by name, made once, since every line looks commands up.
  private let specsByName: [String: CommandSpec]
  var undoLog = UndoLog<Workspace>()
  /// The state before each line; empty unless lines can be edited.
  var moments = LineMoments<Workspace>()
  /// The depth of `run` within `run`, and the number of lines that they all ran.
  private var nesting = (depth: 0, lines: 0)
  var results: [String: JSONValue] = [:]
  private let progress: @Sendable (ProgressUpdate) -> Void
  let interruption: Interruption
  private let describe: (any Error) -> CommandError

  /// Makes a runner.
  ///
  /// - Parameters:
  ///   - commands: The table; the validator's rules hold for it.
  ///   - topics: The topics that help explains.
  ///   - workspace: The state at the start.
  ///   - overrides: Values from outside that replace those of `let`.
  ///   - progress: Shows the progress of a command.
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
    specsByName = Dictionary(
      commands.map { ($0.spec.name, $0.spec) }, uniquingKeysWith: { first, _ in first })
    self.topics = topics
    self.workspace = workspace
    variables = Variables(overrides: overrides)
    (self.progress, self.interruption, self.describe) = (progress, interruption, describe)
  }

  /// Runs one command line; nil for a blank line or a comment.
  package func run(_ text: String, line: Int) -> Execution? {
    let start = ContinuousClock.now
    var spec: CommandSpec?
    let result: Result<Outcome, CommandError>
    do throws(CommandError) {
      guard let invocation = try parser.parse(text) else { return nil }
      spec = invocation.spec
      // A first update shows at once that the command runs.
      progress(ProgressUpdate(invocation.spec.name))
      if invocation.spec.name != SessionCommand.history.spec.name { remember(text, line: line) }
      nesting = (0, 0)
      if invocation.spec.isRecorded { keepMoment(before: text, line: line) }
      result = .success(try performUndoably(invocation, text, line: line))
    } catch {
      if spec == nil { remember(text, line: line) }
      result = .failure(error.shortened)
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return Execution(line: line, text: text, spec: spec, seconds: seconds, result: result)
  }

  /// Runs a command that `undo` can take back; one that fails changes nothing, except for the work
  /// that its error keeps.
  private func performUndoably(
    _ invocation: Invocation, _ text: String, line: Int
  ) throws(CommandError) -> Outcome {
    let before = moment(before: text)
    do throws(CommandError) {
      let outcome = try perform(invocation, line: line)
      if Self.canBeUndone(invocation.spec), outcome.plays.isEmpty, outcome.proposals.isEmpty {
        undoLog.add(before, present: workspace)
      }
      return outcome
    } catch {
      if error.kept != nil {
        undoLog.add(before, present: workspace)
      } else {
        restore(before)
      }
      throw error
    }
  }

  /// Whether `undo` takes back a successful command: not one that changes nothing, such as `fails`,
  /// with which a failure is recorded.
  private static func canBeUndone(_ spec: CommandSpec) -> Bool {
    if spec == SessionCommand.edit.spec { return true }
    return spec.isRecorded && spec != SessionCommand.undo.spec && spec != SessionCommand.fails.spec
  }

  /// The present state of everything that a command line can change.
  func moment(before text: String) -> UndoLog<Workspace>.Moment {
    UndoLog.Moment(command: text, workspace: workspace, variables: variables, results: results)
  }

  /// Restores a former state.
  func restore(_ moment: UndoLog<Workspace>.Moment) {
    (workspace, variables, results) = (moment.workspace, moment.variables, moment.results)
  }

  /// Keeps a line for `history`, unless it begins with a space.
  private func remember(_ text: String, line: Int) {
    if text.first != " " { history.append((line, text)) }
  }

  /// The values from outside whose variables no `let` assigned.
  package var unusedOverrides: [String] {
    variables.overrides.keys.filter { variables[$0] == nil }.sorted()
  }

  /// A hinter for the present workspace, which says what a line would do without running it.
  ///
  /// - Parameter completer: Knows whether an unfinished word can become a valid one.
  /// - Returns: The hinter.
  package func hinter(_ completer: Completer) -> Hinter {
    Hinter(parser: parser, completer: completer, describe: describe) { [self] invocation in
      let command = commands.first { $0.spec.name == invocation.spec.name }
      return try command?.preview?(invocation.arguments, workspace) ?? invocation.spec.summary
    }
  }

  // MARK: - One command

  private var specs: [CommandSpec] { commands.map(\.spec) }

  private var help: Help { Help(specs, topics: topics) }

  var parser: Parser { Parser(specs: specsByName, variables: variables) }

  /// Runs a command and remembers its result.
  func perform(
    _ invocation: Invocation, line: Int
  ) throws(CommandError) -> Outcome {
    let spec = invocation.spec
    guard let command = commands.first(where: { $0.spec.name == spec.name }) else {
      throw CommandError(
        .unknownCommand, "there is no command \"\(spec.name)\"", hint: "type: help")
    }
    let depth = nesting.depth
    var leaveScript: ((inout Workspace) -> Void)?
    if spec == SessionCommand.run.spec {
      nesting.depth += 1
      leaveScript = enterScript?(&workspace)
    }
    defer {
      nesting.depth = depth
      leaveScript?(&workspace)
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
      outcome.hasTrained = outcome.hasTrained || spec.trains
      // A line of a transcript must not depend on a result that no transcript holds.
      if spec.isRecorded {
        for key in Self.resultKeys(spec.name) { results[key] = outcome.result }
      }
      return outcome
    } catch {
      var failure = (error as? CommandError) ?? describe(error)
      failure.line = failure.line ?? invocation.arguments.line
      failure.hint = failure.hint ?? "'help \(spec.name)' says what it takes, with examples"
      // An error that no argument caused points at the command.
      failure.range = failure.range ?? invocation.arguments.nameRange
      throw failure
    }
  }

  /// Runs the lines that an outcome asks for; if one fails, nothing changes.
  private func follow(up outcome: inout Outcome, line: Int) throws(CommandError) {
    let before = moment(before: "")
    let outer = undoLog
    // An undo among the lines takes back one of them, never an earlier command.
    undoLog = outer.within
    defer { undoLog = outer }
    do throws(CommandError) {
      for text in outcome.followUps {
        guard let inner = try parser.parse(text) else {
          // Comments between the commands of a lesson are shown to the reader.
          outcome.say(OutputLine(text.isEmpty ? "" : "  \(text)"))
          continue
        }
        for row in text.split(separator: "\n") { outcome.say("  \(String(row))") }
        let said = try performUndoably(inner, text, line: line)
        outcome.append(said)
        if said.wasInterrupted || interruption.isRequested {
          throw CommandError.interrupted
        }
        if said.quits { break }
      }
    } catch {
      restore(before)
      var failure = error
      // The range is in a line that the person did not type.
      failure.range = nil
      failure.kept = nil
      throw failure
    }
    if let closing = outcome.closing { outcome.say(OutputLine(closing)) }
  }

  /// The names under which `expect` finds the result of a command.
  static func resultKeys(_ name: String) -> [String] {
    [name, String(name.prefix { $0 != " " })]
  }

  private func context(line: Int) -> CommandContext {
    CommandContext(
      line: line, variables: variables, results: results, progress: progress,
      interruption: interruption, wantsEverything: wantsEverything)
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
    case .edit where nesting.depth > 0:
      throw invocation.arguments.error(
        .state, "a file that runs here cannot edit this session", hint: "type it at the prompt")
    case .edit: try ask(editSession, invocation.arguments)
    case .history: listHistory(invocation.arguments)
    case .quit, .exit: quit()
    case .saveSession, .exportSession, .packSession: try keep(command, invocation.arguments)
    case .undo: try undo(invocation.arguments)
    case .run: try run(invocation.arguments)
    case .replay: try ask(replaySession, invocation.arguments)
    case .terminal: describeTerminal?() ?? Outcome("no terminal: pictures are files only")
    }
  }

  /// Gives a variable its value; prints nothing, so that a value from outside changes no record.
  private func assign(_ arguments: Arguments) throws(CommandError) -> Outcome {
    let name = try arguments.text("name")
    guard Variables.isName(name) else {
      throw arguments.error(
        at: "name", .wrongValue, "\"\(name)\" cannot name a variable",
        hint: "use letters, digits and _, a letter first")
    }
    var outcome = Outcome()
    switch (arguments.textIfGiven("value"), variables.overrides[name]) {
    case (_, let override?):
      variables.assign(name, try shortEnough(override, of: name, arguments))
      outcome.recordedCommand = "let \(name) = \(Quoting.quoted(override))"
    case (let value?, nil): variables.assign(name, try shortEnough(value, of: name, arguments))
    case (nil, nil) where nesting.depth > 0 && variables[name] != nil:
      // A file that `run` reads keeps a value that was given before.
      break
    case (nil, nil):
      throw arguments.error(
        at: "name", .missingValue, "\(name) has no value",
        hint: "give it from outside with --let \(name)=VALUE, or type: let \(name) = VALUE",
        status: .wrongUsage)
    }
    outcome.result = ["name": .string(name), "value": .string(variables[name] ?? "")]
    return outcome
  }

  /// Returns the value of a variable.
  ///
  /// - Throws: `CommandError` when it is longer than a value may be.
  private func shortEnough(
    _ value: String, of name: String, _ arguments: Arguments
  ) throws(CommandError) -> String {
    guard value.count <= Variables.longestValue else {
      throw arguments.error(
        at: arguments.has("value") ? "value" : "name", .limit,
        "\(name) would have \(value.count) characters, more than \(Variables.longestValue)",
        hint: "give it a shorter text, or keep the long one in a file")
    }
    return value
  }

  /// Runs a command that must fail; if it does not, the state is restored.
  private func expectFailure(
    _ invocation: Invocation, line: Int
  ) throws(CommandError) -> Outcome {
    guard let (text, start) = invocation.command else {
      throw Self.noCommand
    }
    let before = moment(before: invocation.arguments.line)
    let undoable = undoLog
    var trains = false
    do throws(CommandError) {
      guard let inner = try parser.parse(text) else { throw Self.noCommand }
      guard inner.command == nil, inner.spec != SessionCommand.edit.spec else {
        throw Self.noNesting
      }
      trains = inner.spec.trains
      _ = try perform(inner, line: line)
    } catch {
      guard error != Self.noNesting else { throw error }
      if error.kept != nil {
        undoLog.add(before, present: workspace)
      } else {
        restore(before)
      }
      var outcome = Outcome(
        "failed: \(error.summary)",
        result: ["code": .string(error.code.rawValue), "message": .string(error.message)])
      outcome.hasTrained = trains && error.kept != nil
      return outcome
    }
    restore(before)
    undoLog = undoable
    throw CommandError(
      .notFailed, "the command did not fail", hint: "leave \"fails\" out if it should work",
      range: start..<start + text.count, line: invocation.arguments.line)
  }

  private static var noCommand: CommandError {
    CommandError(.missingArgument, "fails needs a command", hint: "for example fails let 1x = 2")
  }

  private static var noNesting: CommandError {
    CommandError(.syntax, "fails cannot run fails or edit", hint: "write fails once")
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

  private func keep(_ command: SessionCommand, _ arguments: Arguments) throws -> Outcome {
    guard let keepSession else {
      throw arguments.error(
        .state, "nothing is being recorded here", hint: "type it at the prompt")
    }
    return try keepSession(command, arguments)
  }

  private func ask(
    _ provider: ((_ arguments: Arguments) throws -> Outcome)?, _ arguments: Arguments
  ) throws -> Outcome {
    guard let provider else {
      throw arguments.error(
        .state, "\(arguments.spec.name) has no place here", hint: "type it at the prompt")
    }
    return try provider(arguments)
  }

  /// Takes back the last command that is recorded.
  private func undo(_ arguments: Arguments) throws(CommandError) -> Outcome {
    guard let moment = undoLog.takeLast() else {
      throw arguments.error(
        .state, "there is nothing to take back",
        hint: "the last \(UndoLog<Workspace>.capacity) commands can be")
    }
    let current = workspace
    restore(moment)
    undoRules.carry(&workspace, current)
    let command = ContinuedLine.joined(moment.command)
    return Outcome(OutputLine("undone  \(command)"), result: ["command": .string(command)])
  }

  /// Reads a file whose lines `follow(up:)` then runs as if they had been typed.
  private func run(_ arguments: Arguments) throws -> Outcome {
    guard nesting.depth <= Self.deepestRun else {
      throw arguments.error(
        .limit, "run stands in run more than \(Self.deepestRun) times",
        hint: "does the file run itself?")
    }
    let outcome = try ask(readSession, arguments)
    nesting.lines += outcome.followUps.count
    guard nesting.lines <= Self.mostRunLines else {
      throw arguments.error(
        .limit, "the files have more than \(Self.mostRunLines) lines together",
        hint: "run them one by one")
    }
    return outcome
  }

  private static var deepestRun: Int { 8 }
  private static var mostRunLines: Int { 10_000 }
}
