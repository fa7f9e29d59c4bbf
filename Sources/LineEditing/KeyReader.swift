import Foundation

/// Reads what somebody types as characters, pastes and the few keys that need more than a character.
final class KeyReader {
  /// What comes next from the keyboard.
  enum Key: Hashable {
    case character(Unicode.Scalar)
    /// A text between the marks that a terminal sets around what is pasted.
    case paste(String)
    case up
    case down
    /// Ctrl-C.
    case interrupt
    /// The terminal has another size.
    case resize
    /// The program goes on after a stop.
    case resume
    /// The terminal answers a question.
    case reply(TerminalReply)
    case end
  }

  /// How many bytes one paste may have.
  static let longestPaste = 4 << 20
  /// How long the rest of a sequence may take after its first byte, in milliseconds.
  private static let patience: Int32 = 50

  private let descriptor: Int32
  private let signals: Int32
  private var bytes: ArraySlice<UInt8> = []
  private var isAtEnd = false
  /// Keys that come before what is typed.
  private var waiting: [Key] = []

  /// Reads from `descriptor`; the numbers of signals come from `signals`.
  init(descriptor: Int32, signals: Int32) {
    (self.descriptor, self.signals) = (descriptor, signals)
  }

  /// Gives back a key that comes first next time.
  func putBack(_ key: Key) { waiting.insert(key, at: 0) }

  /// Waits for the next key.
  func next() -> Key {
    while true { if let key = key(waiting: -1) { return key } }
  }

  /// Waits for the next key for some time; none when none came.
  func next(within limit: Duration) -> Key? {
    let end = ContinuousClock.now + limit
    while true {
      let rest = Int32(max(.zero, end - .now) / .milliseconds(1))
      if let key = key(waiting: rest) { return key }
      if rest == 0 { return nil }
    }
  }

  /// Whether the next key is there already.
  var hasNext: Bool { !waiting.isEmpty || !bytes.isEmpty || isAtEnd || isReadable }

  /// The next key, or none when no byte came in some milliseconds, or bytes that are no key.
  private func key(waiting milliseconds: Int32) -> Key? {
    if !waiting.isEmpty { return waiting.removeFirst() }
    if let key = signal() { return key }
    if bytes.isEmpty {
      if isAtEnd { return .end }
      guard fill(waiting: milliseconds) else { return nil }
    }
    if bytes.first == 0x1B, let key = sequence() { return key }
    return character()
  }

  /// Whether Ctrl-C came after the last key; other signals become the next keys.
  func takeInterrupt() -> Bool {
    while let key = signal() {
      if key == .interrupt { return true }
      waiting.append(key)
    }
    return false
  }

  /// Forgets what was typed ahead.
  func drop() { (bytes, waiting) = ([], []) }

  // MARK: - Signals

  private func signal() -> Key? {
    var number: UInt8 = 0
    while read(signals, &number, 1) == 1 {
      switch Int32(number) {
      case SIGINT:
        // Bytes of one reading that Ctrl-C came into may be from after it.
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

  /// Reads more bytes, or returns when a signal comes or `milliseconds` are over.
  @discardableResult
  private func fill(waiting milliseconds: Int32) -> Bool {
    var sources = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&sources, 2, milliseconds) > 0, sources[0].revents != 0 else { return false }
    // Signals first: what Ctrl-C drops has been read, what was typed after it has not.
    guard sources[1].revents == 0 else { return false }
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

  /// Whether bytes or a signal wait to be read.
  private var isReadable: Bool {
    var sources = [descriptor, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    return poll(&sources, 2, 0) > 0
  }

  /// Whether the next bytes are `expected`; waits for them for a while if they begin so.
  private func begins(with expected: [UInt8]) -> Bool {
    while bytes.count < expected.count {
      guard expected.starts(with: bytes), fill(waiting: Self.patience) else { return false }
    }
    return bytes.starts(with: expected)
  }

  // MARK: - Sequences

  private static let pasteStart = Array("\u{1B}[200~".utf8)
  private static let pasteEnd = Array("\u{1B}[201~".utf8)
  private static let arrows: [(bytes: [UInt8], key: Key)] = [
    (Array("\u{1B}[A".utf8), .up), (Array("\u{1B}OA".utf8), .up),
    (Array("\u{1B}[B".utf8), .down), (Array("\u{1B}OB".utf8), .down),
  ]

  /// A key that begins with escape, unless libedit should see its characters.
  private func sequence() -> Key? {
    // The escape key alone.
    if bytes.count == 1, !fill(waiting: Self.patience) { return nil }
    for arrow in Self.arrows where begins(with: arrow.bytes) {
      bytes.removeFirst(arrow.bytes.count)
      return arrow.key
    }
    if let reply = reply() { return .reply(reply) }
    guard begins(with: Self.pasteStart) else { return nil }
    bytes.removeFirst(Self.pasteStart.count)
    return paste()
  }

  /// How replies begin, and what ends them.
  private static let replies: [(start: [UInt8], end: [UInt8])] = [
    (Array("\u{1B}_G".utf8), Array("\u{1B}\\".utf8)), (Array("\u{1B}[?".utf8), Array("c".utf8)),
    (Array("\u{1B}[6;".utf8), Array("t".utf8)),
  ]
  private static let longestReply = 200

  /// What the terminal answers, when the next bytes are an answer.
  private func reply() -> TerminalReply? {
    guard let form = Self.replies.first(where: { begins(with: $0.start) }) else { return nil }
    var count = form.start.count
    while count < Self.longestReply {
      while bytes.count < count + form.end.count {
        guard fill(waiting: Self.patience) else { return nil }
      }
      let rest = bytes.dropFirst(count)
      if rest.starts(with: form.end) {
        let sequence = bytes.prefix(count + (form.end.count == 1 ? 1 : 0)).dropFirst()
        guard let reply = TerminalReply(sequence) else { return nil }
        bytes.removeFirst(count + form.end.count)
        return reply
      }
      // Numbers and signs alone stand in control sequences.
      let isNumeric = rest.first.map { (0x30...0x3F).contains($0) } ?? false
      guard form.end.count > 1 || isNumeric else { return nil }
      count += 1
    }
    return nil
  }

  /// The text up to the mark of its end, or Ctrl-C before it came.
  private func paste() -> Key {
    var text: [UInt8] = []
    while true {
      while let byte = bytes.first {
        if byte == 0x1B, begins(with: Self.pasteEnd) {
          bytes.removeFirst(Self.pasteEnd.count)
          return .paste(String(decoding: text, as: UTF8.self))
        }
        bytes.removeFirst()
        if text.count < Self.longestPaste { text.append(byte) }
      }
      guard !isAtEnd else { return .paste(String(decoding: text, as: UTF8.self)) }
      switch signal() {
      case .interrupt: return .interrupt
      case let other?: waiting.append(other)
      case nil: fill(waiting: -1)
      }
    }
  }

  // MARK: - Characters

  /// The next character; none when its bytes are no UTF-8 or an eight-bit control character.
  private func character() -> Key? {
    guard let lead = bytes.first else { return nil }
    let length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    while bytes.count < length, fill(waiting: Self.patience) {}
    var iterator = bytes.makeIterator()
    var decoder = UTF8()
    guard length > 0, case .scalarValue(let scalar) = decoder.decode(&iterator),
      !(0x80..<0xA0).contains(scalar.value)
    else {
      bytes.removeFirst()
      return nil
    }
    bytes.removeFirst(length)
    return .character(scalar)
  }
}
