import Foundation

/// Reads input from the keyboard as characters, pastes and the few keys that send several
/// characters.
package final class KeyReader {
  /// The next input from the keyboard.
  package enum Key: Hashable, Sendable {
    case character(Unicode.Scalar)
    /// A text between the marks that a terminal sets around a paste.
    case paste(String)
    case up
    case down
    /// Ctrl-C was pressed.
    case interrupt
    /// The terminal has changed its size.
    case resize
    /// The program continues after a stop.
    case resume
    /// The terminal answered a question.
    case reply(TerminalReply)
    case end
  }

  /// The largest number of bytes of a paste.
  private static let longestPaste = 4 << 20
  /// The time in milliseconds to wait for the rest of an answer, and for a sequence after escape in
  /// vi, where escape is a key of its own.
  private static let (answerPatience, escapePatience): (Int32, Int32) = (1000, 50)

  private let descriptor: Int32
  private let signals: Int32
  private var bytes: ArraySlice<UInt8> = []
  private var isAtEnd = false
  /// Keys that come before the next bytes.
  private var waiting: [Key] = []
  /// Whether escape is a key of its own, as in vi; in emacs it only begins a pair.
  package var escapeIsKey = false
  /// Whether the last key was an escape whose rest may be late.
  private var isAfterEscape = false

  /// Reads from `descriptor`; the numbers of signals come from the descriptor `signals`, −1 for
  /// none.
  package init(descriptor: Int32, signals: Int32 = -1) {
    (self.descriptor, self.signals) = (descriptor, signals)
  }

  /// Puts a key back, to be read next.
  func putBack(_ key: Key) { waiting.insert(key, at: 0) }

  /// Waits for the next key.
  func next() -> Key {
    while true { if let key = key(waiting: -1) { return key } }
  }

  /// Waits for the next key for some time; nil when none came.
  package func next(within limit: Duration) -> Key? {
    let end = ContinuousClock.now + limit
    while true {
      let rest = Int32(max(.zero, end - .now) / .milliseconds(1))
      if let key = key(waiting: rest) { return key }
      if rest == 0 { return nil }
    }
  }

  /// Whether the next key is available without waiting.
  var hasNext: Bool { !waiting.isEmpty || !bytes.isEmpty || isAtEnd || isReadable }

  /// Returns the next key; nil when no byte came within some milliseconds, or the bytes are no key.
  private func key(waiting milliseconds: Int32) -> Key? {
    if !waiting.isEmpty { return waiting.removeFirst() }
    if let key = signal() { return key }
    if isAfterEscape, bytes.first == UInt8(ascii: "[") {
      if let late = lateKey() { return late }
      if isAfterEscape {
        _ = fill(waiting: milliseconds)
        return nil
      }
    } else if !bytes.isEmpty {
      isAfterEscape = false
    }
    switch KeySequence(bytes) {
    case .key(let key, let count):
      bytes.removeFirst(count)
      return key
    case .nothing(let count):
      bytes.removeFirst(count)
      return nil
    case .pasteStart:
      bytes.removeFirst(KeySequence.startMark.count)
      return paste()
    case .unfinished:
      return unfinished(waiting: milliseconds)
    }
  }

  /// Waits for the rest of a key, which a slow connection sends in pieces.
  private func unfinished(waiting milliseconds: Int32) -> Key? {
    if isAtEnd { return bytes.isEmpty ? .end : firstByte() }
    let limit = patience
    let isOver = limit >= 0 && (milliseconds < 0 || limit <= milliseconds)
    let came = fill(waiting: isOver ? limit : milliseconds)
    guard came == .nothing, isOver else { return nil }
    isAfterEscape = bytes.count == 1
    return firstByte()
  }

  /// The time to wait for the rest in milliseconds; −1 for ever, where the beginning alone does
  /// nothing.
  private var patience: Int32 {
    guard bytes.first == 0x1B else { return -1 }
    if bytes.count == 1 { return escapeIsKey ? Self.escapePatience : -1 }
    return bytes.dropFirst().first == UInt8(ascii: "_") ? Self.answerPatience : -1
  }

  /// The first byte as a key, when the rest of a sequence did not come; nil for a broken character.
  private func firstByte() -> Key? {
    guard let byte = bytes.popFirst(), byte < 0x80 else { return nil }
    return .character(Unicode.Scalar(byte))
  }

  /// The continuation of an escape that vi has already taken as a key; nil when there is none.
  ///
  /// That key has ended the insertion of text; `a` resumes it.
  private func lateKey() -> Key? {
    isAfterEscape = false
    switch KeySequence(ArraySlice([0x1B] + Array(bytes))) {
    case .pasteStart:
      bytes.removeFirst(KeySequence.startMark.count - 1)
      waiting.append(paste())
      return .character("a")
    case .key(let key, let count) where count > 1:
      bytes.removeFirst(count - 1)
      return key
    case .nothing(let count):
      bytes.removeFirst(count - 1)
      return nil
    case .unfinished:
      isAfterEscape = !isAtEnd
      return nil
    case .key: return nil
    }
  }

  /// Whether Ctrl-C came after the last key; other signals are read as the next keys.
  func takeInterrupt() -> Bool {
    while let key = signal() {
      if key == .interrupt { return true }
      waiting.append(key)
    }
    return false
  }

  /// Drops input that was typed ahead.
  func drop() { (bytes, waiting, isAfterEscape) = ([], [], false) }

  // MARK: - Signals

  private func signal() -> Key? {
    var number: UInt8 = 0
    while read(signals, &number, 1) == 1 {
      switch Int32(number) {
      case SIGINT:
        // Bytes read together with Ctrl-C may be from after it.
        bytes = bytes.suffix(TerminalState.bytesSinceInterrupt)
        waiting = []
        return .interrupt
      case SIGWINCH: return .resize
      case SIGCONT: return .resume
      default: break
      }
    }
    return nil
  }

  // MARK: - Bytes

  /// The reason why waiting for bytes ended.
  private enum Arrival { case bytes, nothing, signal }

  /// Reads more bytes; returns early when a signal comes or `milliseconds` are over.
  private func fill(waiting milliseconds: Int32) -> Arrival {
    var sources = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
    ]
    let count = poll(&sources, 2, milliseconds)
    if count == 0 { return .nothing }
    // Signals come first: input before Ctrl-C, which it drops, has been read, input after it has
    // not.
    guard count > 0, sources[0].revents != 0, sources[1].revents == 0 else { return .signal }
    return take() ? .bytes : .signal
  }

  /// Reads the available bytes, or records the end.
  private func take() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = read(descriptor, &chunk, chunk.count)
    if count < 0 && (errno == EINTR || errno == EAGAIN) { return false }
    guard count > 0 else {
      isAtEnd = true
      return false
    }
    bytes = ArraySlice(bytes + chunk.prefix(count))
    TerminalState.countBytes(count)
    return true
  }

  /// Whether bytes or a signal are waiting to be read.
  private var isReadable: Bool {
    var sources = [descriptor, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    return poll(&sources, 2, 0) > 0
  }

  // MARK: - Paste

  /// Reads a paste up to its end mark, however late that comes; or returns Ctrl-C if it came
  /// before.
  private func paste() -> Key {
    var text: [UInt8] = []
    while true {
      while let byte = bytes.first {
        if byte == 0x1B {
          if bytes.starts(with: KeySequence.endMark) {
            bytes.removeFirst(KeySequence.endMark.count)
            return .paste(String(decoding: text, as: UTF8.self))
          }
          if KeySequence.endMark.starts(with: bytes), !isAtEnd { break }
        }
        bytes.removeFirst()
        if text.count < Self.longestPaste { text.append(byte) }
      }
      guard !isAtEnd else { return .paste(String(decoding: text, as: UTF8.self)) }
      switch signal() {
      case .interrupt: return .interrupt
      case let other?: waiting.append(other)
      case nil: _ = fill(waiting: -1)
      }
    }
  }
}
