import CommandLanguage
import Ledgers

/// The edits of a session's commands since it was recorded.
struct RecordEdits {
  private let edits: [CommandEdits.Edit]
  private let entries: [SessionFile.Entry]
  /// The index of the first command that was changed or added, or that follows a removed one.
  let place: Int
  /// The numbers of the commands that were changed or added.
  private let edited: Set<Int>
  /// The number of the first command from which the ledger lost entries, as their commands were
  /// removed; the largest integer if it lost none.
  private let losesFrom: Int

  /// Compares the commands with those of a ledger; nil if none were edited, or the ledger lists
  /// none.
  init?(_ ledger: Ledger?, _ entries: [SessionFile.Entry]) {
    let commands = entries.map(\.command)
    guard let ledger, let found = ledger.edits(to: commands), let first = found.edits.first else {
      return nil
    }
    (edits, self.entries, place) = (found.edits, entries, first.place)
    edited = Set(
      found.edits.compactMap { edit in
        switch edit {
        case .changed(let place, _), .added(let place): place + 1
        case .removed: nil
        }
      })
    let isLost = ledger.aligned(to: commands).entries.count < ledger.entries.count
    losesFrom = isLost ? first.place + 1 : .max
  }

  /// Whether the ledger no longer applies from this command on, since edits changed tensors.
  func endsLedger(at number: Int, changes: Bool) -> Bool {
    number >= losesFrom || (changes && edited.contains(number))
  }

  /// A phrase for the lines of the edits: `line 8 was edited`.
  var places: String {
    let lines = edits.map { edit in
      entries.indices.contains(edit.place) ? entries[edit.place].line : nil
    }
    let known = lines.compactMap(\.self)
    guard known.count == lines.count else {
      return "commands were edited, or removed from the end,"
    }
    return Set(known).count == 1
      ? "line \(LineRanges(known)) was edited" : "lines \(LineRanges(known)) were edited"
  }

  /// The edits, and the lines of output that differ because of them.
  func report(on report: ReplayReport, _ seen: Set<Int>) -> ReplayReport.Edits {
    let lines = entries.map(\.line)
    // Both lines and commands are in order, so one pass matches them.
    var index = 0
    var differing: Set<Int> = []
    for line in report.differences.map(\.line).sorted() {
      while index + 1 < lines.count, lines[index + 1] <= line { index += 1 }
      differing.insert(index)
    }
    let told = entries.indices.filter { $0 >= place && !entries[$0].outputs.isEmpty }
    let below = told.filter { seen.contains(lines[$0]) }
    return ReplayReport.Edits(
      items: edits.map(item), above: differing.filter { $0 < place }.map { lines[$0] },
      changed: below.filter(differing.contains).map { lines[$0] },
      same: below.count { !differing.contains($0) }, notRun: told.count - below.count)
  }

  private func item(_ edit: CommandEdits.Edit) -> ReplayReport.Edits.Item {
    func now(_ index: Int) -> (line: Int, command: String) {
      (entries[index].line, ContinuedLine.joined(entries[index].command))
    }
    switch edit {
    case .changed(let place, let former):
      return .init(
        line: now(place).line, before: ContinuedLine.joined(former), after: now(place).command)
    case .added(let place):
      return .init(line: now(place).line, before: nil, after: now(place).command)
    case .removed(let place, let former):
      let line = entries.indices.contains(place) ? entries[place].line : nil
      return .init(line: line, before: ContinuedLine.joined(former), after: nil)
    }
  }
}

extension ReplayReport {
  /// The edits since a session was recorded, and their consequences.
  package struct Edits: Sendable {
    /// A command that was changed, added or removed.
    struct Item: Hashable, Sendable {
      /// Its line, or that of the command behind it; nil for a command removed from the end.
      let line: Int?
      /// The former command; nil for an added one.
      let before: String?
      /// The present command; nil for a removed one.
      let after: String?
    }

    let items: [Item]
    /// The lines of commands above the first edit whose output differs, too.
    let above: [Int]
    /// The lines of commands from the first edit on whose output differs.
    let changed: [Int]
    /// The number of commands from the first edit on whose output is the same.
    let same: Int
    /// The number of commands from the first edit on that did not run, and whose output is recorded.
    let notRun: Int

    /// The largest number of edits in the list.
    private static let most = 20

    /// The edits as lines for a person.
    var lines: [String] {
      let shown = items.prefix(Self.most).map { "  \(Self.words($0))" }
      let more = items.count - shown.count
      return ["edited since it was recorded:"] + shown
        + (more > 0 ? ["  and \(more) more"] : []) + [consequence]
        + (above.isEmpty
          ? []
          : [
            "line\(above.count == 1 ? "" : "s") \(LineRanges(above)) above it: no edit explains that"
          ])
    }

    private var consequence: String {
      let rest = notRun > 0 ? ", \(notRun) did not run" : ""
      if changed.isEmpty, same == 0, notRun > 0 {
        return "what follows from it is not known: \(notRun) below did not run"
      }
      guard !changed.isEmpty else {
        return "what follows from it: nothing, \(same) below \(same == 1 ? "says" : "say") the same"
          + rest
      }
      let isOne = changed.count == 1
      return "what follows from it: line\(isOne ? " " : "s ")\(LineRanges(changed)) "
        + "\(isOne ? "says" : "say") something else, \(same) below \(same == 1 ? "says" : "say") the same"
        + rest
    }

    private static func words(_ item: Item) -> String {
      func cut(_ command: String) -> String {
        VisibleText.cut(VisibleText.visible(command), to: 60)
      }
      switch (item.before, item.after) {
      case (let before?, let after?):
        return "line \(item.line ?? 0): \(cut(before)) → \(cut(after))"
      case (let before?, nil):
        return (item.line.map { "before line \($0)" } ?? "at the end") + ", removed: \(cut(before))"
      case (nil, let after):
        return "line \(item.line ?? 0), added: \(cut(after ?? ""))"
      }
    }

    var json: JSONValue {
      .list(items) { item in
        [
          "line": item.line.map { .integer($0) } ?? .null,
          "before": item.before.map { .string($0) } ?? .null,
          "after": item.after.map { .string($0) } ?? .null,
        ]
      }
    }
  }
}
