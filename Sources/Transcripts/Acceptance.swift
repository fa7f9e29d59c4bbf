/// Takes what the last replay produced as the new record.
package enum Acceptance {
  /// Takes all of `NAME.new`; it and its pictures are gone afterwards.
  package static func acceptAll(_ paths: SessionPaths) throws(SessionError) {
    let new = try newRecord(paths)
    try PictureFiles.copy(
      pictures(in: new.entries.flatMap(\.outputs).map(\.text)), from: paths.newPictures,
      to: paths.pictures)
    try CurveFile(path: paths.newCurves).write(to: paths.curves)
    try new.rewritten(stamps: new.stamps).write(to: paths.file)
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
    guard old.map(\.command) == entries.map(\.command) else {
      throw SessionError(
        paths.new, "has other commands than \(paths.file); replay the session again")
    }
    var outputs: [Int: [String]] = [:]
    var single: [Int: String] = [:]
    for line in lines {
      let found = old.indices.first { index in
        old[index].line == line || old[index].outputs.contains { $0.line == line }
      }
      guard let found else {
        throw SessionError(
          paths.file, line: line, "holds neither a command nor recorded output")
      }
      let fresh = entries[found].outputs
      let index = old[found].outputs.firstIndex { $0.line == line }
      if let index, fresh.count == old[found].outputs.count {
        single[line] = fresh[index].text
      } else {
        outputs[old[found].line] = entries[found].text
      }
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

  private static func newRecord(_ paths: SessionPaths) throws(SessionError) -> SessionFile {
    guard PictureFiles.exists(paths.new) else {
      throw SessionError(paths.new, "is not there; run \"backflow replay \(paths.file)\" first")
    }
    return try SessionFile(path: paths.new)
  }

  private static func pictures(in lines: [String]) -> [String] {
    lines.compactMap(PictureLine.path(in:))
  }
}
