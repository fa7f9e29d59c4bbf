import CommandLanguage

/// Compares the output of a replay with the record, command by command.
struct ReplayChecker {
  private let session: SessionFile
  private let entries: [SessionFile.Entry]
  /// The index of each command by its line in the file.
  private let indices: [Int: Int]
  private let recorded: [Stamp]
  private let edits: RecordEdits?
  private let replayer: Replayer
  var report = ReplayReport()
  /// The output of this replay, by the line of the command.
  private(set) var newOutputs: [Int: [String]] = [:]
  /// Pictures whose pixels are not in the record.
  private(set) var newPictures: [String] = []
  /// The curves of this replay's results.
  private(set) var newCurves = CurveFile()
  /// The data that was read.
  private(set) var data = Stamp.DataLog()
  /// The lines of the commands that were compared.
  private(set) var seen: Set<Int> = []
  private var isAfterTraining = false
  /// The output of commands that is recorded together with that of the next one.
  private var held: [Outcome.TypedLine] = []
  /// The first command that did not run to its end, and the reason; nil if all did.
  private var broken: (index: Int, words: String)?
  /// The index of the command that ran last, and whether the session ended with it.
  private var last = (index: -1, quits: false)
  /// The last line that names each picture.
  private let lastPictureLines: [String: Int]
  /// Whether the drawing library is that of the record, so that colored pictures must be equal.
  private let drawsAlike: Bool

  init(
    session: SessionFile, _ entries: [SessionFile.Entry], edits: RecordEdits?, replayer: Replayer
  ) {
    (self.session, self.entries, self.edits, self.replayer) = (session, entries, edits, replayer)
    indices = Dictionary(entries.enumerated().map { ($1.line, $0) }) { first, _ in first }
    recorded = session.stamps
    report.toTheDigit = Stamp.mustAgreeToTheDigit(record: recorded, here: replayer.stamps)
    lastPictureLines = Dictionary(
      entries.lazy.flatMap(\.outputs).compactMap { output in
        PictureLine.path(in: output.text).map { ($0, output.line) }
      }
    ) { max($0, $1) }
    drawsAlike = Stamp.drawsAlike(record: recorded, here: replayer.stamps)
  }

  private func index(of entry: SessionFile.Entry) -> Int { indices[entry.line] ?? 0 }

  /// The number of a command within its session, from 1.
  func number(of entry: SessionFile.Entry) -> Int { index(of: entry) + 1 }

  /// Compares the output of one command; returns false when the replay must not go on.
  mutating func check(_ entry: SessionFile.Entry, _ execution: Execution) -> Bool {
    last = (index(of: entry), execution.outcome?.quits ?? false)
    if let error = execution.error, error.status != .interrupted {
      stop(at: entry, "failed in the replay: \(error.summary)")
    } else if execution.error != nil || execution.outcome?.wasInterrupted == true {
      stop(at: entry, "was interrupted in the replay")
    }
    // In a notebook, it may stand between the output of others.
    if let spec = execution.spec, !spec.isRecorded, held.isEmpty,
      !session.partial.contains(entry.line)
    {
      return true
    }
    seen.insert(entry.line)
    switch execution.result {
    case .failure(let error):
      differ(entry, entry.line, entry.outputs.first?.text, "error: \(error.summary)")
      report.notChecked += max(0, entry.outputs.count - 1)
    case .success(let outcome):
      guard check(outcome.data, entry) else {
        stop(at: entry, "read other data than recorded, which ended the replay")
        return false
      }
      isAfterTraining =
        isAfterTraining || (outcome.hasTrained && !replayer.comparesTrainings)
      if session.partial.contains(entry.line) {
        held += outcome.typedLines
        newOutputs[entry.line] = []
      } else {
        check(held + outcome.typedLines, of: outcome, entry)
        held = []
      }
      newCurves.add(
        outcome.curves, command: entry.command, output: newOutputs[entry.line] ?? [])
    }
    return true
  }

  /// Stores the first command that did not run to its end.
  private mutating func stop(at entry: SessionFile.Entry, _ words: String) {
    if broken == nil { broken = (index(of: entry), words) }
  }

  /// Counts the output that was not reached, and returns a note on how far the replay came.
  mutating func finish(_ ending: SessionPlayer.Ending) -> ReplayNote {
    report.ending = ending
    report.notChecked += session.strayOutputs.count
    for entry in entries where !seen.contains(entry.line) {
      report.notChecked += entry.outputs.count
    }
    var note = ReplayNote()
    note.outputs = ReplayNote.fingerprint(ofOutputs: entries)
    note.fromCheckpoint = report.skipped.compactMap { indices[$0].map { $0 + 1 } }
    switch ending {
    case .finished where !last.quits: note.ran = entries.count
    case .reachedLine:
      note.ran = entries.prefix { $0.line < replayer.player.stopLine ?? .max }.count
    default: note.ran = last.index + 1
    }
    note.ran = min(note.ran, broken?.index ?? .max)
    if note.ran < entries.count {
      note.ending =
        broken?.words
        ?? (last.quits
          ? "did not run, since the session quits above it"
          : "did not run, since the replay ended before it")
    }
    return note
  }

  // MARK: - Data

  /// Compares the fingerprints of data that a command read with the stamps; false if they differ.
  private mutating func check(
    _ read: [Outcome.DataStamp], _ entry: SessionFile.Entry
  ) -> Bool {
    for item in read {
      let stamp = data.add(item)
      guard let old = recorded.last(where: { $0.key == stamp.key }) else { continue }
      // An edited command, or one below it, may read other data.
      if let edits, edits.place <= index(of: entry) { continue }
      if !old.namesSameData(as: stamp) {
        report.otherData = .init(
          line: entry.line, command: entry.command, expected: old.line, found: stamp.line,
          note:
            "the data is not the recorded one; if it is meant, take the expected line out of the "
            + "file and replay it again")
        report.notChecked += entry.outputs.count
        return false
      }
    }
    return true
  }

  // MARK: - Output

  private mutating func check(
    _ lines: [Outcome.TypedLine], of outcome: Outcome, _ entry: SessionFile.Entry
  ) {
    newOutputs[entry.line] = lines.map(\.text)
    if outcome.isFromCheckpoint {
      report.skipped.append(entry.line)
      report.notChecked += entry.outputs.count
      return
    }
    let produced = lines.filter { !$0.text.allSatisfy(\.isWhitespace) }
    guard !entry.outputs.isEmpty else {
      if !produced.isEmpty {
        report.notChecked += 1
        report.recorded += 1
      }
      newPictures += lines.compactMap { line in
        if case .picture(let picture) = line { picture.path } else { nil }
      }
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
    // A line within its recorded tolerance stays as recorded.
    newOutputs[entry.line] = lines.map { kept[$0.text] ?? $0.text }
  }

  /// Whether two lines are the same except for their numbers or pixels.
  private func isLike(_ recorded: String, _ line: Outcome.TypedLine) -> Bool {
    switch line {
    case .fields(let fields):
      LineMatcher.match(recorded, fields, toTheDigit: report.toTheDigit) < .otherWords
    case .picture(let picture):
      PictureLine.fingerprint(in: recorded, of: picture) != nil
    }
  }

  /// Compares one line; returns true when it agrees.
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
    _ recorded: SessionFile.Output, _ picture: RecordedPicture, _ entry: SessionFile.Entry
  ) -> Bool {
    guard let fingerprint = PictureLine.fingerprint(in: recorded.text, of: picture) else {
      newPictures.append(picture.path)
      differ(entry, recorded.line, recorded.text, picture.line)
      return false
    }
    let file = PictureFiles.path(replayer.paths.pictures, picture.path)
    let isThere = PictureFiles.isOwn(replayer.paths.pictures, picture.path)
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
    _ file: String?, _ fingerprint: String, _ recorded: SessionFile.Output,
    _ picture: RecordedPicture,
    _ entry: SessionFile.Entry
  ) -> Bool {
    // If a later line replaced the file, it holds that line's pixels.
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
