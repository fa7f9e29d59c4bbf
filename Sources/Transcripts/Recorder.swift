package import CommandLanguage

/// Records commands and what came of them, as they happen.
package struct Recorder: Sendable {
  /// A line of the record.
  private enum Entry {
    case note(String)
    case command(String, outputs: [String])
    case failure(String, message: String)
  }

  private var entries: [Entry] = []
  private var data = Stamp.DataLog()
  private var curves = CurveFile()
  /// The paths below the output folder of all pictures that the record names.
  package private(set) var pictures: [String] = []

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
  /// exactly so again.
  package mutating func add(_ execution: Execution) {
    guard execution.spec?.isRecorded ?? true else { return }
    switch execution.result {
    case .success(let outcome):
      entries.append(
        .command(outcome.recordedCommand ?? execution.text, outputs: outcome.lines))
      pictures += outcome.pictures.map(\.path).filter { !pictures.contains($0) }
      for item in outcome.data { _ = data.add(item) }
      curves.add(
        outcome.curves, command: outcome.recordedCommand ?? execution.text, output: outcome.lines)
    case .failure(let error):
      // A "fails" that did not fail cannot stand after another, nor can an unfinished line end.
      guard execution.spec != SessionCommand.fails.spec, !ContinuedLine.goesOn(execution.text)
      else { return }
      entries.append(.failure(execution.text, message: error.summary))
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
    try writer(stamps: stamps, includingErrors: includingErrors).write(to: paths.file)
  }

  private func writer(stamps: [Stamp], includingErrors: Bool) -> SessionWriter {
    var writer = SessionWriter()
    writer.addHeader(stamps + data.stamps)
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
    return writer
  }
}
