import CommandLanguage
import Transcripts

/// Finds the commands of a session that give the answer to a quiz.
struct QuizAnswers {
  /// The names of the values that the session's quizzes ask for.
  private let asked: Set<String>
  /// The part of each command in a quiz, by its name.
  private let roles: [String: QuizRole]
  /// The lines of the commands that give an answer.
  private var lines: Set<Int> = []

  init(_ session: SessionFile, _ commands: [CommandSpec]) {
    let roles = Dictionary(commands.map { ($0.name, $0.quizRole) }) { $1 }.compactMapValues(\.self)
    self.roles = roles
    asked = Set(session.entries.compactMap { Self.question(in: $0.command, roles) })
    var open: [String] = []
    for entry in session.entries where tells(entry.command, entry.outputs.map(\.text), &open) {
      lines.insert(entry.line)
    }
  }

  /// Whether the command at a line gives an answer: it is one, explains a value that is asked for,
  /// names one whose question is open, or runs a file that does so.
  func areTold(at line: Int) -> Bool { lines.contains(line) }

  /// Whether a command gives an answer while the questions `open` wait for one, the last one first;
  /// the command may open or close one.
  private func tells(_ command: String, _ output: [String], _ open: inout [String]) -> Bool {
    if let name = Self.question(in: command, roles) {
      open.removeAll { $0 == name }
      open.append(name)
      return false
    }
    let words = Self.words(command)
    switch words.first.flatMap({ roles[$0] }) {
    case .answers:
      _ = open.popLast()
      return true
    case .explains where words.dropFirst().first.map(asked.contains) ?? false:
      return true
    case .runsFile:
      // The output shows the lines that it ran.
      return output.filter { $0.hasPrefix("  ") }.reduce(false) { tells($1, [], &open) || $0 }
    default:
      let named = Self.names(in: command)
      return open.contains { named.contains(Self.base(of: $0)) }
    }
  }

  /// The value that a command asks for; nil if it is no question.
  private static func question(in command: String, _ roles: [String: QuizRole]) -> String? {
    let words = words(command)
    return words.first.flatMap { roles[$0] } == .asks ? words.dropFirst().first : nil
  }

  /// A name without its index.
  private static func base(of name: String) -> String { String(name.prefix { $0 != "[" }) }

  /// The names among the arguments of a command, without indices.
  private static func names(in command: String) -> Set<String> {
    let arguments = command.drop(while: \.isWhitespace).drop { !$0.isWhitespace }
    return Set(
      arguments.prefix { $0 != "#" }.split { !$0.isLetter && !$0.isNumber && !"._/-".contains($0) }
        .map(String.init))
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
      guard answers.areTold(at: entry.line) else { return nil }
      return "# Left out here: an answer. Yours: answer VALUE"
    }
  }
}
