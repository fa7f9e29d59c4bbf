package import CommandLanguage
package import Ledgers

/// Runs a session again and compares everything that comes back with the record.
///
/// Words must be equal. Numbers must be equal to the digit when the deciding keys of the stamp are;
/// otherwise they agree to one unit of the last written digit, and what follows a training is not
/// comparable. A tolerance in the record, `31.20~0.05`, decides in both cases. Pictures are
/// compared by the fingerprint of their pixels, and the recorded picture file must be what its line
/// says. What stands in `<…>` may differ. Where there is a ledger, the tensors that each command
/// left are compared with it, too: to the bit, where numbers must agree to the digit.
package struct Replayer {
  /// How far the session runs.
  package var player: SessionPlayer
  /// The session's files.
  package let paths: SessionPaths
  /// Where the runner writes its pictures.
  package let outputFolder: String
  /// The stamp of this place and time.
  package let stamps: [Stamp]
  package let pictures: PictureTools
  /// Whether `NAME.new` is written beside the session.
  package var writesNewRecord = true
  /// A ledger to compare with in place of the session's own, from another machine.
  package var against: Ledger?
  /// The commands after which numbers depend on the machine, by their first word.
  package var trainingCommands: Set<String> = ["train", "continue"]

  package init(
    paths: SessionPaths, outputFolder: String, stamps: [Stamp],
    pictures: PictureTools = .fingerprintsOnly, player: SessionPlayer = SessionPlayer()
  ) {
    self.paths = paths
    self.outputFolder = outputFolder
    self.stamps = stamps
    self.pictures = pictures
    self.player = player
  }

  /// Replays the session file.
  ///
  /// - Parameters:
  ///   - runner: Runs the commands.
  ///   - note: Hears of each line for the reader.
  ///   - trace: Says what the last command changed, for the ledger.
  ///   - watch: Sees each command after it ran.
  /// - Returns: What was found.
  /// - Throws: `SessionError` when the session, its ledger or its new record fail.
  package func replay(
    on runner: any LineRunner, note: (_ text: String) -> Void = { _ in },
    trace: () -> Trace = { Trace() },
    watch: (Execution, Trace) -> Void = { _, _ in }
  ) throws(SessionError) -> ReplayReport {
    let session = try SessionFile(path: paths.file)
    var checker = ReplayChecker(session: session, replayer: self)
    let own = against == nil ? try LedgerFile.read(paths.ledger) : nil
    var checkedLedger = LedgerChecker(recorded: against ?? own, here: Stamp.deciding(stamps))
    let numbers = Dictionary(
      session.entries.enumerated().map { ($1.line, $0 + 1) }
    ) { first, _ in first }
    let ending = player.play(session, on: runner, note: note) { entry, execution in
      let trace = trace()
      watch(execution, trace)
      if execution.spec?.isRecorded ?? true {
        checkedLedger.check(trace, number: numbers[entry.line] ?? 0, entry)
      }
      return checker.check(entry, execution)
    }
    checker.finish(ending)
    checkedLedger.conclude(&checker.report)
    if writesNewRecord {
      try writeNewRecord(session, checker)
      try LedgerFile.write(checkedLedger.produced, to: paths.newLedger)
    }
    return checker.report
  }

  /// Writes what came back as `NAME.new`, with the pictures that the record does not have.
  private func writeNewRecord(
    _ session: SessionFile, _ checker: ReplayChecker
  ) throws(SessionError) {
    PictureFiles.remove(paths.newPictures)
    try PictureFiles.copy(checker.newPictures, from: outputFolder, to: paths.newPictures)
    let merged = Stamp.merged(session.stamps, stamps + checker.data.stamps)
    try checker.newCurves.write(to: paths.newCurves)
    try session.rewritten(stamps: merged, outputs: checker.newOutputs).write(to: paths.new)
  }
}

/// Compares the commands of one replay with their record, one after the other.
private struct ReplayChecker {
  private let session: SessionFile
  private let replayer: Replayer
  var report = ReplayReport()
  /// What came back, by the line of the command.
  private(set) var newOutputs: [Int: [String]] = [:]
  /// Pictures whose pixels are not in the record.
  private(set) var newPictures: [String] = []
  /// The curves behind what came back.
  private(set) var newCurves = CurveFile()
  /// The data that was read.
  private(set) var data = Stamp.DataLog()
  private var seen: Set<Int> = []
  private var isAfterTraining = false
  /// The last line that names each picture.
  private let lastPictureLines: [String: Int]
  /// Whether pictures in color are drawn as they were.
  private let drawsAlike: Bool

  init(session: SessionFile, replayer: Replayer) {
    self.session = session
    self.replayer = replayer
    report.toTheDigit = Stamp.mustAgreeToTheDigit(
      record: session.stamps, here: replayer.stamps)
    lastPictureLines = Dictionary(
      session.entries.flatMap(\.outputs).compactMap { output in
        PictureLine.path(in: output.text).map { ($0, output.line) }
      }
    ) { max($0, $1) }
    drawsAlike = Stamp.drawsAlike(record: session.stamps, here: replayer.stamps)
  }

  /// Compares one command; false when the replay must not go on.
  mutating func check(_ entry: SessionFile.Entry, _ execution: Execution) -> Bool {
    if let spec = execution.spec, !spec.isRecorded { return true }
    seen.insert(entry.line)
    switch execution.result {
    case .failure(let error):
      differ(entry, entry.line, entry.outputs.first?.text, "error: \(error.summary)")
      report.notChecked += max(0, entry.outputs.count - 1)
    case .success(let outcome):
      guard check(outcome.data, entry) else { return false }
      let name = execution.spec?.name.split(separator: " ").first.map(String.init) ?? ""
      isAfterTraining = isAfterTraining || replayer.trainingCommands.contains(name)
      check(outcome, entry)
      newCurves.add(
        outcome.curves, command: entry.command, output: newOutputs[entry.line] ?? [])
    }
    return true
  }

  /// Counts what was never reached, and keeps how the session ended.
  mutating func finish(_ ending: SessionPlayer.Ending) {
    report.ending = ending
    report.notChecked += session.strayOutputs.count
    for entry in session.entries where !seen.contains(entry.line) {
      report.notChecked += entry.outputs.count
    }
  }

  // MARK: - Data

  /// Compares the fingerprints of data with the stamp.
  private mutating func check(
    _ read: [Outcome.DataStamp], _ entry: SessionFile.Entry
  ) -> Bool {
    for item in read {
      let stamp = data.add(item)
      guard let recorded = session.stamps.last(where: { $0.key == stamp.key }) else { continue }
      if !recorded.namesSameData(as: stamp) {
        report.otherData = .init(
          line: entry.line, command: entry.command, expected: recorded.line, found: stamp.line,
          note: "the data is not the recorded one")
        report.notChecked += entry.outputs.count
        return false
      }
    }
    return true
  }

  // MARK: - Output

  private mutating func check(_ outcome: Outcome, _ entry: SessionFile.Entry) {
    newOutputs[entry.line] = outcome.lines
    if outcome.isFromCheckpoint {
      report.skipped.append(entry.line)
      report.notChecked += entry.outputs.count
      return
    }
    let produced = outcome.typedLines.filter { !$0.text.allSatisfy(\.isWhitespace) }
    guard !entry.outputs.isEmpty else {
      if !produced.isEmpty {
        report.notChecked += 1
        report.recorded += 1
      }
      newPictures += outcome.pictures.map(\.path)
      return
    }
    let pairs = OutputAlignment.pairs(entry.outputs.count, produced.count) { i, j in
      isLike(entry.outputs[i].text, produced[j])
    }
    var kept: [String: String] = [:]
    var lastLine = entry.line
    for (i, j) in pairs {
      let output = i.map { entry.outputs[$0] }
      lastLine = output?.line ?? lastLine
      guard let output, let j else {
        let text = j.map { produced[$0].text }
        if let j, case .picture(let picture) = produced[j] { newPictures.append(picture.path) }
        differ(entry, lastLine, output?.text, text)
        continue
      }
      if check(output, produced[j], entry), output.text.contains("~") {
        kept[produced[j].text] = output.text
      }
    }
    // A line that is within the tolerance written in the record stays as it is.
    newOutputs[entry.line] = outcome.lines.map { kept[$0] ?? $0 }
  }

  /// Whether two lines are the same but for their numbers or pixels.
  private func isLike(_ recorded: String, _ line: Outcome.TypedLine) -> Bool {
    switch line {
    case .fields(let fields):
      LineMatcher.match(recorded, fields, toTheDigit: report.toTheDigit) < .otherWords
    case .picture(let picture):
      PictureLine.fingerprint(in: recorded, of: picture) != nil
    }
  }

  /// Compares one line; true when it agrees.
  private mutating func check(
    _ recorded: SessionFile.Output, _ line: Outcome.TypedLine, _ entry: SessionFile.Entry
  ) -> Bool {
    switch line {
    case .picture(let picture):
      return check(recorded, picture, entry)
    case .fields(let fields):
      let match = LineMatcher.match(recorded.text, fields, toTheDigit: report.toTheDigit)
      switch match {
      case .equal: report.checked += 1
      case .tolerated: report.tolerated += 1
      case .otherNumbers where isAfterTraining && !report.toTheDigit: report.notComparable += 1
      case .otherNumbers, .outsideTolerance, .otherWords:
        differ(entry, recorded.line, recorded.text, line.text)
      }
      return match <= .tolerated
    }
  }

  /// Compares a picture by its pixels.
  private mutating func check(
    _ recorded: SessionFile.Output, _ picture: Picture, _ entry: SessionFile.Entry
  ) -> Bool {
    guard let fingerprint = PictureLine.fingerprint(in: recorded.text, of: picture) else {
      newPictures.append(picture.path)
      differ(entry, recorded.line, recorded.text, picture.line)
      return false
    }
    let file = PictureFiles.path(replayer.paths.pictures, picture.path)
    let isThere = PictureFiles.isInside(picture.path) && PictureFiles.exists(file)
    guard fingerprint != picture.fingerprint else {
      return checkFile(isThere ? file : nil, fingerprint, recorded, picture, entry)
    }
    newPictures.append(picture.path)
    let mustBeEqual = report.toTheDigit && (drawsAlike || !picture.isColored)
    let verdict =
      isThere
      ? replayer.pictures.compare(file, PictureFiles.path(replayer.outputFolder, picture.path))
      : .unknown
    var note: String?
    if case .differs(let text) = verdict { note = text }
    if !mustBeEqual && verdict == .agrees {
      report.tolerated += 1
      return true
    }
    if !report.toTheDigit && isAfterTraining {
      report.notComparable += 1
      return false
    }
    differ(entry, recorded.line, recorded.text, picture.line, note: note)
    return false
  }

  /// Checks that the recorded picture file holds the pixels that its line names.
  private mutating func checkFile(
    _ file: String?, _ fingerprint: String, _ recorded: SessionFile.Output, _ picture: Picture,
    _ entry: SessionFile.Entry
  ) -> Bool {
    // A file that a later line replaced holds that line's pixels.
    guard let file, lastPictureLines[picture.path] == recorded.line else {
      newPictures.append(picture.path)
      report.checked += 1
      return true
    }
    let found = replayer.pictures.fingerprint(file)
    let isUnknown = found == nil && replayer.pictures.knowsNoPixels
    guard isUnknown || found == fingerprint else {
      newPictures.append(picture.path)
      let what = found.map { "has other pixels, px:\($0)" } ?? "cannot be read"
      var note = "the recorded picture \(file) \(what)"
      let produced = PictureFiles.path(replayer.outputFolder, picture.path)
      if case .differs(let text) = replayer.pictures.compare(file, produced) { note += "; \(text)" }
      differ(entry, recorded.line, recorded.text, picture.line, note: note)
      return false
    }
    report.checked += 1
    return true
  }

  private mutating func differ(
    _ entry: SessionFile.Entry, _ line: Int, _ expected: String?, _ found: String?,
    note: String? = nil
  ) {
    report.differences.append(
      .init(line: line, command: entry.command, expected: expected, found: found, note: note))
  }
}
