package import CommandLanguage
package import Ledgers

/// Runs a session again and compares its output with the record.
///
/// Words must be equal. Numbers must be equal to the digit when the deciding keys of the stamp are;
/// otherwise they agree to one unit of the last written digit, and output after a training is not
/// comparable. A tolerance in the record, `31.20~0.05`, decides in both cases. Pictures are
/// compared by the fingerprint of their pixels, and the recorded picture file must have the one in
/// its line. Text in `<…>` may differ. Where there is a ledger, the tensors that each command
/// changed are compared with it, too: to the bit, where numbers must agree to the digit.
package struct Replayer {
  /// Runs the commands, as far as a line if one is given.
  package var player: SessionPlayer
  /// The session's files.
  package let paths: SessionPaths
  /// The folder into which the runner writes its pictures.
  package let outputFolder: String
  /// The stamps of this machine and build.
  package let stamps: [Stamp]
  package let pictures: PictureTools
  /// Whether `NAME.new` is written beside the session.
  package var writesNewRecord = true
  /// The values that were given from outside, such as `sigma=80HU`.
  package var lets: [String] = []
  /// A ledger from another machine to compare with in place of the session's own; nil for that.
  package var against: Ledger?
  /// Whether output after a training is compared on other machines, too, since trainings are short.
  package var comparesTrainings = false

  package init(
    paths: SessionPaths, outputFolder: String, stamps: [Stamp],
    pictures: PictureTools = .fingerprintsOnly, player: SessionPlayer = SessionPlayer()
  ) {
    (self.paths, self.outputFolder, self.stamps) = (paths, outputFolder, stamps)
    (self.pictures, self.player) = (pictures, player)
  }

  /// Replays the session file.
  ///
  /// - Parameters:
  ///   - runner: Runs the commands.
  ///   - note: Called with each note for the reader.
  ///   - trace: Returns the changes of the last command, for the ledger.
  ///   - watch: Called with each command after it ran.
  /// - Returns: The report.
  /// - Throws: `SessionError` when the session, its ledger or its new record fail.
  package func replay(
    on runner: any LineRunner, note: (_ text: String) -> Void = { _ in },
    trace: () -> Trace = { Trace() },
    watch: (Execution, Trace) -> Void = { _, _ in }
  ) throws(SessionError) -> ReplayReport {
    let session = try SessionFile(path: paths.file)
    let entries = session.entries
    try Tolerance.requireValid(entries, in: paths.file)
    let own = against == nil ? try LedgerFile.read(paths.ledger) : nil
    let edits = RecordEdits(own, entries)
    var checker = ReplayChecker(session: session, entries, edits: edits, replayer: self)
    var ledger = LedgerChecker(
      recorded: against ?? own?.aligned(to: entries.map(\.command)), here: Stamp.deciding(stamps),
      edits: edits)
    var usedBLAS = false
    let ending = player.play(session, on: runner, note: note) { entry, execution in
      let trace = trace()
      watch(execution, trace)
      if execution.spec?.isRecorded ?? true {
        usedBLAS = usedBLAS || trace.usedBLAS
        ledger.check(trace, number: checker.number(of: entry), entry)
      }
      return checker.check(entry, execution)
    }
    let reached = checker.finish(ending)
    ledger.conclude(&checker.report)
    checker.report.edits = edits?.report(on: checker.report, checker.seen)
    if writesNewRecord {
      try LedgerFile.write(
        ledger.produced(entries, reached, usedBLAS: usedBLAS), to: paths.newLedger)
      try writeNewRecord(session, checker, reached, usedBLAS: usedBLAS)
    }
    return checker.report
  }

  /// Writes the new output as `NAME.new`, with the pictures that the record does not have.
  private func writeNewRecord(
    _ session: SessionFile, _ checker: ReplayChecker, _ note: ReplayNote, usedBLAS: Bool
  ) throws(SessionError) {
    PictureFiles.remove(paths.newPictures)
    try PictureFiles.copy(checker.newPictures, from: outputFolder, to: paths.newPictures)
    var note = note
    note.lets = lets
    let found = stamps + checker.data.stamps
    let old = ReplayNote.stripped(session.stamps).filter { stamp in
      // The stamp of data that the replay no longer read is dropped.
      note.ending != nil || !stamp.isOfData || found.contains { $0.key == stamp.key }
    }
    let merged = Stamp.needed(Stamp.merged(old, found), usedBLAS: usedBLAS)
    try checker.newCurves.write(to: paths.newCurves)
    try session.rewritten(stamps: merged + note.stamps, outputs: checker.newOutputs)
      .write(to: paths.new)
  }
}
