import CommandLanguage
import Foundation

extension SessionFile {
  /// The first line of every session.
  static let header = "#! backflow session 1"

  /// The largest session file, in bytes.
  private static let mostBytes = 64 << 20

  /// Reads a file.
  package init(path: String) throws(SessionError) {
    let data: Data
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      // A device may deliver bytes without end.
      data = try file.read(upToCount: Self.mostBytes + 1) ?? Data()
    } catch {
      throw SessionError(path, "cannot be read: \(SystemReason.words(error)); check the path")
    }
    try self.init(bytes: Array(data), name: path)
  }

  /// Reads all bytes from a descriptor, such as standard input.
  package init(descriptor: Int32, name: String) throws(SessionError) {
    let bytes: [UInt8]
    do throws(Descriptor.Failure) {
      bytes = try Descriptor.read(descriptor, atMost: Self.mostBytes + 1)
    } catch {
      throw SessionError(
        name, "cannot be read: \(error); give it a file of commands, or start at a terminal")
    }
    try self.init(bytes: bytes, name: name)
  }

  /// Reads bytes; `name` is the file's name in errors.
  package init(bytes: [UInt8], name: String) throws(SessionError) {
    guard bytes.count <= Self.mostBytes else {
      throw SessionError(
        name, "has more than \(Self.mostBytes >> 20) MiB, which no session has; check what it is")
    }
    if NotebookFile.isNotebook(name) {
      self = try NotebookFile(bytes: bytes, name: name).session()
      return
    }
    let marked = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    var lines: [String] = []
    for var line in marked.split(separator: 10, omittingEmptySubsequences: false) {
      if line.last == 13 { line = line.dropLast() }
      guard let text = String(validating: line, as: UTF8.self) else {
        throw SessionError(
          name, line: lines.count + 1,
          "is not UTF-8 text here; save it as UTF-8, or check that it is a session")
      }
      lines.append(text)
    }
    if lines.last?.isEmpty == true { lines.removeLast() }
    try self.init(lines: lines, name: name)
  }

  /// Reads a text.
  package init(text: String, name: String = "session") throws(SessionError) {
    try self.init(bytes: Array(text.utf8), name: name)
  }

  private init(lines: [String], name: String) throws(SessionError) {
    let isScript = !lines.contains { SessionLine.command(in: $0) != nil }
    var elements: [Element] = []
    var open: (line: Int, lines: [String], follower: ContinuedLine.Follower)?
    func close(_ line: Int, _ lines: [String]) {
      elements.append(Element(line: line, content: .command(lines.joined(separator: "\n"))))
      open = nil
    }
    for (index, line) in lines.enumerated() {
      let number = index + 1
      let typed = isScript ? line : SessionLine.command(in: line)
      if let command = open {
        guard let typed else {
          throw SessionError(
            name, line: command.line,
            "the command goes on after \"\\\", but the next line does not start with \"> \"")
        }
        guard number - command.line < ContinuedLine.limit else {
          throw SessionError(
            name, line: command.line, "one command has more than \(ContinuedLine.limit) lines")
        }
        open?.lines.append(typed)
      } else if let content = try Self.readerLine(line, number: number, name: name) {
        elements.append(Element(line: number, content: content))
      } else if let comment = typed.flatMap(Self.comment) {
        elements.append(Element(line: number, content: .comment(comment)))
      } else if let typed {
        open = (number, [typed], ContinuedLine.Follower())
      } else {
        let text = SessionLine.unescaped(line)
        elements.append(Element(line: number, content: .output(text)))
      }
      if let last = open?.lines.last, open?.follower.goesOn(after: last) == false, let open {
        close(open.line, open.lines)
      }
    }
    if let open { close(open.line, open.lines) }
    self.init(elements: elements, isScript: isScript)
  }

  /// The comment that was typed in place of a command, without the spaces before it; nil for a
  /// command.
  private static func comment(_ typed: String) -> String? {
    let text = typed.trimmingCharacters(in: .whitespaces)
    // Only the file itself may begin a line with a mark.
    return text.hasPrefix("#") && !text.hasPrefix("#@") && !text.hasPrefix("#!") ? text : nil
  }

  /// A blank line, a comment, the header or a stamp; nil for anything else.
  private static func readerLine(
    _ line: String, number: Int, name: String
  ) throws(SessionError) -> Content? {
    if line.allSatisfy(\.isWhitespace) { return .blank }
    guard line.hasPrefix("#") else { return nil }
    if number == 1 && line.hasPrefix("#! backflow session") {
      guard line.trimmingCharacters(in: .whitespaces) == header else {
        throw SessionError(
          name, line: number, "is of another format, \"\(line.dropFirst(3))\"; expected \(header)")
      }
      return .header
    }
    guard line.hasPrefix("#@") else { return .comment(line) }
    let parts = line.dropFirst(2).split(separator: ":", maxSplits: 1)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    guard parts.count == 2, !parts[0].isEmpty else {
      throw SessionError(name, line: number, "a stamp line looks like \"#@ key: value\"")
    }
    return .stamp(Stamp(parts[0], parts[1]))
  }
}

/// The marks at the start of a session file's lines.
enum SessionLine {
  /// The command in a line, empty for a lone `>`; nil for other lines.
  static func command(in line: String) -> String? {
    if line == ">" { return "" }
    return line.hasPrefix("> ") ? String(line.dropFirst(2)) : nil
  }

  /// The lines of a command.
  static func lines(ofCommand command: String) -> [String] {
    command.split(separator: "\n", omittingEmptySubsequences: false).map { "> \($0)" }
  }

  /// A line of output with the escapes of the file.
  static func escaped(_ output: String) -> String {
    guard let first = output.unicodeScalars.first, ">#\\".unicodeScalars.contains(first) else {
      return output
    }
    return "\\\(output)"
  }

  /// A line of output without the escapes of the file.
  static func unescaped(_ line: String) -> String {
    let scalars = line.unicodeScalars
    guard scalars.first == "\\", let second = scalars.dropFirst().first,
      ">#\\".unicodeScalars.contains(second)
    else { return line }
    return String(scalars.dropFirst())
  }
}
