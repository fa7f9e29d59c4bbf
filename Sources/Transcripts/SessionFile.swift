package import CommandLanguage
import Fingerprints

/// A session file, line by line.
///
/// Lines that start with `> ` are commands, lines that start with `#` are for the reader but for
/// the header `#! backflow session 1` and the stamp `#@ key: value`; everything else is what came
/// back. A file without any `> ` line is a plain script: each line is a command.
package struct SessionFile: Hashable, Sendable {
  /// What a line is, its escapes taken off.
  package enum Content: Hashable, Sendable {
    case header
    case stamp(Stamp)
    case comment(String)
    case blank
    /// A command; continued lines keep their `\` and line breaks.
    case command(String)
    case output(String)
  }

  /// A line, or the lines of a continued command, with the number of the first.
  package struct Element: Hashable, Sendable {
    package let line: Int
    package let content: Content
  }

  /// A recorded line of output.
  package struct Output: Hashable, Sendable {
    package let line: Int
    package let text: String
  }

  /// A command and what came back.
  package struct Entry: Hashable, Sendable {
    package let line: Int
    package let command: String
    package let outputs: [Output]
    /// The output with the blank lines inside it.
    let text: [String]
  }

  package let elements: [Element]
  /// Whether the file is a plain script without any recorded output.
  package let isScript: Bool

  init(elements: [Element], isScript: Bool) {
    self.elements = elements
    self.isScript = isScript
  }

  /// The stamp, in the order of the file.
  package var stamps: [Stamp] {
    elements.compactMap { element in
      if case .stamp(let stamp) = element.content { stamp } else { nil }
    }
  }

  /// The commands with their recorded output; blank lines are not part of it.
  package var entries: [Entry] {
    var entries: [Entry] = []
    var open: (line: Int, command: String)?
    var outputs: [Output] = []
    var text: [String] = []
    var blanks = 0
    func close() {
      guard let command = open else { return }
      entries.append(
        Entry(line: command.line, command: command.command, outputs: outputs, text: text))
      (outputs, text, blanks) = ([], [], 0)
    }
    for element in elements {
      switch element.content {
      case .command(let command):
        close()
        open = (element.line, command)
      case .output(let line) where open != nil:
        if !text.isEmpty { text += [String](repeating: "", count: blanks) }
        outputs.append(Output(line: element.line, text: line))
        text.append(line)
        blanks = 0
      case .blank:
        blanks += 1
      case .comment:
        blanks = 0
      case .header, .stamp, .output:
        continue
      }
    }
    close()
    return entries
  }

  /// The commands, to be run as if they were typed; the stamp of `name` knows them again.
  package func asLines(called name: String) -> Outcome {
    let commands = entries.map(\.command)
    var outcome = Outcome()
    outcome.followUps = commands
    outcome.data = [
      Outcome.DataStamp(
        name: "\(name).session",
        fingerprint: "sha256:\(SHA256Digest(of: commands.joined(separator: "\n")))")
    ]
    outcome.result = ["lines": .integer(commands.count)]
    return outcome
  }

  /// Whether a `let` line gives `name` a value, or asks for one.
  package func hasLet(_ name: String) -> Bool {
    entries.contains { Self.letName($0.command) == name }
  }

  /// The session with other values in its `let` lines.
  package func giving(_ values: [String: String]) -> SessionFile {
    let changed = elements.map { element in
      guard case .command(let command) = element.content, let name = Self.letName(command),
        let value = values[name]
      else { return element }
      return Element(
        line: element.line, content: .command("let \(name) = \(Quoting.quoted(value))"))
    }
    return SessionFile(elements: changed, isScript: isScript)
  }

  private static func letName(_ command: String) -> String? {
    let words = command.split { $0 == " " || $0 == "=" || $0 == "\n" }
    guard words.count > 1, words[0].lowercased() == "let" else { return nil }
    return String(words[1])
  }

  /// The lines of output before the first command, which no command can have made.
  var strayOutputs: [Output] {
    elements.prefix { if case .command = $0.content { false } else { true } }
      .compactMap { element in
        if case .output(let text) = element.content {
          Output(line: element.line, text: text)
        } else {
          nil
        }
      }
  }
}
