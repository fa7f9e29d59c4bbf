import Foundation
import Glibc

/// The program at a terminal, with a person who types.
final class Terminal {
  private let process = Process()
  private let screen: Int32
  private let ended = DispatchSemaphore(value: 0)
  /// All that the screen showed.
  private(set) var shown = ""
  private var bytes: [UInt8] = []

  init(_ arguments: [String] = [], in folder: Folder) throws {
    screen = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    // posix_openpt and its kin are not in the Glibc module.
    let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    var (locked, number): (CInt, CInt) = (0, 0)
    guard screen >= 0, ioctl(screen, unlock, &locked) == 0, ioctl(screen, getNumber, &number) == 0
    else { throw Program.Failure("there is no terminal") }
    let name = "/dev/pts/\(number)"
    let keyboard = FileHandle(fileDescriptor: open(name, O_RDWR | O_NOCTTY), closeOnDealloc: true)
    _ = fcntl(screen, F_SETFL, O_NONBLOCK)
    _ = fcntl(screen, F_SETFD, FD_CLOEXEC)
    process.executableURL = URL(filePath: Program.path)
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "vt100"]) { $1 }
    process.standardInput = keyboard
    process.standardOutput = keyboard
    process.standardError = keyboard
    let ended = ended
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    close(screen)
  }

  /// Types `text`; answers with what the screen showed until `mark` appeared.
  @discardableResult
  func type(_ text: String, until mark: String) throws -> String {
    let start = shown.count
    let keys = Array(text.utf8)
    guard write(screen, keys, keys.count) == keys.count else {
      throw Program.Failure("the terminal takes no keys")
    }
    return try wait(for: mark, from: start)
  }

  /// Presses Ctrl-C; answers with what the screen showed until `mark` appeared.
  @discardableResult
  func interrupt(until mark: String) throws -> String {
    let start = shown.count
    kill(process.processIdentifier, SIGINT)
    return try wait(for: mark, from: start)
  }

  /// Waits for `mark` in what the screen showed after its first `start` characters.
  @discardableResult
  func wait(for mark: String, from start: Int = 0) throws -> String {
    for _ in 0..<60_000 {
      read()
      let news = String(shown.dropFirst(start))
      if news.contains(mark) { return news }
      usleep(2000)
    }
    throw Program.Failure("\(mark) did not appear, but: \(shown)")
  }

  /// Types Ctrl-D and waits for the end; answers with the exit status.
  func leave() throws -> Int32 {
    _ = write(screen, [4], 1)
    guard ended.wait(timeout: .now() + 60) == .success else {
      throw Program.Failure("the program did not end: \(shown)")
    }
    read()
    return process.terminationStatus
  }

  private func read() {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(screen, &chunk, chunk.count)
      guard count > 0 else { break }
      bytes += chunk.prefix(count)
    }
    shown = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
  }
}
