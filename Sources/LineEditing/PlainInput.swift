import CommandLanguage
import Foundation

/// A source of lines that reads a file descriptor without an editor.
///
/// The prompt is shown only when the descriptor is a terminal, so that a pipe gets no codes. Bytes
/// that are not UTF-8 become replacement characters.
package final class PlainInput: LineSource {
  private let descriptor: Int32
  private var bytes: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var isFirst = true
  /// The line that runs if the next line is empty.
  private var proposal = ""
  package var emptyLine = ""
  /// Pasted lines that wait to be read.
  private var pending: ArraySlice<String> = []

  /// Reads from `descriptor`, standard input unless told otherwise.
  package init(descriptor: Int32 = STDIN_FILENO) {
    self.descriptor = descriptor
  }

  /// Whether the lines are typed at a terminal.
  package var isTerminal: Bool { isatty(descriptor) == 1 }

  package func propose(_ line: String) {
    // An empty line that was typed ahead does not accept the proposal.
    if start == bytes.count { proposal = line }
  }

  package var hasWaiting: Bool { !pending.isEmpty || start < bytes.count || comes(within: 0) }

  package func next(prompt: String, after before: String) -> LineEvent {
    if let line = pending.popFirst() {
      show("\(prompt)\(line)\n")
      return .line(line)
    }
    let proposal = proposal
    self.proposal = ""
    show(proposal.isEmpty ? prompt : "\(prompt)\(proposal)  (Enter runs this)\n\(prompt)")
    let event = read()
    if event == .line("") {
      return .line(before.isEmpty && proposal.isEmpty ? emptyLine : proposal)
    }
    if case .line(let line) = event, isTerminal, PastedText.command(in: line) != nil {
      return .line(firstOfPaste(line))
    }
    return event
  }

  private func show(_ text: String) {
    if isTerminal { try? Descriptor.write(text.utf8, to: STDOUT_FILENO) }
  }

  /// Returns the first line of a transcript that the terminal pastes without marks; the other
  /// commands wait.
  private func firstOfPaste(_ line: String) -> String {
    guard start < bytes.count || comes(within: 0) else { return line }
    while !isAtEnd, comes(within: PastedText.pause), fill() {}
    let end = bytes[start...].lastIndex(of: 10).map { $0 + 1 } ?? start
    let paste = PastedText(line + "\n" + String(decoding: bytes[start..<end], as: UTF8.self))
    start = end
    pending = paste.lines.dropFirst()
    return paste.lines.first ?? line
  }

  /// Whether input becomes available within some milliseconds.
  private func comes(within milliseconds: Int32) -> Bool {
    var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&source, 1, milliseconds) > 0
  }

  /// The next line, unchanged.
  private func read() -> LineEvent {
    while true {
      if let end = bytes[start...].firstIndex(of: 10) {
        defer { start = end + 1 }
        return .line(line(bytes[start..<end]))
      }
      if isAtEnd {
        guard start < bytes.count else { return .end }
        defer { start = bytes.count }
        return .line(line(bytes[start...]))
      }
      guard fill() else {
        bytes.removeAll()
        start = 0
        return .interrupted
      }
    }
  }

  package func dropTypedAhead() -> Int {
    defer { (bytes, start, pending) = ([], 0, []) }
    return pending.count + bytes[start...].count { $0 == 10 }
  }

  /// Reads more bytes; returns false when a signal interrupted it.
  private func fill() -> Bool {
    bytes.removeFirst(start)
    start = 0
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = Foundation.read(descriptor, &chunk, chunk.count)
    if count < 0 && errno == EINTR { return false }
    if count < 0 && errno == EAGAIN { return comes(within: -1) }
    if count <= 0 { isAtEnd = true }
    bytes += chunk.prefix(max(count, 0))
    return true
  }

  /// A line without the carriage return of other systems, or a byte order mark.
  private func line(_ bytes: ArraySlice<UInt8>) -> String {
    var bytes = bytes
    if isFirst && bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    isFirst = false
    if bytes.last == 13 { bytes = bytes.dropLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
