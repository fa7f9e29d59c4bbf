extension SessionFile {
  /// The file with other stamps, other outputs by the line of their command, and other lines of
  /// output by their own.
  ///
  /// Comments keep their places; a command without new outputs keeps its old ones.
  func rewritten(
    stamps: [Stamp], outputs: [Int: [String]] = [:], lines: [Int: String] = [:]
  ) -> SessionWriter {
    var writer = SessionWriter()
    writer.addHeader(stamps)
    var isReplaced = false
    // Blank lines inside an output go with it; those after it part it from what follows.
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
}
