package import CommandLanguage
package import Ledgers

/// What a replay found.
package struct ReplayReport: Sendable {
  /// A recorded line that did not come back.
  package struct Difference: Hashable, Sendable {
    /// The line of the file.
    package let line: Int
    /// The command that gave it.
    package let command: String
    /// What the record holds; nil when nothing is recorded there.
    package let expected: String?
    /// What came back; nil when nothing did.
    package let found: String?
    /// More about it, such as where a difference picture is.
    package let note: String?
    /// The tensor that differs, if the ledger tells.
    package var parting: Parting?
  }

  /// Recorded lines that came back.
  package internal(set) var checked = 0
  /// Recorded lines whose numbers agree within a tolerance, or to the last digit elsewhere.
  package internal(set) var tolerated = 0
  /// Recorded lines after a training that ran on another machine or version.
  package internal(set) var notComparable = 0
  /// Recorded lines whose command did not run or is not recorded, and commands that gave output
  /// where none is recorded.
  package internal(set) var notChecked = 0
  /// The lines of trainings that were taken from a checkpoint in place of running.
  package internal(set) var skipped: [Int] = []
  /// Commands without recorded output; what they gave is in the new record.
  package internal(set) var recorded = 0
  package internal(set) var differences: [Difference] = []
  /// Whether the stamps demand agreement to the digit.
  package internal(set) var toTheDigit = false
  /// How the session ended.
  package internal(set) var ending = SessionPlayer.Ending.finished
  /// Where the tensors first parted from the ledger of another place, which is no fault.
  package internal(set) var parting: Difference?
  /// What the ledger's comparison came to, for a person.
  package internal(set) var ledgerLines: [String] = []
  /// What was edited since the session was recorded; nil if nothing was, or nothing is known.
  package internal(set) var edits: Edits?
  /// Data that is other than recorded: the line and what was found.
  package internal(set) var otherData: Difference?

  /// The program's exit status after this replay.
  package var status: ExitStatus {
    if otherData != nil { return .badInput }
    switch ending {
    case .failed(let status): return status
    case .interrupted: return .interrupted
    case .finished, .reachedLine, .stopped:
      return differences.isEmpty ? .success : .replayDiffers
    }
  }

  /// The report as the last line of `--json`.
  ///
  /// Where tensors part from the ledger of another place, `parts` says how; where commands were edited
  /// since the record was made, `edited` lists them.
  package var json: JSONValue {
    let counts: [JSONValue.Member] = [
      .init("checked", .integer(checked)), .init("tolerated", .integer(tolerated)),
      .init("not_comparable", .integer(notComparable)),
      .init("not_checked", .integer(notChecked)),
      .init("differs", .list(differences + (otherData.map { [$0] } ?? [])) { $0.json }),
    ]
    return .object(
      counts + (parting.map { [.init("parts", $0.json)] } ?? [])
        + (edits.map { [.init("edited", $0.json)] } ?? []))
  }

  /// What was not checked, and why.
  private var remarks: [String] {
    var remarks: [String] = []
    if !skipped.isEmpty {
      let lines = skipped.map(String.init).joined(separator: ", ")
      remarks.append(
        "taken from a checkpoint, since their inputs are as they were: the trainings of line \(lines)"
      )
    }
    if recorded > 0 {
      remarks.append(
        "\(recorded) \(recorded == 1 ? "command has" : "commands have") no recorded output: recorded "
          + "now, not checked")
    }
    return remarks
  }

  /// The report for a person: what was edited and what follows from it, each difference, the counts.
  package func lines(file: String) -> [String] {
    let all = (otherData.map { [$0] } ?? []) + differences
    let counts = [
      "\(checked) checked", "\(tolerated) tolerated", "\(notComparable) not comparable",
      "\(notChecked) not checked", "\(differences.count) differ",
    ]
    let parted = parting.map {
      ["parts from the ledger of another place here:"] + $0.lines(file: file)
    }
    return (edits?.lines ?? []) + all.flatMap { $0.lines(file: file) } + (parted ?? [])
      + ledgerLines + remarks
      + [counts.joined(separator: ", ")]
  }
}

extension ReplayReport.Difference {
  /// The difference as an object; one in a tensor has more members.
  package var json: JSONValue {
    let members: [JSONValue.Member] = [
      .init("line", .integer(line)), .init("command", .string(ContinuedLine.joined(command))),
      .init("expected", expected.map { .string($0) } ?? .null),
      .init("found", found.map { .string($0) } ?? .null),
      .init("note", note.map { .string($0) } ?? .null),
    ]
    guard let parting else { return .object(members) }
    return .object(
      members + [
        .init("tensor", .string(parting.tensor)),
        .init("element", parting.place.map { .list($0) { .integer($0) } } ?? .null),
        .init("ulp", parting.ulps.map { .integer($0) } ?? .null),
        .init("step", parting.step.map { .integer($0.step) } ?? .null),
      ])
  }

  /// The difference for a person: the place, both lines, and what is known of it.
  func lines(file: String) -> [String] {
    [
      "\(file):\(line): \(ContinuedLine.joined(command))",
      "  expected  \(expected ?? "nothing")",
      "  found     \(found ?? "nothing")",
    ] + changes + (note.map { ["  \($0)"] } ?? [])
  }

  /// What changed from one line to the other, when both are lines of the transcript.
  private var changes: [String] {
    guard parting == nil, let expected, let found, PictureLine.path(in: expected) == nil,
      max(expected.utf8.count, found.utf8.count) < 2000
    else {
      return []
    }
    let words = LineChanges(from: expected, to: found).words
    // Lines that have little in common are read as they are.
    return words.isEmpty || words.count > 4 ? [] : ["  changed   \(words.joined(separator: "; "))"]
  }
}
