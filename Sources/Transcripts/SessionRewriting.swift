extension SessionFile {
  /// Returns the file with other stamps, with other outputs by the line of their command, and with
  /// other lines of output by their own line.
  ///
  /// Comments keep their places; a command without new outputs keeps its old ones.
  func rewritten(
    stamps: [Stamp], outputs: [Int: [String]] = [:], lines: [Int: String] = [:]
  ) -> SessionWriter {
    var writer = SessionWriter()
    writer.addHeader(stamps)
    var isReplaced = false
    // Blank lines inside an output are dropped with it; those after it stay.
    var blanks = 0
    func addBlanks() {
      for _ in 0..<blanks { writer.add(verbatim: "") }
      blanks = 0
    }
    for element in elements {
      switch element.content {
      case .header, .stamp:
        continue
      case .blank:
        blanks += 1
      case .comment(let line):
        addBlanks()
        writer.add(verbatim: line)
      case .output(let text):
        if isReplaced {
          blanks = 0
        } else {
          addBlanks()
          writer.add(verbatim: SessionLine.escaped(lines[element.line] ?? text))
        }
      case .command(let command):
        addBlanks()
        writer.add(command: command)
        isReplaced = outputs[element.line] != nil
        writer.add(outputs: outputs[element.line] ?? [])
      }
    }
    addBlanks()
    return writer
  }

  /// Returns the file's text without some commands and their outputs.
  ///
  /// - Parameter comment: Returns the comment that replaces a command; nil for one that stays.
  /// - Returns: The text, with a line feed at its end.
  package func text(replacing comment: (Entry) -> String?) -> String {
    let comments = Dictionary(
      entries.compactMap { entry in comment(entry).map { (entry.line, $0) } }
    ) { first, _ in first }
    var kept: [Element] = []
    var isLeftOut = false
    for element in elements {
      switch element.content {
      case .command:
        isLeftOut = comments[element.line] != nil
        if let comment = comments[element.line] {
          kept.append(Element(line: element.line, content: .comment(comment)))
        } else {
          kept.append(element)
        }
      case .output where isLeftOut: continue
      default: kept.append(element)
      }
    }
    return SessionFile(elements: kept, isScript: isScript).rewritten(stamps: stamps).text
  }
}
