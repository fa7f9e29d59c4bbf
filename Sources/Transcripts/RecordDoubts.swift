import CommandLanguage
import Ledgers

/// Finds recorded output that the session's commands did not compute, as far as its ledger tells.
struct RecordDoubts {
  /// The reasons for doubt, a sentence each.
  let sentences: [String]

  init(_ session: SessionFile, _ ledger: Ledger?) {
    let entries = session.entries
    guard let known = ledger?.commands else {
      let isRecorded = session.stamps.contains { $0.key == "backflow" }
      sentences =
        entries.isEmpty || isRecorded
        ? [] : ["the session was never recorded; replay and accept it: backflow replay FILE"]
      return
    }
    let commands = entries.map(\.command)
    let chains = RecordedCommand.all(of: commands)
    let stale = entries.indices.filter { index in
      !known.indices.contains(index) || known[index]?.chain != chains[index].chain
    }
    var sentences: [String] = []
    if let edits = RecordEdits(ledger, entries) {
      sentences.append("\(edits.places) after the session was recorded")
    }
    if !stale.isEmpty {
      let lines = stale.map { entries[$0].line }
      let (noun, verb) =
        lines.count == 1 ? ("the command of line", "has") : ("the commands of lines", "have")
      sentences.append(
        "\(noun) \(LineRanges(lines)) \(verb) no output, or one that was computed before; replay and "
          + "accept the session")
    }
    self.sentences = sentences
  }
}
