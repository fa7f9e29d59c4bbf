package import CommandLanguage
package import Ledgers

/// The result of a replay.
package struct ReplayReport: Sendable {
  /// A recorded line that differs from the new one.
  package struct Difference: Hashable, Sendable {
    /// The number of the line in the file.
    package let line: Int
    /// The command whose output it is.
    package let command: String
    /// The recorded line; nil when nothing is recorded there.
    package let expected: String?
    /// The new line; nil when there is none.
    package let found: String?
    /// A remark, such as where a difference picture is; nil for none.
    package let note: String?
    /// The difference of a tensor, if the ledger holds one; else nil.
    package var parting: Parting?
  }

  /// The number of recorded lines that agree.
  package internal(set) var checked = 0
  /// The number of recorded lines whose numbers agree within a tolerance, or, on another machine,
  /// to the last digit.
  package internal(set) var tolerated = 0
  /// The number of recorded lines after a training that ran on another machine or version.
  package internal(set) var notComparable = 0
  /// The number of recorded lines whose command did not run or is not recorded, and of commands
  /// with output where none is recorded.
  package internal(set) var notChecked = 0
  /// The lines of trainings that were taken from a checkpoint in place of running.
  package internal(set) var skipped: [Int] = []
  /// The number of commands without recorded output; their output is in the new record.
  package internal(set) var recorded = 0
  package internal(set) var differences: [Difference] = []
  /// Whether numbers must agree to the digit, by the stamps.
  package internal(set) var toTheDigit = false
  /// The reason why the session ended.
  package internal(set) var ending = SessionPlayer.Ending.finished
  /// The first difference of a tensor from the ledger of another machine or build, which is no
  /// fault; nil for none.
  package internal(set) var parting: Difference?
  /// The result of the comparison with the ledger, as lines for a person.
  package internal(set) var ledgerLines: [String] = []
  /// The edits since the session was recorded; nil if there are none, or if they are unknown.
  package internal(set) var edits: Edits?
  /// The first data that differs from the recorded; nil if none does.
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
  /// Where tensors differ from the ledger of another machine or build, `parts` says how; where
  /// commands were edited since the record was made, `edited` lists them.
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

  /// Remarks on output that was not checked, with the reasons.
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

  /// The report for a person: the edits and their consequences, the differences, the counts.
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

  /// The difference for a person: its line, both texts, and a note.
  func lines(file: String) -> [String] {
    [
      "\(NotebookFile.place(of: line, in: file)): \(ContinuedLine.joined(command))",
      "  expected  \(expected.map(Escapes.removed) ?? "nothing")",
      "  found     \(found.map(Escapes.removed) ?? "nothing")",
    ] + changes + (note.map { ["  \($0)"] } ?? [])
  }

  /// The changed words and numbers of a line; empty when a side is no line of text, or too long.
  private var changes: [String] {
    guard parting == nil, let expected, let found, PictureLine.path(in: expected) == nil,
      max(expected.utf8.count, found.utf8.count) < 2000
    else {
      return []
    }
    let words = LineChanges(from: expected, to: found).words
    // If lines have little in common, both are shown without a list of changes.
    return words.isEmpty || words.count > 4 ? [] : ["  changed   \(words.joined(separator: "; "))"]
  }
}
