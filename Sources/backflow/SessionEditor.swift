import CommandLanguage
import Commands
import Ledgers
import Transcripts

/// Everything that an edit changes, so that `undo` brings it back.
struct EditedSession {
  let lines: SessionLines
  let recorder: Recorder
  let past: CommandRunner<Workspace>.Past
}

/// Changes one line of a session: what depends on it runs again, the rest keeps its results.
///
/// Where the change is one of the window, or of a line that only shows things, the lines that show things
/// run again, each in the state before it. Any other change runs the lines from there on again.
struct SessionEditor {
  private let runner: CommandRunner<Workspace>
  private let arguments: Arguments
  /// The lines as the edit makes them.
  private(set) var lines: SessionLines
  private let index: Int
  /// The commands before and after the edit.
  private let specs: [CommandSpec?]
  /// The number of the line.
  private let number: Int
  private var isReplacement = false

  /// Prepares an edit of `lines`.
  ///
  /// - Parameters:
  ///   - lines: The lines of the session.
  ///   - runner: Runs them.
  ///   - arguments: `line`, `how` and `command`.
  /// - Throws: `CommandError` when there is no such line.
  init(
    _ lines: SessionLines, _ runner: CommandRunner<Workspace>, _ arguments: Arguments
  ) throws(CommandError) {
    (self.lines, self.runner, self.arguments) = (lines, runner, arguments)
    number = try arguments.integer("line")
    guard let index = lines.index(of: number) else {
      throw arguments.error(
        at: "line", .unknownName, "the session has no command in line \(number)",
        hint: "'history' lists the lines with their numbers")
    }
    self.index = index
    let old = lines.items[index].spec
    let text = arguments.textIfGiven("command")
    let new = try text.flatMap { text throws(CommandError) in try runner.spec(of: text) }
    guard text == nil || new?.isRecorded == true else {
      throw arguments.error(
        at: "command", .wrongValue, "\(new?.name ?? "a comment") is not part of the record",
        hint: "give a command that changes or shows something")
    }
    switch (arguments.textIfGiven("how"), text) {
    case ("delete", nil):
      specs = [old]
      self.lines.remove(at: index)
    case ("delete", _?):
      throw arguments.error(
        at: "command", .surplusArgument, "delete takes no command", hint: "edit \(number) delete")
    case ("before", let text?):
      specs = [new]
      self.lines.insert(text, at: index, new)
    case ("before", nil):
      throw arguments.error(
        at: "how", .missingArgument, "before needs a command", hint: "edit \(number) before COMMAND"
      )
    default:
      specs = [old, new]
      isReplacement = true
      self.lines.replace(at: index, by: text ?? "", new)
    }
  }

  /// The command in the line before the edit, for the editor.
  static func text(of line: Int, in lines: SessionLines) -> String? {
    lines.index(of: line).flatMap { lines.items[$0].text }.map(ContinuedLine.joined)
  }

  /// Runs what depends on the edit.
  ///
  /// - Returns: The record of the edited session, and what ran again, in order.
  /// - Throws: `CommandError` when a line fails; then all is as before.
  mutating func run() throws(CommandError) -> (recorder: Recorder, ran: [Execution]) {
    var fresh: [Int: (Execution, Trace)] = [:]
    var ran: [Execution] = []
    let runner = runner
    func take(_ execution: Execution) {
      fresh[execution.line] = (execution, runner.workspace.takeTrace())
      ran.append(execution)
    }
    if let looking = linesThatLook {
      let names = later.compactMap { item in item.spec.map { (item.line, $0.name) } }
      try runner.lookAgain(
        looking, names: Dictionary(names) { $1 }, prepare: { $0.files.rerun() },
        carry: { $0.takeLooks(from: $1) }, each: take)
    } else {
      let start = canBeginHere ? number : nil
      let again = lines.items.filter { $0.line >= start ?? .min }.compactMap(Self.line)
      try runner.runAgain(again, from: start, prepare: { $0.files.rerun() }, each: take)
    }
    return (lines.take(fresh), ran)
  }

  private static func line(_ item: SessionLines.Item) -> CommandRunner<Workspace>.Line? {
    item.recorded.map { .init(item.line, $0) }
  }

  // MARK: - What depends on the edit

  /// The items from the edited one on.
  private var later: ArraySlice<SessionLines.Item> { lines.items[index...] }

  /// Whether the lines from here on can run without those before; an `undo` reaches back.
  private var canBeginHere: Bool {
    runner.knowsMoment(before: number)
      && !later.contains { $0.spec == SessionCommand.undo.spec && $0.recorded != nil }
  }

  /// The lines to run again where the edit changes nothing but the window, or nothing at all; nil for
  /// other edits.
  private var linesThatLook: [CommandRunner<Workspace>.Line]? {
    guard isReplacement,
      specs.allSatisfy({ $0.map { $0.looksOnly || $0.recipe == .window } ?? false })
    else { return nil }
    let isOfWindow = specs.contains { $0?.recipe == .window }
    var found: [CommandRunner<Workspace>.Line] = []
    for item in later where item.recorded != nil {
      guard let spec = item.spec, !spec.reachesBack else { return nil }
      let depends =
        item.line == number || spec.readsResults || (spec.looksOnly && item.showsPictures)
        || (isOfWindow && spec.readsWindow)
      guard depends else { continue }
      guard let line = Self.line(item), runner.knowsMoment(before: item.line) else { return nil }
      found.append(line)
    }
    return found
  }
}
