import CommandLanguage
import Ledgers

/// Compares the tensors of one replay with a ledger, command by command.
struct LedgerChecker {
  private let recorded: Ledger?
  /// The stamps of this machine and build that decide about equal digits.
  private let here: [String: String]
  /// The tensors that the commands of this replay changed.
  private var left = Ledger(place: [:])
  private var parting: (entry: SessionFile.Entry, place: Parting)?
  /// Whether the ledger no longer applies to the commands that follow.
  private var isOver = false
  /// The number of compared commands, each of which changed a tensor here or in the record.
  private var compared = 0
  /// The differences of the commands from the recorded ones.
  private let edits: RecordEdits?

  /// Makes a checker; `recorded` has the numbers of the commands as they are now.
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

  /// Compares the tensors that one command changed.
  mutating func check(_ trace: Trace, number: Int, _ entry: SessionFile.Entry) {
    left.add(trace, number: number, command: entry.command)
    // As the ledger has it: without tensors that it knew already.
    let new = left.entry(number: number)
    guard let recorded, parting == nil, !isOver else { return }
    // A difference that follows from an edit is no fault.
    isOver = edits?.endsLedger(at: number, changes: new != nil) ?? false
    guard !isOver else { return }
    let old = recorded.entry(number: number)
    guard old != nil || new != nil else { return }
    // Behind its end, or from another command on, the ledger belongs to another session.
    guard old.map({ $0.command == entry.command }) ?? (number < recorded.lastNumber) else {
      isOver = true
      return
    }
    compared += 1
    let place = old.map { $0.parting(from: trace, new) } ?? new.map { Parting(onlyHere: $0) }
    if let place { parting = (entry, place) }
  }

  /// Whether tensors must be equal to the bit, since the ledger comes from an equal machine and
  /// build.
  private var mustBeEqual: Bool {
    guard let recorded, recorded.place["backflow"] != nil else { return false }
    return recorded.place.allSatisfy { here[$0.key] == $0.value }
  }

  /// Adds the result of the comparison to a report.
  func conclude(_ report: inout ReplayReport) {
    guard recorded != nil, compared > 0 else { return }
    guard let (entry, place) = parting else {
      report.ledgerLines = [
        "ledger: \(compared, "command") left every tensor as recorded"
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
