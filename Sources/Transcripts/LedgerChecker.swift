import CommandLanguage
import Ledgers

/// Compares the tensors of one replay with a ledger, command by command.
struct LedgerChecker {
  private let recorded: Ledger?
  /// Where the replay runs: the stamps that decide.
  private let here: [String: String]
  /// What this replay's commands left.
  private var left = Ledger(place: [:])
  private var parting: (entry: SessionFile.Entry, place: Parting)?
  /// Whether the ledger says nothing about what follows.
  private var isOver = false
  /// The commands that changed a tensor, here or in the record, and were compared.
  private var compared = 0
  /// How the commands differ from the recorded ones.
  private let edits: RecordEdits?

  /// `recorded` is under the numbers of the commands as they are now.
  init(recorded: Ledger?, here: [String: String], edits: RecordEdits?) {
    (self.recorded, self.here, self.edits) = (recorded, here, edits)
  }

  /// The ledger of this replay, with the commands that ran to their end.
  func produced(
    _ entries: [SessionFile.Entry], _ note: ReplayNote, usedBLAS: Bool
  ) -> Ledger {
    let place = Stamp.deciding(
      Stamp.needed(here.map { Stamp($0.key, $0.value) }, usedBLAS: usedBLAS))
    var ledger = Ledger(place: place, entries: left.entries) { $0 }
    ledger.commands = RecordedCommand.all(of: entries.prefix(note.ran).map(\.command))
    return ledger
  }

  /// Compares what one command left.
  mutating func check(_ trace: Trace, number: Int, _ entry: SessionFile.Entry) {
    let new = left.add(trace, number: number, command: entry.command)
    guard let recorded, parting == nil, !isOver else { return }
    // What an edit changed, and what follows from it, is no fault.
    isOver = edits?.endsLedger(at: number, changes: new != nil) ?? false
    guard !isOver else { return }
    let old = recorded.entry(number: number)
    guard old != nil || new != nil else { return }
    // Beyond its end, and from another command on, the ledger is of another session.
    guard old.map({ $0.command == entry.command }) ?? (number < recorded.lastNumber) else {
      isOver = true
      return
    }
    compared += 1
    let place = old.map { $0.parting(from: trace, new) } ?? new.map { Parting(onlyHere: $0) }
    if let place { parting = (entry, place) }
  }

  /// Whether tensors must be equal to the bit: the ledger comes from a place like this one.
  private var mustBeEqual: Bool {
    guard let recorded, recorded.place["backflow"] != nil else { return false }
    return recorded.place.allSatisfy { here[$0.key] == $0.value }
  }

  /// Adds what was found to a report.
  func conclude(_ report: inout ReplayReport) {
    guard recorded != nil, compared > 0 else { return }
    guard let (entry, place) = parting else {
      report.ledgerLines = [
        "ledger: \(compared) \(compared == 1 ? "command" : "commands") left every tensor as recorded"
      ]
      return
    }
    let difference = ReplayReport.Difference(
      line: entry.line, command: entry.command, expected: place.words.recorded,
      found: place.words.found, note: place.note, parting: place)
    guard mustBeEqual else {
      report.parting = difference
      return
    }
    report.differences.insert(difference, at: 0)
  }
}
