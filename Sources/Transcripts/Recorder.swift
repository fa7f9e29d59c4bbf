package import CommandLanguage
package import Ledgers

/// Records commands and what came of them, as they happen.
package struct Recorder: Sendable {
  /// A line of the record.
  private enum Entry {
    case note(String)
    case command(String, outputs: [String])
    /// A failed command; one that changed something all the same is always written.
    case failure(String, message: String, hasEffect: Bool)
  }

  private var entries: [Entry] = []
  private var data = Stamp.DataLog()
  private var curves = CurveFile()
  /// What the commands changed, by the number of their entry.
  private var ledger = Ledger(place: [:])
  /// The paths below the output folder of all pictures that the record names.
  package private(set) var pictures: [String] = []
  private var known: Set<String> = []

  package init() {}

  /// Adds a line for the reader.
  package mutating func add(note line: String) {
    let text = VisibleText.visible(line)
    let isNote = text.isEmpty || (text.hasPrefix("#") && !text.hasPrefix("#@"))
    entries.append(.note(isNote ? text : "# \(text)"))
  }

  /// Adds a command, unless its kind is not recorded.
  ///
  /// A command that a person or a clock ended is written as its outcome says, so that it runs
  /// exactly so again. `trace` is what the command changed.
  package mutating func add(_ execution: Execution, _ trace: Trace = Trace()) {
    guard execution.spec?.isRecorded ?? true else { return }
    let command = execution.outcome?.recordedCommand ?? execution.text
    let change = ledger.add(trace, number: entries.count, command: command)
    switch execution.result {
    case .success(let outcome):
      entries.append(.command(command, outputs: outcome.lines))
      pictures += outcome.pictures.map(\.path).filter { known.insert($0).inserted }
      for item in outcome.data { _ = data.add(item) }
      curves.add(
        outcome.curves, command: outcome.recordedCommand ?? execution.text, output: outcome.lines)
    case .failure(let error):
      // A "fails" that did not fail cannot stand after another, nor can an unfinished line end.
      guard execution.spec != SessionCommand.fails.spec, !ContinuedLine.goesOn(execution.text)
      else { return }
      entries.append(
        .failure(execution.text, message: error.summary, hasEffect: change != nil))
    }
  }

  /// The session file's text.
  ///
  /// - Parameters:
  ///   - stamps: Facts about this place and time; those of the data that was read come after them.
  ///   - includingErrors: Whether failed commands are written, as `fails …`, or left out.
  /// - Returns: The text, with a line feed at its end.
  package func text(stamps: [Stamp], includingErrors: Bool = false) -> String {
    writer(stamps: stamps, includingErrors: includingErrors).text
  }

  /// Writes the session file and copies its pictures beside it.
  ///
  /// - Parameters:
  ///   - paths: The session's files.
  ///   - outputFolder: Where the pictures are.
  ///   - stamps: Facts about this place and time.
  ///   - includingErrors: Whether failed commands are written, as `fails …`, or left out.
  /// - Throws: `SessionError` when a file cannot be written.
  package func save(
    to paths: SessionPaths, picturesFrom outputFolder: String, stamps: [Stamp],
    includingErrors: Bool = false
  ) throws(SessionError) {
    try PictureFiles.copy(pictures, from: outputFolder, to: paths.pictures)
    try curves.write(to: paths.curves)
    try LedgerFile.write(
      savedLedger(stamps: stamps, includingErrors: includingErrors), to: paths.ledger)
    try writer(stamps: stamps, includingErrors: includingErrors).write(to: paths.file)
  }

  /// The ledger whose numbers are those of the commands in the saved file.
  private func savedLedger(stamps: [Stamp], includingErrors: Bool) -> Ledger {
    var count = 0
    let numbers = entries.map { entry -> Int? in
      switch entry {
      case .note: return nil
      case .failure(_, _, let hasEffect) where !hasEffect && !includingErrors: return nil
      case .command, .failure:
        count += 1
        return count
      }
    }
    return Ledger(place: Stamp.deciding(stamps), entries: ledger.entries) { numbers[$0] }
  }

  /// How many lines were recorded.
  var count: Int { entries.count }

  /// The beginning of the session file's text.
  func header(stamps: [Stamp]) -> String {
    var writer = SessionWriter()
    writer.addHeader(stamps + data.stamps)
    return writer.text
  }

  /// The text behind the header from a line of the record on.
  func text(from start: Int) -> String {
    var writer = SessionWriter()
    add(entries[start...], to: &writer, includingErrors: false)
    return writer.text
  }

  private func writer(stamps: [Stamp], includingErrors: Bool) -> SessionWriter {
    var writer = SessionWriter()
    writer.addHeader(stamps + data.stamps)
    add(entries[...], to: &writer, includingErrors: includingErrors)
    return writer
  }

  private func add(
    _ entries: ArraySlice<Entry>, to writer: inout SessionWriter, includingErrors: Bool
  ) {
    for entry in entries {
      switch entry {
      case .note(let line):
        writer.add(verbatim: line)
      case .command(let command, let outputs):
        writer.add(command: command)
        writer.add(outputs: outputs)
      case .failure(let command, let message, let hasEffect):
        guard includingErrors || hasEffect else { continue }
        writer.add(command: "fails \(command)")
        writer.add(outputs: ["failed: \(Escapes.inside(message))"])
      }
    }
  }
}
