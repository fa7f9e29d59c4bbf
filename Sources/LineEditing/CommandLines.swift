import CommandLanguage

/// Joins physical lines to command lines.
package struct CommandLines {
  /// A command with the number of its first physical line.
  package struct CommandLine: Hashable, Sendable {
    /// The command; continued lines keep their `\` and line breaks.
    package let text: String
    package let number: Int
  }

  /// The next item, or the end.
  package enum Event: Hashable, Sendable {
    case command(CommandLine)
    case interrupted
    case end
  }

  /// The prompt, also shown while a line goes on.
  package static let prompt = "> "

  private let source: any LineSource
  private var number = 0

  package init(_ source: any LineSource) { self.source = source }

  /// The next command line.
  package mutating func next() -> Event {
    var text: String?
    var first = number + 1
    var follower = ContinuedLine.Follower()
    while true {
      switch source.next(prompt: Self.prompt, after: text.map { $0 + "\n" } ?? "") {
      case .line(let typed):
        // No command begins with the prompt, so the line was pasted from a transcript.
        let line = PastedText.command(in: typed) ?? typed
        number += 1
        let joined = text.map { "\($0)\n\(line)" } ?? line
        if text == nil { first = number }
        guard number - first < ContinuedLine.limit - 1, follower.goesOn(after: line) else {
          return .command(CommandLine(text: joined, number: first))
        }
        text = joined
      case .interrupted:
        return .interrupted
      case .end:
        guard let text else { return .end }
        return .command(CommandLine(text: text, number: first))
      }
    }
  }
}
