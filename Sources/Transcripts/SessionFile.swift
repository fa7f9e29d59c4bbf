package import CommandLanguage
import Fingerprints

/// A session file, line by line.
///
/// Lines that start with `> ` are commands; lines that start with `#` are for the reader, except
/// for the header `#! backflow session 1` and the stamp `#@ key: value`; all other lines are
/// output. A file without any `> ` line is a plain script: each line is a command.
package struct SessionFile: Hashable, Sendable {
  /// The kind and text of a line, without escapes.
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

  /// A command and its recorded output.
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
  /// The lines of commands whose output is recorded together with that of the next one, as in a
  /// notebook's cell.
  let partial: Set<Int>

  init(elements: [Element], isScript: Bool, partial: Set<Int> = []) {
    (self.elements, self.isScript, self.partial) = (elements, isScript, partial)
  }

  /// The number of its lines.
  package var lineCount: Int {
    guard let last = elements.last else { return 0 }
    guard case .command(let command) = last.content else { return last.line }
    return last.line + command.count { $0 == "\n" }
  }

  /// The stamp, in the order of the file.
  package var stamps: [Stamp] {
    elements.compactMap { element in
      if case .stamp(let stamp) = element.content { stamp } else { nil }
    }
  }

  /// A command with its output, or a note for the reader.
  package enum Part: Hashable, Sendable {
    case entry(Entry)
    /// A comment or a blank line that is not part of an output.
    case note(String, line: Int)

    fileprivate var isBlank: Bool {
      if case .note("", _) = self { true } else { false }
    }
  }

  /// Commands and notes in order; a note among the output of a command comes after it.
  package var parts: [Part] {
    var parts: [Part] = []
    var open: (line: Int, command: String)?
    var outputs: [Output] = []
    var text: [String] = []
    /// The notes since the last output.
    var notes: [Part] = []
    func close() {
      if let command = open {
        let entry = Entry(
          line: command.line, command: command.command, outputs: outputs, text: text)
        parts.append(.entry(entry))
      }
      parts += notes
      (outputs, text, notes) = ([], [], [])
    }
    for element in elements {
      switch element.content {
      case .command(let command):
        close()
        open = (element.line, command)
      case .output(let line) where open != nil:
        let blanks = notes.reversed().prefix { $0.isBlank }.count
        notes.removeLast(blanks)
        if !text.isEmpty { text += [String](repeating: "", count: blanks) }
        outputs.append(Output(line: element.line, text: line))
        text.append(line)
      case .blank:
        notes.append(.note("", line: element.line))
      case .comment(let text):
        notes.append(.note(text, line: element.line))
      case .header, .stamp, .output:
        continue
      }
    }
    close()
    return parts
  }

  /// The commands with their recorded output; blank lines are not part of it.
  package var entries: [Entry] {
    parts.compactMap { part in if case .entry(let entry) = part { entry } else { nil } }
  }

  /// The commands and notes as lines to type, in order.
  package var lines: [String] {
    parts.map { part in
      switch part {
      case .entry(let entry): entry.command
      case .note(let text, _): text
      }
    }
  }

  /// An outcome whose lines run as if they were typed, notes included; its stamp for `name` holds a
  /// fingerprint of the commands.
  package func asLines(called name: String) -> Outcome {
    let commands = entries.map(\.command)
    var outcome = Outcome()
    outcome.followUps = lines
    outcome.data = [
      Outcome.DataStamp(
        name: "\(name).session",
        fingerprint: "sha256:\(SHA256Digest(of: commands.joined(separator: "\n")))")
    ]
    outcome.result = ["lines": .integer(commands.count)]
    return outcome
  }

  /// Whether a `let` line gives `name` a value, or takes one from outside.
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
    return SessionFile(elements: changed, isScript: isScript, partial: partial)
  }

  private static func letName(_ command: String) -> String? {
    let words = command.split { $0 == " " || $0 == "=" || $0 == "\n" }
    guard words.count > 1, words[0].lowercased() == "let" else { return nil }
    return String(words[1])
  }

  /// The lines of output before the first command, which no command can have printed.
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
