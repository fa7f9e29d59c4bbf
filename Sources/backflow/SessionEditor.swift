import CommandLanguage
import Commands
import Ledgers
import Transcripts

/// Changes one line of a session: what depends on it runs again, the rest keeps its results.
///
/// The command table says what a line reads and changes. A training that runs again with the inputs of
/// a former one takes its result. Where the states before the lines are not known, or a line takes back
/// others, the lines run again from the first on.
struct SessionEditor {
  private let runner: CommandRunner<Workspace>
  private let arguments: Arguments
  /// The lines as the edit makes them.
  private(set) var lines: SessionLines
  private let index: Int
  /// The command that the edit takes away; nil for none.
  private let removed: CommandSpec?
  private let isReplacement: Bool
  /// The number of the line.
  private let number: Int

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
    self.lines.beginEdit()
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
      (removed, isReplacement) = (old, false)
      self.lines.remove(at: index)
    case ("delete", _?):
      throw arguments.error(
        at: "command", .surplusArgument, "delete takes no command", hint: "edit \(number) delete")
    case ("before", let text?):
      (removed, isReplacement) = (nil, false)
      self.lines.insert(text, at: index, new)
    case ("before", nil):
      throw arguments.error(
        at: "how", .missingArgument, "before needs a command", hint: "edit \(number) before COMMAND"
      )
    default:
      (removed, isReplacement) = (old, true)
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
    runner.workspace.reusePastTrainings(true)
    defer { runner.workspace.reusePastTrainings(false) }
    func take(_ execution: Execution) {
      fresh[execution.line] = (execution, runner.workspace.takeTrace())
      ran.append(execution)
    }
    // The files of the lines before.
    let files = lines.items[..<index].flatMap(\.files)
    if let dependents {
      let changed = isReplacement ? [] : removed.map { $0.effect.changes } ?? []
      try runner.runDependents(
        dependents, from: number, changed: changed, .session(keeping: files), each: take)
    } else {
      let start = canBeginHere ? number : nil
      let again = lines.items.filter { $0.line >= start ?? .min }.compactMap(Self.line)
      try runner.runAgain(
        again, from: start, prepare: { $0.files.rerun(keeping: start == nil ? [] : files) },
        each: take)
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

  /// The lines from the edited one on; nil where the state before one of them is not known.
  private var dependents: [DependentLine]? {
    guard canBeginHere else { return nil }
    var lines: [DependentLine] = []
    for item in later {
      guard let text = item.recorded else { continue }
      guard item.former.map(runner.knowsMoment) ?? true else { return nil }
      let isNew = item.line == number && (item.former == nil || isReplacement)
      lines.append(
        DependentLine(
          number: item.line, former: item.former ?? (isReplacement ? number : nil), text: text,
          spec: item.spec, isNew: isNew, replaced: isNew ? removed?.effect : nil,
          files: item.files))
    }
    return lines
  }
}

extension PartRules<Workspace> {
  /// The rules of a session; `files` are those of the lines before the first that may run again.
  fileprivate static func session(keeping files: [String]) -> PartRules {
    PartRules(
      prepare: { workspace, present in
        workspace.files = present.files
        workspace.files.rerun(keeping: files)
      }, begin: { $0.markTraced() },
      isSame: { part, workspace, other in workspace.isSame(part, as: other) },
      readsOther: { line, workspace, before, after in
        // A file that a line before has written by now may be refused to this one.
        workspace.files.haveWrittenAgain(line.files)
          || Workspace.namesDiffer(in: workspace, before: before, after: after)
      },
      keep: { line, workspace, before, after in
        workspace.take(line.spec?.effect.changes ?? [], from: after)
        workspace.takeNames(before: before, after: after, files: line.files)
      })
  }
}
