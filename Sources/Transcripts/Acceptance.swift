import Ledgers

/// Takes what the last replay produced as the new record.
package enum Acceptance {
  /// Takes all of `NAME.new`; it and its pictures are gone afterwards.
  package static func acceptAll(_ paths: SessionPaths) throws(SessionError) {
    let new = try newRecord(paths)
    try PictureFiles.copy(
      pictures(in: new.entries.flatMap(\.outputs).map(\.text)), from: paths.newPictures,
      to: paths.pictures)
    try CurveFile(path: paths.newCurves).write(to: paths.curves)
    try LedgerFile.write(try newLedger(paths), to: paths.ledger)
    try new.rewritten(stamps: new.stamps).write(to: paths.file)
    PictureFiles.remove(paths.newLedger)
    PictureFiles.remove(paths.new)
    PictureFiles.remove(paths.newCurves)
    PictureFiles.remove(paths.newPictures)
  }

  /// Takes what `NAME.new` holds for some lines of the file.
  ///
  /// The line of a command takes all of its output. A line of output takes that line alone, when
  /// the command gave as many lines as recorded, and otherwise all of the command's output. The
  /// stamp stays; so does `NAME.new`, for more lines.
  package static func accept(
    _ paths: SessionPaths, lines: some Sequence<Int>
  ) throws(SessionError) {
    let session = try SessionFile(path: paths.file)
    let new = try newRecord(paths)
    let old = session.entries
    let entries = new.entries
    try requireSameCommands(session, new, paths)
    var outputs: [Int: [String]] = [:]
    var single: [Int: String] = [:]
    var numbers: Set<Int> = []
    for line in lines {
      let found = old.indices.first { index in
        old[index].line == line || old[index].outputs.contains { $0.line == line }
      }
      guard let found else {
        throw SessionError(
          paths.file, line: line, "holds neither a command nor recorded output")
      }
      numbers.insert(found + 1)
      let fresh = entries[found].outputs
      let index = old[found].outputs.firstIndex { $0.line == line }
      if let index, fresh.count == old[found].outputs.count {
        single[line] = fresh[index].text
      } else {
        outputs[old[found].line] = entries[found].text
      }
    }
    if let recorded = try LedgerFile.read(paths.ledger) {
      try LedgerFile.write(
        recorded.taking(numbers, from: try newLedger(paths)), to: paths.ledger)
    }
    let taken = outputs.values.flatMap { $0 } + single.values
    try PictureFiles.copy(pictures(in: taken), from: paths.newPictures, to: paths.pictures)
    var curves = CurveFile(path: paths.curves)
    curves.add(CurveFile(path: paths.newCurves))
    try curves.write(to: paths.curves)
    let stamps = session.isScript ? new.stamps : session.stamps
    try session.rewritten(stamps: stamps, outputs: outputs, lines: single)
      .write(to: paths.file)
  }

  /// Writes a tolerance behind every recorded number that the last replay gave otherwise.
  ///
  /// - Parameters:
  ///   - paths: The session's files.
  ///   - lines: The lines of output, or of commands for all of theirs; none for the whole file.
  /// - Returns: How many lines got tolerances, and the lines whose words, pictures or number of lines
  ///   differ, which stay as they are.
  /// - Throws: `SessionError` when a file cannot be read or written.
  package static func acceptWithTolerances(
    _ paths: SessionPaths, lines: [Int] = []
  ) throws(SessionError) -> (widened: Int, left: [Int]) {
    let session = try SessionFile(path: paths.file)
    let new = try newRecord(paths)
    try requireSameCommands(session, new, paths)
    var widened: [Int: String] = [:]
    var left: [Int] = []
    var numbers: Set<Int> = []
    for (index, (old, fresh)) in zip(session.entries, new.entries).enumerated() {
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
    // Numbers that may be off have tensors that are others.
    if let recorded = try LedgerFile.read(paths.ledger) {
      let fresh = try newLedger(paths)
      try LedgerFile.write(
        lines.isEmpty ? fresh : recorded.taking(numbers, from: fresh), to: paths.ledger)
    }
    try session.rewritten(stamps: session.stamps, lines: widened).write(to: paths.file)
    return (widened.count, left)
  }

  private static func requireSameCommands(
    _ session: SessionFile, _ new: SessionFile, _ paths: SessionPaths
  ) throws(SessionError) {
    guard session.entries.map(\.command) == new.entries.map(\.command) else {
      throw SessionError(
        paths.new, "has other commands than \(paths.file); replay the session again")
    }
  }

  private static func newRecord(_ paths: SessionPaths) throws(SessionError) -> SessionFile {
    guard PictureFiles.exists(paths.new) else {
      throw SessionError(paths.new, "is not there; run \"backflow replay \(paths.file)\" first")
    }
    return try SessionFile(path: paths.new)
  }

  /// The ledger of the last replay; an empty one if its commands changed no tensor.
  private static func newLedger(_ paths: SessionPaths) throws(SessionError) -> Ledger {
    try LedgerFile.read(paths.newLedger) ?? Ledger(place: [:])
  }

  private static func pictures(in lines: [String]) -> [String] {
    lines.compactMap(PictureLine.path(in:))
  }
}
