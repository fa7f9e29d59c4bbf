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
