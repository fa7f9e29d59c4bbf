package import CommandLanguage

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
  package internal(set) var differences: [Difference] = []
  /// Whether the stamps demand agreement to the digit.
  package internal(set) var toTheDigit = false
  /// How the session ended.
  package internal(set) var ending = SessionPlayer.Ending.finished
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
  package var json: JSONValue {
    [
      "checked": .integer(checked), "tolerated": .integer(tolerated),
      "not_comparable": .integer(notComparable), "not_checked": .integer(notChecked),
      "differs": .list(differences + (otherData.map { [$0] } ?? [])) { $0.json },
    ]
  }

  /// The report for a person: each difference, then the counts.
  package func lines(file: String) -> [String] {
    let all = (otherData.map { [$0] } ?? []) + differences
    let counts = [
      "\(checked) checked", "\(tolerated) tolerated", "\(notComparable) not comparable",
      "\(notChecked) not checked", "\(differences.count) differ",
    ]
    return all.flatMap { $0.lines(file: file) } + [counts.joined(separator: ", ")]
  }
}

extension ReplayReport.Difference {
  var json: JSONValue {
    [
      "line": .integer(line), "command": .string(ContinuedLine.joined(command)),
      "expected": expected.map { .string($0) } ?? .null,
      "found": found.map { .string($0) } ?? .null,
      "note": note.map { .string($0) } ?? .null,
    ]
  }

  /// The difference for a person: the place, both lines, and what is known of it.
  func lines(file: String) -> [String] {
    [
      "\(file):\(line): \(ContinuedLine.joined(command))",
      "  expected  \(expected ?? "nothing")",
      "  found     \(found ?? "nothing")",
    ] + (note.map { ["  \($0)"] } ?? [])
  }
}
