import CommandLanguage
import Ledgers

/// How a session's commands were edited since it was recorded.
struct RecordEdits {
  private let edits: [CommandEdits.Edit]
  private let entries: [SessionFile.Entry]
  /// The index of the first command that is not as it was, or that stands behind a removed one.
  let place: Int
  /// The numbers of the commands that were changed or added.
  private let edited: Set<Int>
  /// The number of the first command behind one that changed a tensor in the record, and is gone.
  private let losesFrom: Int

  /// Compares the commands with those of a ledger; nil where none were edited, or none are known.
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

  /// Whether a ledger says nothing from this command on: it, or one before it that the record held,
  /// changes tensors otherwise.
  func endsLedger(at number: Int, changes: Bool) -> Bool {
    number >= losesFrom || (changes && edited.contains(number))
  }

  /// The places of the edits in words: `line 8 was edited`.
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

  /// What a replay says of the edits.
  func report(on report: ReplayReport, _ seen: Set<Int>) -> ReplayReport.Edits {
    let lines = entries.map(\.line)
    // Lines rise, and so do the commands that they belong to.
    var index = 0
    var differing: Set<Int> = []
    for line in report.differences.map(\.line).sorted() {
      while index + 1 < lines.count, lines[index + 1] <= line { index += 1 }
      differing.insert(index)
    }
    let below = entries.indices.filter { index in
      index >= place && seen.contains(lines[index]) && !entries[index].outputs.isEmpty
    }
    return ReplayReport.Edits(
      items: edits.map(item), above: differing.filter { $0 < place }.map { lines[$0] },
      changed: below.filter(differing.contains).map { lines[$0] },
      same: below.count { !differing.contains($0) })
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
  /// What was edited since a session was recorded, and what follows from it.
  package struct Edits: Sendable {
    /// A command that was changed, added or removed.
    struct Item: Hashable, Sendable {
      /// Its line, or that of the command behind it; nil where a command is gone from the end.
      let line: Int?
      /// The command as it was; nil for a new one.
      let before: String?
      /// The command as it is; nil for one that is gone.
      let after: String?
    }

    let items: [Item]
    /// The lines of commands above the first edit that differ all the same.
    let above: [Int]
    /// The lines of commands from the first edit on that say something else now.
    let changed: [Int]
    /// How many from there on say the same.
    let same: Int

    /// How many edits are listed.
    private static let most = 20

    /// The edits for a person.
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
      guard !changed.isEmpty else {
        return "what follows from it: nothing, \(same) below \(same == 1 ? "says" : "say") the same"
      }
      let isOne = changed.count == 1
      return "what follows from it: line\(isOne ? " " : "s ")\(LineRanges(changed)) "
        + "\(isOne ? "says" : "say") something else, \(same) below \(same == 1 ? "says" : "say") the same"
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
