/// A line of a session as an edit leaves it.
package struct DependentLine: Sendable {
  /// The number of the line, and the one that it had; nil for a new line.
  package let number: Int, former: Int?
  /// The command, which does exactly the work that is recorded.
  package let text: String
  package let spec: CommandSpec?
  /// Whether it must run, since the edit put it there.
  package let isNew: Bool
  /// The effect of the line whose place it takes; nil for none.
  package let replaced: SessionEffect?
  /// The files that it wrote when it ran.
  package let files: [String]

  package init(
    number: Int, former: Int?, text: String, spec: CommandSpec?, isNew: Bool,
    replaced: SessionEffect?, files: [String]
  ) {
    (self.number, self.former, self.text, self.spec) = (number, former, text, spec)
    (self.isNew, self.replaced, self.files) = (isNew, replaced, files)
  }
}

extension DependentLine {
  /// Whether it names files, which it may read.
  fileprivate var takesFiles: Bool {
    spec?.parameters.contains { parameter in
      switch parameter.kind {
      case .path: true
      case .list(let kind): kind == .path
      case .either(let kinds): kinds.contains(.path)
      default: false
      }
    } ?? true
  }
}

/// The rules by which lines of a kind of workspace depend on each other.
package struct PartRules<Workspace> {
  /// Prepares a former workspace for lines that run again; the second is the present one.
  package let prepare: (_ workspace: inout Workspace, _ present: Workspace) -> Void
  /// Prepares the workspace of a line that runs.
  package let begin: (_ workspace: inout Workspace) -> Void
  /// Whether a part is the same in two workspaces.
  package let isSame: (SessionPart, Workspace, Workspace) -> Bool
  /// Whether a line that changed `before` to `after` would find other things in a workspace, apart
  /// from the parts.
  package let readsOther:
    (DependentLine, _ workspace: Workspace, _ before: Workspace, _ after: Workspace) -> Bool
  /// Takes what a line changed that does not run again.
  package let keep:
    (DependentLine, _ workspace: inout Workspace, _ before: Workspace, _ after: Workspace) -> Void

  package init(
    prepare: @escaping (inout Workspace, Workspace) -> Void,
    begin: @escaping (inout Workspace) -> Void,
    isSame: @escaping (SessionPart, Workspace, Workspace) -> Bool,
    readsOther: @escaping (DependentLine, Workspace, Workspace, Workspace) -> Bool,
    keep: @escaping (DependentLine, inout Workspace, Workspace, Workspace) -> Void
  ) {
    (self.prepare, self.begin, self.isSame) = (prepare, begin, isSame)
    (self.readsOther, self.keep) = (readsOther, keep)
  }
}

extension CommandRunner {
  /// Runs the lines that an edit reaches, in order; the others keep what they gave.
  ///
  /// - Parameters:
  ///   - lines: The lines from the edited one on.
  ///   - start: The former number of the line in whose state they begin.
  ///   - changed: The parts that the line which the edit took away had changed.
  ///   - rules: The rules for the workspace.
  ///   - each: Takes each command that ran with its outcome, while the workspace is as after it.
  /// - Throws: The error of the first line that fails; then all is as before.
  package func runDependents(
    _ lines: [DependentLine], from start: Int, changed: Set<SessionPart>,
    _ rules: PartRules<Workspace>, each: (Execution) -> Void
  ) throws(CommandError) {
    let (present, outer, kept) = (moment(before: ""), undoLog, past)
    let former = lines.map { line in line.former.flatMap(moments.before) }
    restore(moments.before(start) ?? present)
    rules.prepare(&workspace, present.workspace)
    moments.removeAll(from: start)
    undoLog = outer.emptied
    defer {
      undoLog = outer
      history = kept.history
    }
    /// The parts in which the state is not the former one at the same line.
    var parts: Set<SessionPart> = []
    /// Whether a file may hold something else than before.
    var hasWritten = false
    func compare(_ changed: Set<SessionPart>, beside index: Int) {
      let next = former[index...].lazy.compactMap(\.self).first ?? present
      parts = parts.filter { !changed.contains($0) }.union(
        changed.filter { !rules.isSame($0, workspace, next.workspace) })
    }
    compare(changed, beside: 0)
    for (index, line) in lines.enumerated() {
      let after = former[(index + 1)...].lazy.compactMap(\.self).first ?? present
      if let before = former[index], !line.isNew, !(hasWritten && line.takesFiles),
        !depends(line, before, after, on: parts, rules)
      {
        keepMoment(before: line.text, line: line.number)
        rules.keep(line, &workspace, before.workspace, after.workspace)
        variables.take(from: after.variables, changedSince: before.variables)
        for key in line.spec.map({ Self.resultKeys($0.name) }) ?? [] {
          results[key] = after.results[key]
        }
        continue
      }
      rules.begin(&workspace)
      guard let execution = run(line.text, line: line.number) else { continue }
      if execution.error != nil, execution.error?.kept == nil || interruption.isRequested {
        restore(present)
        comeBack(to: kept)
        throw failure(of: execution, Line(line.number, line.text))
      }
      each(execution)
      let files = (execution.outcome ?? execution.error?.kept?.outcome)?.files ?? []
      hasWritten = hasWritten || files.contains { $0.fingerprint == nil }
      let effects = [execution.spec?.effect ?? .unknown, line.replaced].compactMap(\.self)
      compare(effects.reduce(into: []) { $0.formUnion($1.changes) }, beside: index + 1)
    }
  }

  /// Whether a line would read other values than it did.
  private func depends(
    _ line: DependentLine, _ before: UndoLog<Workspace>.Moment, _ after: UndoLog<Workspace>.Moment,
    on parts: Set<SessionPart>, _ rules: PartRules<Workspace>
  ) -> Bool {
    guard let spec = line.spec, !spec.effect.touches(parts) else { return true }
    let used = [variables, before.variables].map { variables in
      variables.values(line.text.contains).map { [$0.name, $0.value] }
    }
    if line.text.contains("$"), used[0] != used[1] { return true }
    if spec.readsResults, results != before.results { return true }
    return rules.readsOther(line, workspace, before.workspace, after.workspace)
  }
}
