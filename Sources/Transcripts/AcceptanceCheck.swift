import CommandLanguage

/// Decides which output of a replay may become the record: only that of exactly the commands in the
/// session.
struct AcceptanceCheck {
  private let session: [SessionFile.Entry]
  private let note: ReplayNote?
  /// The number of commands at the beginning that are those of the replay.
  private let common: Int
  private let replayed: Int

  init(_ session: [SessionFile.Entry], _ new: SessionFile) {
    self.session = session
    let entries = new.entries
    note = ReplayNote(new.stamps)
    replayed = entries.count
    common = zip(session, entries).prefix { $0.command == $1.command }.count
  }

  /// The reasons why output of the commands at `indices`, or of the whole session, is not accepted;
  /// nil if there are none.
  func refusal(of indices: [Int]? = nil) -> AcceptanceRefusal? {
    guard let note else {
      return AcceptanceRefusal(["the replay is of an earlier version of Backflow"])
    }
    guard note.lets.isEmpty else {
      return AcceptanceRefusal([
        "the replay ran with --let \(note.lets.joined(separator: " ")), which the session does not say"
      ])
    }
    var reasons: [(words: String, lines: [Int])] = []
    for index in indices ?? Array(session.indices) {
      guard let words = reason(index, note) else { continue }
      if reasons.last?.words == words {
        reasons[reasons.count - 1].lines.append(session[index].line)
      } else {
        reasons.append((words, [session[index].line]))
      }
    }
    var texts = reasons.map { words, lines in
      "line\(lines.count == 1 ? "" : "s") \(LineRanges(lines)) \(words)"
    }
    if indices == nil {
      if texts.isEmpty, replayed > session.count {
        texts.append("commands at the end were removed after the replay")
      }
      if texts.isEmpty, note.outputs != ReplayNote.fingerprint(ofOutputs: session) {
        texts.append("recorded output was edited after the replay")
      }
    }
    return texts.isEmpty ? nil : AcceptanceRefusal(texts)
  }

  /// The reason why the output of one command is not accepted; nil if there is none.
  private func reason(_ index: Int, _ note: ReplayNote) -> String? {
    if index >= note.ran, note.ran < replayed, note.ran <= common {
      return index == note.ran
        ? note.ending ?? "did not run" : "did not run, or ran without what stands above"
    }
    guard index < common else {
      return index == common
        ? "was edited after the replay" : "stands below what was edited after the replay"
    }
    if note.fromCheckpoint.contains(index + 1) {
      return "was taken from a checkpoint and not computed by this replay"
    }
    return nil
  }
}

/// The reasons why the output of a replay, or a part of it, does not become the record.
package struct AcceptanceRefusal: Error, Hashable, Sendable {
  /// The reasons, each with its lines.
  package let reasons: [String]

  init(_ reasons: [String]) { self.reasons = reasons }
}

/// A short text for numbers of lines: `3`, `3, 5–9 and 12`.
struct LineRanges: CustomStringConvertible {
  private let lines: [Int]

  init(_ lines: some Sequence<Int>) { self.lines = Set(lines).sorted() }

  var description: String {
    var ranges: [ClosedRange<Int>] = []
    for line in lines {
      if let last = ranges.last, last.upperBound + 1 == line {
        ranges[ranges.count - 1] = last.lowerBound...line
      } else {
        ranges.append(line...line)
      }
    }
    let shown = ranges.prefix(Self.most).map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound)"
    }
    if ranges.count > Self.most { return shown.joined(separator: ", ") + ", …" }
    guard shown.count > 1, let last = shown.last else { return shown.joined() }
    return shown.dropLast().joined(separator: ", ") + " and \(last)"
  }

  /// The largest number of ranges in the text.
  private static let most = 12
}
