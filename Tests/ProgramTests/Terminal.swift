import Foundation
import Glibc

/// The program at a terminal of its own, with a person who types.
///
/// State goes below the folder, so that no test meets the history of a person or of another test.
final class Terminal {
  /// Whether this machine has pseudo-terminals; a container without /dev/pts has none.
  static let isAvailable = FileManager.default.fileExists(atPath: "/dev/pts/ptmx")

  /// How many times as many random keys are pressed: `make test-terminal` asks for more.
  static let length =
    ProcessInfo.processInfo.environment["BACKFLOW_TERMINAL"].flatMap(Int.init) ?? 1

  private let child: pid_t
  private let screen: Int32
  private var status: Int32?
  /// What the screen showed, with plain line ends.
  private var bytes: [UInt8] = []
  /// What the terminal answers when it is asked about itself, as a real one does.
  private var answer: String?

  /// All that the screen showed.
  var shown: String { String(decoding: bytes, as: UTF8.self) }

  /// Starts the program, or another one, at a terminal of `columns`.
  init(
    _ arguments: [String] = [], program: String = Program.path, in folder: Folder,
    columns: UInt16 = 80, environment: [String: String] = [:], answer: String? = nil
  ) throws {
    self.answer = answer
    screen = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // posix_openpt and its kin are not in the Glibc module.
    let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    var (locked, number): (CInt, CInt) = (0, 0)
    guard screen >= 0, ioctl(screen, unlock, &locked) == 0, ioctl(screen, getNumber, &number) == 0
    else { throw Program.Failure("there is no terminal") }
    _ = fcntl(screen, F_SETFL, O_NONBLOCK)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(screen, UInt(TIOCSWINSZ), &size)

    var state = [
      "TERM": "vt100", "HOME": folder.url.path, "XDG_STATE_HOME": folder.path("state"),
      "LC_ALL": "C.UTF-8",
    ]
    state.merge(environment) { $1 }
    let variables = ProcessInfo.processInfo.environment.merging(state) { $1 }
    child = try Self.spawn(
      [program] + arguments, variables, terminal: "/dev/pts/\(number)", folder: folder.url.path)
  }

  deinit {
    if status == nil {
      kill(child, SIGKILL)
      _ = waitpid(child, nil, 0)
    }
    close(screen)
  }

  /// Starts a program in a session of its own, whose terminal it then is.
  private static func spawn(
    _ words: [String], _ variables: [String: String], terminal: String, folder: String
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    // POSIX_SPAWN_SETSID, SETSIGMASK and SETSIGDEF: what the tests block or ignore is not handed on.
    posix_spawnattr_setflags(&attributes, 0x80 | 0x08 | 0x04)
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var arguments: [UnsafeMutablePointer<CChar>?] =
      (["/usr/bin/env", "-C", folder] + words).map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] =
      variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var child: pid_t = 0
    guard posix_spawn(&child, "/usr/bin/env", &actions, &attributes, &arguments, &environment) == 0
    else { throw Program.Failure("\(words[0]) did not start") }
    return child
  }

  // MARK: - Keys

  /// Presses keys.
  func press(_ keys: some Sequence<UInt8>) throws {
    var rest = Array(keys)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(screen, $0.baseAddress, min($0.count, 1024)) }
      if count > 0 { rest = rest.dropFirst(count) }
      if count <= 0, !isRunning { throw Program.Failure("the program has ended: \(shown)") }
      read(waiting: count > 0 ? 0 : 10)
    }
  }

  /// Lets the program show what it has to say, for some milliseconds at most.
  func pause() { read(waiting: 20) }

  /// Types `text`; answers with what the screen showed until `mark` appeared.
  @discardableResult
  func type(_ text: String, until mark: String) throws -> String {
    read()
    let start = bytes.count
    try press(text.utf8)
    return try wait(for: mark, from: start)
  }

  /// Presses Ctrl-C; answers with what the screen showed until `mark` appeared.
  @discardableResult
  func interrupt(until mark: String) throws -> String { try type("\u{3}", until: mark) }

  /// Gives the terminal another size.
  func resize(columns: UInt16) {
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(screen, UInt(TIOCSWINSZ), &size)
  }

  /// Sends a signal to the program.
  func send(_ signal: Int32) { kill(child, signal) }

  // MARK: - The screen

  /// The flags of the terminal that a line editor changes: echo and whole lines.
  var isSane: Bool {
    var settings = termios()
    tcgetattr(screen, &settings)
    let flags = tcflag_t(ECHO | ICANON | ISIG)
    return settings.c_lflag & flags == flags
  }

  /// How long a busy machine may take for anything.
  static let patience = Duration.seconds(120)

  /// How many bytes the screen has shown.
  var position: Int { bytes.count }

  /// Whether `mark` appears after the first `start` bytes, within a time.
  func shows(_ mark: String, after start: Int, within limit: Duration) -> Bool {
    (try? wait(mark, within: limit) { bytes[start...].firstRange(of: mark.utf8) != nil }) != nil
  }

  /// Waits for `mark` in what the screen showed after its first `start` bytes.
  @discardableResult
  func wait(for mark: String, from start: Int = 0) throws -> String {
    var seen = start
    try wait(mark) {
      defer { seen = max(start, bytes.count - mark.utf8.count) }
      return bytes[seen...].firstRange(of: mark.utf8) != nil
    }
    return String(decoding: bytes[start...], as: UTF8.self)
  }

  /// Waits until something holds, for as long as a busy machine may take.
  func wait(
    _ what: String, within limit: Duration = patience, until holds: () throws -> Bool
  ) throws {
    let start = ContinuousClock.now
    while ContinuousClock.now - start < limit {
      let runs = isRunning
      read(waiting: runs ? 10 : 0)
      if try holds() { return }
      guard runs else { break }
    }
    throw Program.Failure("\(what) did not come: \(shown.suffix(3000))")
  }

  // MARK: - The end

  /// Types Ctrl-D and waits for the end; answers with the exit status.
  func leave() throws -> Int32 {
    try press([4])
    return try ending()
  }

  /// Waits for the end; answers with the exit status, or the negative number of a signal.
  func ending() throws -> Int32 {
    try wait("the end") { !isRunning }
    read()
    let status = status ?? 0
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
  }

  private var isRunning: Bool {
    guard status == nil else { return false }
    var ending: Int32 = 0
    if waitpid(child, &ending, WNOHANG) == child { status = ending }
    return status == nil
  }

  /// Takes what came, after waiting for it for some milliseconds.
  private func read(waiting milliseconds: Int32 = 0) {
    var screens = [pollfd(fd: screen, events: Int16(POLLIN), revents: 0)]
    // A terminal that nobody has open would not let wait.
    if milliseconds > 0, poll(&screens, 1, milliseconds) > 0,
      screens[0].revents & Int16(POLLIN) == 0
    {
      usleep(1000)
    }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(screen, &chunk, chunk.count)
      guard count > 0 else { return }
      for byte in chunk.prefix(count) {
        if byte == 10, bytes.last == 13 { bytes.removeLast() }
        bytes.append(byte)
      }
      guard let answer, bytes.suffix(200).firstRange(of: "\u{1B}[c".utf8) != nil else { continue }
      self.answer = nil
      _ = write(screen, answer, answer.utf8.count)
    }
  }
}
