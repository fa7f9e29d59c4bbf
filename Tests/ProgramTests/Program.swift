import Foundation
import Testing

/// The executable, run as its callers run it.
enum Program {
  /// What one run of the program gave.
  struct Ending {
    let status: Int32
    /// Whether a signal ended it.
    let crashed: Bool
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// The error lines that say what is wrong, without the typed line and its caret.
    var complaints: [String] {
      errors.split(separator: "\n").map(String.init).filter { $0.contains("error: ") }
    }
  }

  /// The executable, built beside these tests.
  static let path: String = {
    let tests = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let candidates = [tests, Bundle.main.executableURL, Bundle.main.bundleURL].compactMap(\.self)
      .map { $0.deletingLastPathComponent().appending(path: "backflow").path }
    return candidates.first(where: FileManager.default.isExecutableFile) ?? candidates[0]
  }()

  /// Runs the program, or another one, to its end, which must come within `limit` seconds.
  static func run(
    _ arguments: [String], program: String = path, input: String = "", in folder: Folder,
    limit: Double = 300
  ) throws -> Ending {
    try Running(arguments, program: program, input: input, in: folder).ending(within: limit)
  }

  /// A run that goes on.
  ///
  /// What it says goes to files, so that no pipe can fill up.
  final class Running {
    private let process = Process()
    private let streams: Folder
    private let ended = DispatchSemaphore(value: 0)

    init(
      _ arguments: [String], program: String = Program.path, input: String = "", in folder: Folder
    ) throws {
      streams = try Folder()
      try streams.write(input, to: "input")
      process.executableURL = URL(filePath: program)
      process.arguments = arguments
      process.currentDirectoryURL = folder.url
      let handles = [
        try FileHandle(forReadingFrom: streams.url.appending(path: "input")),
        try streams.handle("output"), try streams.handle("errors"),
      ]
      process.standardInput = handles[0]
      process.standardOutput = handles[1]
      process.standardError = handles[2]
      let ended = ended
      process.terminationHandler = { _ in ended.signal() }
      try process.run()
      // The program has its own; with some 1360 open files `Process.run` reads past a buffer.
      for handle in handles { try handle.close() }
    }

    var output: String { (try? streams.read("output")) ?? "" }

    /// The processor time used so far, in clock ticks.
    private var ticks: Int {
      let text = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
      let fields = text?.split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 11 ? Int(fields[11]) ?? 0 : 0
    }

    var isRunning: Bool { process.isRunning }

    /// The processor time used so far, in seconds.
    var work: Double { Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK))) }

    /// The bytes that it said so far.
    var size: Int { streams.size("output") }

    /// The most memory that it held so far, in MiB; 0 once it has ended.
    var peak: Int {
      let text = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
      let line = text?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
    }

    /// Ends it at once.
    func stop() { kill(process.processIdentifier, SIGKILL) }

    /// Presses Ctrl-C.
    func interrupt() { kill(process.processIdentifier, SIGINT) }

    /// Waits until the program is deep in the command after `mark` came out.
    func waitUntilBusy(after mark: String) throws {
      try wait("the output \(mark)") { output.contains(mark) }
      let start = ticks
      try wait("work after \(mark)") { ticks > start + 20 }
    }

    private func wait(_ what: String, until holds: () -> Bool) throws {
      for _ in 0..<60_000 where process.isRunning {
        if holds() { return }
        usleep(2000)
      }
      throw Failure("\(what) did not come; it said: \(output)")
    }

    func ending(within seconds: Double) throws -> Ending {
      guard ended.wait(timeout: .now() + seconds) == .success else {
        kill(process.processIdentifier, SIGKILL)
        throw Failure("the program did not end: \(process.arguments ?? [])")
      }
      return Ending(
        status: process.terminationStatus,
        crashed: process.terminationReason == .uncaughtSignal,
        output: output, errors: try streams.read("errors"))
    }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
  }
}

/// A temporary folder that is gone when nobody holds it.
final class Folder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "backflow-\(UUID().uuidString)")
      .resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }

  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

  func write(_ data: Data, to name: String) throws {
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appending(path: name)), as: UTF8.self)
  }

  /// The bytes of a file.
  func size(_ name: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path(name))
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  fileprivate func handle(_ name: String) throws -> FileHandle {
    try write("", to: name)
    return try FileHandle(forWritingTo: url.appending(path: name))
  }

  /// Runs a script of `lines`.
  func run(
    _ lines: [String], _ options: String..., limit: Double = 300
  ) throws -> Program.Ending {
    try write(lines.joined(separator: "\n") + "\n", to: "script.txt")
    return try Program.run(["run", "script.txt"] + options, in: self, limit: limit)
  }
}
