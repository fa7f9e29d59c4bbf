import Foundation
import Testing

/// Thousands of commands that nobody planned, in one process.
///
/// `make fuzz-commands COMMANDS=200000` runs more of them; `SEED=7` begins with that one.
@Suite(.serialized)
struct `The program under random commands` {
  /// How many commands a process runs.
  private static let length = 3000
  /// The most memory that a process may hold, in MiB; data are small, and limited to 20 MiB.
  private static let memory = 400

  /// As many as it takes for all commands, with two processes each.
  static let seeds: [UInt64] = {
    func number(_ name: String, _ usual: Int) -> Int {
      ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
    }
    let (count, first) = (number("BACKFLOW_COMMANDS", 20_000), number("BACKFLOW_SEED", 1))
    return (0..<max(1, (count + 2 * length - 1) / (2 * length))).map { UInt64(first + $0) }
  }()

  @Test(arguments: seeds)
  func `answers each with one object, and twice the same`(seed: UInt64) throws {
    var commands = RandomCommands(seed: seed)
    let lines = commands.lines(Self.length)
    // The number of threads decides nothing.
    let runs = try [[], ["--threads", "1"]].map { try CommandRun(lines, $0) }
    CommandRun.watch(runs)
    let recipe = try Self.keep(lines, seed)
    var answers: [[CommandAnswer]] = []
    for run in runs {
      let (ending, said) = try run.ending()
      answers.append(said)
      let last = said.suffix(3).map(\.command)
      #expect(!ending.crashed, "after \(last): \(ending.errors.prefix(3000)) \(recipe)")
      #expect(!run.isStuck, "says nothing for \(CommandRun.patience) s after \(last); \(recipe)")
      #expect(said.map(\.line) == Array(1...lines.count), "lines without one answer; \(recipe)")
      #expect(run.peak < Self.memory, "\(run.peak) MiB; \(recipe)")
      for answer in said where answer.fault != nil {
        Issue.record("\(answer.fault ?? ""): \(answer.text) \(recipe)")
      }
      // Otherwise they test little but the parser.
      #expect(said.count { $0.isDone } > lines.count / 3, "few commands worked")
    }
    if let (one, other) = zip(answers[0], answers[1]).first(where: { $0.text != $1.text }) {
      Issue.record("\(one.text)\nis, in another process,\n\(other.text)\n\(recipe)")
    }
  }

  /// Keeps a script, and says how to run it.
  private static func keep(_ lines: [String], _ seed: UInt64) throws -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "backflow-seed-\(seed).txt")
    try Data(lines.joined(separator: "\n").utf8).write(to: file)
    return "seed \(seed): backflow run \(file.path) --keep-going --json"
  }
}

/// A process that runs many commands.
private final class CommandRun {
  /// The seconds of work after which a command that has not ended hangs.
  ///
  /// Time of the processor counts, so that a busy machine does not matter.
  static let patience = 20.0

  private let folder: Folder
  private let process: Program.Running
  private var said = 0
  private var workThen = 0.0
  /// The most memory that it held, in MiB.
  private(set) var peak = 0
  /// Whether it was ended since a command hung.
  private(set) var isStuck = false

  init(_ lines: [String], _ options: [String]) throws {
    folder = try Folder()
    try folder.write(lines.joined(separator: "\n") + "\n", to: "script.txt")
    process = try Program.Running(
      ["run", "script.txt", "--keep-going", "--json"] + options, in: folder)
  }

  /// Waits until all have ended, and ends what hangs.
  static func watch(_ runs: [CommandRun]) {
    while runs.contains(where: \.process.isRunning) {
      usleep(20_000)
      for run in runs where run.process.isRunning { run.look() }
    }
  }

  private func look() {
    peak = max(peak, process.peak)
    if process.size > said { (said, workThen) = (process.size, process.work) }
    isStuck = process.work - workThen > Self.patience
    if isStuck { process.stop() }
  }

  /// How it ended, and all that it answered.
  func ending() throws -> (Program.Ending, [CommandAnswer]) {
    let ending = try process.ending(within: 60)
    return (ending, try ending.lines.map { try CommandAnswer($0, in: folder) })
  }
}

/// What came back for one command.
private struct CommandAnswer {
  let line: Int
  let command: String
  let isDone: Bool
  /// All of it but the time that it took, and the folder.
  let text: String
  /// What is wrong with the answer itself.
  let fault: String?

  init(_ text: String, in folder: Folder) throws {
    let object = try JSONLine(text)
    self.text = text.replacing(#/"seconds":[0-9.e-]+/#, with: "", maxReplacements: 1)
      .replacing(folder.url.path, with: "")
    line = object.number("line").map { Int($0) } ?? 0
    command = object.text("command") ?? ""
    isDone = object.status == "ok"
    let error = object["error"]
    let (message, hint) = (error.text("message") ?? "", error.text("hint") ?? "")
    var needed: Set = ["line", "command", "status", "seconds"]
    needed.formUnion(isDone ? ["result", "warnings", "files"] : ["error"])
    if !object.keys.isSuperset(of: needed) {
      fault = "a key is missing"
    } else if !isDone, message.isEmpty || error.text("code")?.isEmpty != false {
      fault = "an error without code or message"
    } else if !isDone, hint.isEmpty || message.contains(hint) {
      fault = "an error without a cure"
    } else {
      fault = nil
    }
  }
}
