package import CommandLanguage
package import Ledgers

/// Records commands with their output while a session runs.
package struct Recorder: Sendable {
  /// An entry of the record: a note, or a command with its output or error.
  private enum Entry {
    case note(String)
    case command(String, outputs: [String])
    case failure(String, message: String)
  }

  private var entries: [Entry] = []
  private var data = Stamp.DataLog()
  private var curves = CurveFile()
  /// The tensors that the commands changed, by the number of their entry.
  private var ledger = Ledger(place: [:])
  /// Whether a recorded command multiplied matrices by BLAS.
  private var usedBLAS = false
  /// The pictures that the record names, by their path; the last where several share it.
  private var pictures: [String: RecordedPicture] = [:]

  package init() {}

  /// Adds a note for the reader.
  package mutating func add(note line: String) {
    let text = String(VisibleText.visible(line).drop { $0 == " " })
    let isNote = text.isEmpty || (text.hasPrefix("#") && !text.hasPrefix("#@"))
    entries.append(.note(isNote ? text : "# \(text)"))
  }

  /// Adds a command, unless its kind is not recorded.
  ///
  /// A command that a person, a clock or a NaN stopped is recorded as one that repeats exactly the
  /// work done. `trace` holds the tensors that the command changed.
  ///
  /// - Returns: What it added to the ledger.
  @discardableResult
  package mutating func add(_ execution: Execution, _ trace: Trace = Trace()) -> Traced {
    var traced = Traced()
    record(execution) { recorder, command in
      traced.entry = recorder.ledger.add(trace, number: recorder.entries.count, command: command)
      traced.usedBLAS = trace.usedBLAS
      recorder.usedBLAS = recorder.usedBLAS || trace.usedBLAS
    }
    return traced
  }

  /// The tensors that a command changed, and whether it multiplied matrices by BLAS.
  package struct Traced: Sendable {
    var entry: LedgerEntry?
    var usedBLAS = false
  }

  /// Adds a command of an earlier record, with what it added to the ledger there.
  mutating func add(_ execution: Execution, traced: Traced) {
    record(execution) { recorder, _ in
      if let entry = traced.entry { recorder.ledger.add(entry, number: recorder.entries.count) }
      recorder.usedBLAS = recorder.usedBLAS || traced.usedBLAS
    }
  }

  private mutating func record(
    _ execution: Execution, trace: (_ recorder: inout Recorder, _ command: String) -> Void
  ) {
    guard execution.spec?.isRecorded ?? true, execution.outcome?.plays.isEmpty ?? true else {
      return
    }
    switch execution.result {
    case .success(let outcome):
      let command = outcome.recordedCommand ?? execution.text
      trace(&self, command)
      add(outcome, of: command)
    case .failure(let error):
      if let kept = error.kept {
        trace(&self, kept.command)
        return add(kept.outcome, of: kept.command)
      }
      // Three kinds of failures are left out: a "fails" cannot stand after another, an unfinished
      // line cannot end, and an interruption does not happen again in a replay.
      guard execution.spec != SessionCommand.fails.spec, error.status != .interrupted,
        !ContinuedLine.goesOn(execution.text)
      else { return }
      entries.append(.failure(execution.text, message: error.summary))
    }
  }

  /// Adds a command that did something, with its output.
  private mutating func add(_ outcome: Outcome, of command: String) {
    entries.append(.command(command, outputs: outcome.lines))
    for picture in outcome.pictures { pictures[picture.path] = picture }
    for item in outcome.data { _ = data.add(item) }
    curves.add(outcome.curves, command: command, output: outcome.lines)
  }

  /// Returns the session file's text.
  ///
  /// - Parameters:
  ///   - stamps: The stamps of this machine and build; those of the data come after them.
  ///   - includingErrors: Whether failed commands are written, as `fails …`, or left out.
  /// - Returns: The text, with a line feed at its end.
  package func text(stamps: [Stamp], includingErrors: Bool = false) -> String {
    writer(stamps: stamps, includingErrors: includingErrors).text
  }

  /// Writes the session file with its pictures, curves and ledger, all or nothing.
  ///
  /// - Parameters:
  ///   - paths: The session's files.
  ///   - outputFolder: The folder of the pictures.
  ///   - stamps: The stamps of this machine and build.
  ///   - includingErrors: Whether failed commands are written, as `fails …`, or left out.
  /// - Throws: `SessionError` when a file cannot be written.
  package func save(
    to paths: SessionPaths, picturesFrom outputFolder: String, stamps: [Stamp],
    includingErrors: Bool = false
  ) throws(SessionError) {
    try PictureFiles.commit(
      staged(
        as: paths, picturesFrom: outputFolder, stamps: stamps, includingErrors: includingErrors))
  }

  /// The session file with its pictures, curves and ledger, complete on the disk but not yet in
  /// place.
  ///
  /// Pictures of an older session at the same place that this one does not name are removed.
  /// Pictures outside the output folder stay where they are.
  package func staged(
    as paths: SessionPaths, picturesFrom outputFolder: String, stamps: [Stamp],
    includingErrors: Bool = false
  ) throws(SessionError) -> WholeFiles {
    let files = WholeFiles()
    for (name, picture) in pictures.sorted(by: { $0.key < $1.key })
    where PictureFiles.isInside(name) {
      let file = picture.place ?? PictureFiles.path(outputFolder, name)
      try PictureFiles.add(file, as: name, in: paths.pictures, to: files)
    }
    for old in paths.recordedPictures where pictures[old] == nil {
      files.remove(PictureFiles.path(paths.pictures, old))
    }
    try curves.add(to: files, as: paths.curves)
    try LedgerFile.add(
      savedLedger(stamps: stamps, includingErrors: includingErrors), to: files, as: paths.ledger)
    try writer(stamps: stamps, includingErrors: includingErrors).add(to: files, as: paths.file)
    return files
  }

  /// The ledger with the numbers of the commands in the saved file.
  private func savedLedger(stamps: [Stamp], includingErrors: Bool) -> Ledger {
    let writer = writer(stamps: stamps, includingErrors: includingErrors)
    var count = 0
    let numbers = entries.map { entry -> Int? in
      switch entry {
      case .note: return nil
      case .failure where !includingErrors: return nil
      case .command, .failure:
        count += 1
        return count
      }
    }
    let place = Stamp.deciding(Stamp.needed(stamps, usedBLAS: usedBLAS))
    var saved = Ledger(place: place, entries: ledger.entries) { numbers[$0] }
    saved.commands = RecordedCommand.all(of: writer.commands)
    return saved
  }

  /// The number of recorded entries.
  var count: Int { entries.count }

  /// The beginning of the session file's text.
  func header(stamps: [Stamp]) -> String {
    var writer = SessionWriter()
    writer.addHeader(Stamp.needed(stamps, usedBLAS: usedBLAS) + data.stamps)
    return writer.text
  }

  /// The text of the record from an entry on, without the header.
  func text(from start: Int) -> String {
    var writer = SessionWriter()
    add(entries[start...], to: &writer, includingErrors: false)
    return writer.text
  }

  private func writer(stamps: [Stamp], includingErrors: Bool) -> SessionWriter {
    var writer = SessionWriter()
    writer.addHeader(Stamp.needed(stamps, usedBLAS: usedBLAS) + data.stamps)
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
      case .failure(let command, let message):
        guard includingErrors else { continue }
        writer.add(command: "fails \(command)")
        writer.add(outputs: ["failed: \(Escapes.inside(message))"])
      }
    }
  }
}
