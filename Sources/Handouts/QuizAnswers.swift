import Transcripts

/// Finds the commands of a session that give the answer to a quiz.
struct QuizAnswers {
  /// The names of the values that the session's quizzes ask for.
  private let asked: Set<String>

  init(_ session: SessionFile) {
    asked = Set(
      session.entries.compactMap { entry in
        let words = Self.words(entry.command)
        return words.first == "quiz" ? words.dropFirst().first : nil
      })
  }

  /// Whether a command gives an answer: it is one, explains a value that is asked for, or runs a
  /// file that does so.
  func areTold(by command: String, _ output: [String]) -> Bool {
    let words = Self.words(command)
    switch words.first {
    case "answer": return true
    case "explain": return words.dropFirst().first.map(asked.contains) ?? false
    // The output of `run` shows the lines that it ran.
    case "run": return output.contains { $0.hasPrefix("  ") && areTold(by: $0, []) }
    default: return false
    }
  }

  /// The first two words of a command; spaces within brackets do not separate words.
  private static func words(_ command: String) -> [String] {
    let text = command.replacing("\\\n", with: " ")
    let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    guard let first = parts.first else { return [] }
    var name = ""
    var depth = 0
    for character in parts.dropFirst().first?.drop(while: \.isWhitespace) ?? "" {
      if character == "[" { depth += 1 }
      if character == "]" { depth -= 1 }
      if character.isWhitespace {
        if depth > 0 { continue }
        break
      }
      if !"\"'".contains(character) { name.append(character) }
    }
    return [first.lowercased()] + (name.isEmpty ? [] : [name])
  }
}

extension Handout {
  /// The readers of a handout.
  package enum Audience: String, CaseIterable, Sendable {
    case everybody
    /// Readers who answer the quizzes themselves: answers are folded, or left out in formats that
    /// cannot fold.
    case students
  }
}

extension SessionFile {
  /// The session's text in which comments replace the commands that give answers.
  func withoutAnswers(_ answers: QuizAnswers) -> String {
    text { entry in
      guard answers.areTold(by: entry.command, entry.outputs.map(\.text)) else { return nil }
      return "# Left out here: an answer. Yours: answer VALUE"
    }
  }
}
