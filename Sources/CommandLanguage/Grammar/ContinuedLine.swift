/// A command line over several physical lines, each but the last ending in `\`.
package enum ContinuedLine {
  /// The largest number of physical lines of a command.
  package static let limit = 1000

  /// Whether `line` goes on in the next physical line: it ends in `\` outside a comment.
  package static func goesOn(_ line: String) -> Bool {
    var follower = Follower()
    return follower.goesOn(after: line)
  }

  /// Follows a command from one physical line to the next, and reads each character once.
  package struct Follower {
    /// The quote that is open at the end of the lines so far; nil if none is.
    private var quote: Character?

    package init() {}

    /// Whether the command goes on after `line`, its next one.
    package mutating func goesOn(after line: String) -> Bool {
      guard line.last == "\\" else { return false }
      var previous: Character = " "
      for character in line {
        if let open = quote {
          if character == open { quote = nil }
        } else if character == "\"" || character == "'" {
          quote = character
        } else if character == "#" && previous.isWhitespace {
          return false
        }
        previous = character
      }
      return true
    }
  }

  /// The command on one line.
  package static func joined(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count > 1 else { return text }
    return lines.enumerated().map { index, line in
      var part = Substring(index == 0 ? line : line.drop(while: \.isWhitespace))
      if index < lines.count - 1, part.last == "\\" { part.removeLast() }
      while index < lines.count - 1, part.last?.isWhitespace == true { part.removeLast() }
      return String(part)
    }.joined(separator: " ")
  }
}
