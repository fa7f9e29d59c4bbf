import CommandLanguage
import Foundation
import Ledgers

/// Makes the output of the last replay the new record.
///
/// Only output that was computed by exactly the commands of the session is taken: see
/// `AcceptanceCheck`.
package struct Acceptance {
  private let paths: SessionPaths
  private let session: SessionFile
  private let entries: [SessionFile.Entry]
  /// The session file `NAME.new` of the last replay.
  private let new: SessionFile
  private let newEntries: [SessionFile.Entry]
  private let check: AcceptanceCheck

  /// Reads a session and the files of its last replay.
  ///
  /// - Throws: `SessionError` when one of them is not there or cannot be read.
  package init(_ paths: SessionPaths) throws(SessionError) {
    self.paths = paths
    session = try SessionFile(path: paths.file)
    guard PictureFiles.exists(paths.new) else {
      throw SessionError(paths.new, "is not there; run \"backflow replay \(paths.file)\" first")
    }
    new = try SessionFile(path: paths.new)
    (entries, newEntries) = (session.entries, new.entries)
    try Tolerance.requireValid(entries, in: paths.file)
    check = AcceptanceCheck(entries, new)
  }

  /// Takes all of `NAME.new`; it and its pictures are gone afterwards.
  ///
  /// - Returns: The reasons why nothing was taken; nil when all was.
  package func acceptAll() throws(SessionError) -> AcceptanceRefusal? {
    if let refusal = check.refusal() { return refusal }
    let files = WholeFiles()
    try addPictures(in: newEntries.flatMap(\.outputs).map(\.text), to: files)
    try CurveFile(path: paths.newCurves).add(to: files, as: paths.curves)
    try LedgerFile.add(try newLedger(), to: files, as: paths.ledger)
    let outputs = Dictionary(zip(entries.map(\.line), newEntries.map(\.text))) { $1 }
    try add(to: files, stamps: ReplayNote.stripped(new.stamps), outputs: outputs)
    try PictureFiles.commit(files)
    for path in [paths.newLedger, paths.new, paths.newCurves, paths.newPictures] {
      PictureFiles.remove(path)
    }
    return nil
  }

  /// Takes the output in `NAME.new` for some lines of the file.
  ///
  /// The line of a command takes all of its output. A line of output takes that line alone, when
  /// the command gave as many lines as recorded, and otherwise all of the command's output. The
  /// stamp stays; so does `NAME.new`, for more lines.
  ///
  /// - Returns: The reasons why some of the lines were not taken; nil when all were.
  package func accept(lines: some Sequence<Int>) throws(SessionError) -> AcceptanceRefusal? {
    var outputs: [Int: [String]] = [:]
    var single: [Int: String] = [:]
    var numbers: Set<Int> = []
    var refused: [Int] = []
    for line in lines {
      let found = try index(of: line)
      guard check.refusal(of: [found]) == nil else {
        refused.append(found)
        continue
      }
      numbers.insert(found + 1)
      let fresh = newEntries[found].outputs
      let index = entries[found].outputs.firstIndex { $0.line == line }
      if let index, fresh.count == entries[found].outputs.count {
        single[line] = fresh[index].text
      } else {
        outputs[entries[found].line] = newEntries[found].text
      }
    }
    if !numbers.isEmpty {
      let files = WholeFiles()
      try addLedger(numbers, to: files)
      try addPictures(in: outputs.values.flatMap { $0 } + single.values, to: files)
      var curves = CurveFile(path: paths.curves)
      curves.add(CurveFile(path: paths.newCurves))
      try curves.add(to: files, as: paths.curves)
      let stamps = session.isScript ? ReplayNote.stripped(new.stamps) : session.stamps
      try commit(files, stamps: stamps, outputs: outputs, lines: single)
    }
    return refused.isEmpty ? nil : check.refusal(of: refused)
  }

  /// Writes a tolerance behind every recorded number that differs in the last replay.
  ///
  /// - Parameter lines: The lines of output, or of commands for all of their output; empty for the
  ///   whole file.
  /// - Returns: The number of lines that got tolerances; the lines whose words, pictures or number
  ///   of lines differ, which stay as they are; and the reasons why nothing was taken, else nil.
  /// - Throws: `SessionError` when a line is of no command, or a file cannot be read or written.
  package func acceptWithTolerances(
    lines: [Int] = []
  ) throws(SessionError) -> (widened: Int, left: [Int], refusal: AcceptanceRefusal?) {
    let chosen = try lines.map { line throws(SessionError) in try index(of: line) }
    if let refusal = check.refusal(of: lines.isEmpty ? nil : chosen) { return (0, [], refusal) }
    var widened: [Int: String] = [:]
    var left: [Int] = []
    var numbers: Set<Int> = []
    for (index, (old, fresh)) in zip(entries, newEntries).enumerated() {
      let isChosen = lines.isEmpty || lines.contains(old.line)
      guard old.outputs.count == fresh.outputs.count || old.outputs.isEmpty else {
        if isChosen { left.append(old.line) }
        continue
      }
      for (output, found) in zip(old.outputs, fresh.outputs)
      where output.text != found.text && (isChosen || lines.contains(output.line)) {
        let line = Tolerance.line(output.text, agreeingWith: found.text)
        if PictureLine.path(in: output.text) == nil, let line {
          if line != output.text { widened[output.line] = line }
          numbers.insert(index + 1)
        } else {
          left.append(output.line)
        }
      }
    }
    // Where numbers differ, so do the tensors, so the ledger is taken, too.
    let files = WholeFiles()
    if PictureFiles.exists(paths.ledger) {
      try addLedger(lines.isEmpty ? Set(entries.indices.map { $0 + 1 }) : numbers, to: files)
    }
    try commit(files, stamps: session.stamps, lines: widened)
    return (widened.count, left, nil)
  }

  // MARK: - Parts

  /// The index of the command that a line of the file belongs to.
  private func index(of line: Int) throws(SessionError) -> Int {
    let found = entries.indices.first { index in
      entries[index].line == line || entries[index].outputs.contains { $0.line == line }
    }
    guard let found else {
      throw SessionError(
        paths.file, line: line, "holds neither a command nor recorded output")
    }
    return found
  }

  /// Adds the ledger with the replay's entries of some commands.
  private func addLedger(_ numbers: Set<Int>, to files: WholeFiles) throws(SessionError) {
    let fresh = try newLedger()
    // A script without a ledger gets one; for other sessions, a missing ledger stays missing.
    let empty = session.isScript ? Ledger(place: fresh.place) : nil
    guard let recorded = try LedgerFile.read(paths.ledger) ?? empty else { return }
    let aligned = recorded.aligned(to: entries.map(\.command))
    try LedgerFile.add(aligned.taking(numbers, from: fresh), to: files, as: paths.ledger)
  }

  /// Writes the session with its other files, and its new state into `NAME.new`, so that more lines
  /// can be accepted.
  private func commit(
    _ files: WholeFiles, stamps: [Stamp], outputs: [Int: [String]] = [:],
    lines: [Int: String] = [:]
  ) throws(SessionError) {
    try add(to: files, stamps: stamps, outputs: outputs, lines: lines)
    let writer = session.rewritten(stamps: stamps, outputs: outputs, lines: lines)
    if var note = ReplayNote(new.stamps) {
      note.outputs = ReplayNote.fingerprint(ofOutputs: try SessionFile(text: writer.text).entries)
      try new.rewritten(stamps: ReplayNote.stripped(new.stamps) + note.stamps)
        .add(to: files, as: paths.new)
    }
    try PictureFiles.commit(files)
  }

  /// Adds the session, or the notebook, with other outputs.
  private func add(
    to files: WholeFiles, stamps: [Stamp], outputs: [Int: [String]] = [:],
    lines: [Int: String] = [:]
  ) throws(SessionError) {
    guard NotebookFile.isNotebook(paths.file) else {
      return try session.rewritten(stamps: stamps, outputs: outputs, lines: lines)
        .add(to: files, as: paths.file)
    }
    let notebook = try NotebookFile(path: paths.file).rewritten(
      stamps: stamps, outputs: outputs, lines: lines
    ) { name in
      guard PictureFiles.isOwn(paths.newPictures, name) else { return nil }
      return try? Data(
        contentsOf: URL(filePath: PictureFiles.path(paths.newPictures, name)))
    }
    try PictureFiles.reporting { () throws(WholeFiles.Failure) in
      try files.add(notebook, as: paths.file)
    }
  }

  /// The ledger of the last replay; an empty one if its commands changed no tensor.
  private func newLedger() throws(SessionError) -> Ledger {
    try LedgerFile.read(paths.newLedger) ?? Ledger(place: [:])
  }

  /// Adds the pictures that some lines name from those of the replay.
  private func addPictures(
    in lines: [String], to files: WholeFiles
  ) throws(SessionError) {
    // Several lines may name the same picture, which is one file.
    // A notebook holds its pictures itself.
    guard !NotebookFile.isNotebook(paths.file) else { return }
    for name in Set(lines.compactMap(PictureLine.path(in:))).sorted() {
      guard PictureFiles.isInside(name) else {
        throw SessionError(paths.new, "names \"\(name)\", which is no picture of the session")
      }
      try PictureFiles.requireUnlinked(paths.newPictures, name)
      try PictureFiles.add(
        PictureFiles.path(paths.newPictures, name), as: name, in: paths.pictures, to: files)
    }
  }
}
