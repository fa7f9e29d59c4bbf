/// Command lines put together from physical lines.
package struct CommandLines {
  /// A command with the number of its first physical line.
  package struct CommandLine: Hashable, Sendable {
    /// The command; continued lines keep their `\` and line breaks.
    package let text: String
    package let number: Int
  }

  /// What comes next.
  package enum Event: Hashable, Sendable {
    case command(CommandLine)
    case interrupted
    case end
  }

  /// What a prompt looks like, also while a line goes on.
  package static let prompt = "> "

  private let source: any LineSource
  private let goesOn: (String) -> Bool
  /// How many physical lines one command may have.
  private let limit = 1000
  private var number = 0

  /// Reads from `source`; `goesOn` says whether a command needs the next line.
  package init(_ source: any LineSource, goesOn: @escaping (String) -> Bool) {
    self.source = source
    self.goesOn = goesOn
  }

  /// The next command line.
  package mutating func next() -> Event {
    var text: String?
    var first = number + 1
    while true {
      switch source.next(prompt: Self.prompt, after: text.map { $0 + "\n" } ?? "") {
      case .line(let line):
        number += 1
        let joined = text.map { "\($0)\n\(line)" } ?? line
        if text == nil { first = number }
        guard number - first < limit - 1, goesOn(joined) else {
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
