import CommandLanguage
import Foundation
import Transcripts

/// A small workspace whose pictures are text files and whose numbers can be off, as on another
/// machine.
struct ToyStudio {
  /// Where pictures go.
  var folder: String
  /// What is added to each measured number.
  var offset = 0.0
  /// The pixels of every picture.
  var pixels = "aaaaaaaaaaaa"
  /// The samples of every picture.
  var samples = "gray8"
  /// The fingerprint of the data.
  var data = "sha256:1111"
  var unit = "HU"

  static let commands: [Command<ToyStudio>] =
    [
      Command(
        CommandSpec(
          "load", family: .data, summary: "Load data.", parameters: [.word("path", .path, "where")],
          examples: ["load x"])
      ) { arguments, studio, _ in
        var outcome = Outcome("clean  \(16) slices  mean \(-512.4 + studio.offset, digits: 1) HU")
        outcome.data = [.init(name: try arguments.path("path"), fingerprint: studio.data)]
        return outcome
      },
      Command(
        CommandSpec(
          "measure", family: .looking, summary: "Measure.",
          parameters: [.key("value", .number(), "what", default: .value("31.2"))],
          examples: ["measure"])
      ) { arguments, studio, _ in
        let value = try arguments.number("value").value + studio.offset
        var outcome = Outcome(
          "psnr \(value, digits: 2) dB  \(volatile: "\(Date().timeIntervalSince1970) s")")
        outcome.add(
          OutputTable(
            [.words("name"), .numbers("rmse")],
            rows: [["noisy", "\(value, digits: 2)"], ["<b>", "\(100.5, digits: 1)"]]))
        outcome.say("")
        outcome.say("> unit \(studio.unit)")
        return outcome
      },
      Command(
        CommandSpec("view", family: .looking, summary: "View.", examples: ["view"])
      ) { _, studio, _ in
        try Data(studio.pixels.utf8).write(to: URL(filePath: studio.folder + "/noisy-3.png"))
        var outcome = Outcome()
        outcome.add(
          RecordedPicture(
            path: "noisy-3.png", width: 4, height: 3, samples: studio.samples,
            fingerprint: studio.pixels))
        return outcome
      },
      Command(
        CommandSpec(
          "train", family: .learning, summary: "Train.",
          parameters: [
            .key("epochs", .count(), "how often", default: .value("1")),
            .key("steps", .count(), "exactly so many"),
          ], examples: ["train"], trains: true)
      ) { arguments, studio, _ in
        var outcome = Outcome("loss \(0.5 + studio.offset, digits: 4)")
        outcome.curves = [
          ResultCurve(
            title: "Loss", name: "loss", x: "epoch", y: "loss",
            points: [.init(x: 1, y: 0.5 + studio.offset, low: .nan, high: .infinity)])
        ]
        if arguments.has("epochs") && !arguments.has("steps") {
          outcome.recordedCommand = "train epochs=10 steps=141  # stopped by hand"
          outcome.wasInterrupted = true
        }
        return outcome
      },
      Command(
        CommandSpec(
          "spoil", family: .learning, summary: "Train until a NaN comes.", examples: ["spoil"],
          trains: true)
      ) { _, studio, _ in
        studio.offset += 1
        var error = CommandError(.failed, "a NaN came")
        error.kept = KeptWork("train steps=3  # stopped by a NaN", Outcome("loss 0.5000"))
        throw error
      },
      Command(
        CommandSpec(
          "judge", family: .checking, summary: "Train aside.", examples: ["judge"], trains: true)
      ) { _, studio, _ in Outcome("best \(3.25 + studio.offset, digits: 2)") },
      Command(
        CommandSpec("block", family: .network, summary: "Add a block.", examples: ["block"])
      ) { _, _, _ in Outcome() },
    ] + SessionCommand.allCases.map { Command($0) }

  /// A runner on a studio.
  static func runner(_ studio: ToyStudio) -> CommandRunner<ToyStudio> {
    CommandRunner(commands: commands, workspace: studio)
  }
}

/// A folder for one test, gone at its end.
final class Scratch {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.appending(path: "transcripts-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(
      atPath: path + "/out", withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var out: String { path + "/out" }

  var paths: SessionPaths { SessionPaths(named: path + "/first") }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: path + "/" + name, encoding: .utf8)
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + name)
  }

  static let stamps = [Stamp("backflow", "0.1.0"), Stamp("engine", "SkylakeX")]

  /// Records `lines` and saves them as `first.session`.
  func record(
    _ lines: [String], on studio: ToyStudio? = nil, stamps: [Stamp] = Scratch.stamps
  ) throws {
    let runner = ToyStudio.runner(studio ?? ToyStudio(folder: out))
    var recorder = Recorder()
    for (index, line) in lines.enumerated() {
      if line.hasPrefix("#") {
        recorder.add(note: line)
      } else if let execution = runner.run(line, line: index + 1) {
        recorder.add(execution)
      }
    }
    try recorder.save(to: paths, picturesFrom: out, stamps: stamps)
  }

  /// Replays `first.session`.
  func replay(
    _ studio: ToyStudio? = nil, stamps: [Stamp] = Scratch.stamps,
    player: SessionPlayer = SessionPlayer(), agrees: Bool = false, lets: [String] = []
  ) throws -> ReplayReport {
    var replayer = Replayer(
      paths: paths, outputFolder: out, stamps: stamps,
      pictures: PictureTools(
        fingerprint: { try? String(contentsOfFile: $0, encoding: .utf8) },
        compare: { _, _ in agrees ? .agrees : .differs("see noisy-3-difference.png") }),
      player: player)
    replayer.lets = lets
    return try replayer.replay(on: ToyStudio.runner(studio ?? ToyStudio(folder: out)))
  }

  /// Replaces text in `first.session`.
  func edit(_ old: String, _ new: String) throws {
    try write(try read("first.session").replacing(old, with: new), to: "first.session")
  }
}
