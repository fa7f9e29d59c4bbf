import Foundation
import TestSupport
import Testing

/// What is left when the program or the disk ends in the middle.
@Suite(.serialized)
struct `What was shown` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// How often the program is killed: `make test-kill` asks for 200.
  static let kills = ProcessInfo.processInfo.environment["BACKFLOW_KILLS"].flatMap(Int.init) ?? 12

  private static let lines =
    ["phantom size=32 slices=2", "noise gaussian sigma=40HU", "block channels=2", "conv"]
    + (0..<12).flatMap { ["train steps=2", "view denoised[\($0 % 4)]", "stats c1.weight"] }

  @Test(.enabled(if: Terminal.isAvailable))
  func `is on disk and replays, whenever the program is killed`() throws {
    var dice = Dice(seed: 9)
    var lengths: Set<Int> = []
    for kill in 0..<Self.kills {
      let place = try Folder()
      let terminal = try Terminal(in: place)
      try terminal.wait(for: "\n> ")
      let typed = Self.lines.map { $0 + "\n" }.joined()
      try terminal.press("\u{1B}[200~\(typed)\u{1B}[201~".utf8)
      usleep(UInt32(dice.next(600_000)))
      terminal.send(SIGKILL)
      #expect(try terminal.ending() == -SIGKILL)
      // Each command's output comes right before the next prompt.
      let shown = terminal.shown.components(separatedBy: "\nclean  4 slices").count - 1
      let sessions = place.path("state/backflow/sessions")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: sessions)) ?? []
      guard let name = names.first(where: { $0.hasSuffix(".session") }) else {
        #expect(shown == 0, "kill \(kill): what was shown is not on disk")
        continue
      }
      let text = try place.read("state/backflow/sessions/\(name)")
      let commands = text.split(separator: "\n").filter { $0.hasPrefix("> ") }
        .map { String($0.dropFirst(2)) }
      #expect(commands == Array(Self.lines.prefix(commands.count)), "kill \(kill)")
      lengths.insert(commands.count)
      let replay = try Program.run(["replay", "\(sessions)/\(name)"], in: place)
      #expect(replay.status == 0, "kill \(kill): \(replay.output) \(replay.errors)")
      #expect(replay.lines.last?.contains(" 0 not checked, 0 differ") == true)
    }
    #expect(lengths.count > min(Self.kills / 6, 20), "the kills came at \(lengths.sorted())")
  }

  /// Runs a script in which no file may grow beyond `limit` KiB, as on a full disk.
  private func run(_ lines: [String], limit: Int) throws -> Program.Ending {
    try folder.write(lines.joined(separator: "\n") + "\n", to: "script.txt")
    return try Program.run(
      ["-c", "ulimit -f \(limit); exec \"$0\" run script.txt --keep-going", Program.path],
      program: "/bin/bash", in: folder)
  }

  @Test func `stays when the disk is full, which is an error of the command that met it`() throws {
    let ending = try run(
      [
        "phantom size=128 slices=2", "noise gaussian", "conv channels=64", "conv", "train steps=1",
        "save tensor clean[0] small.npy", "view clean[0]", "session save first",
        "save tensor clean[0:4] big.npy", "save dicom clean ct",
        "phantom size=256 slices=1 save=ct",
        "save image noisy[0] big.png bits=16", "checkpoint big", "stats clean",
        "session save second",
      ], limit: 80)
    #expect(!ending.crashed && ending.status == 1, "\(ending.errors)")
    for name in ["big.npy", "big.checkpoint"] {
      #expect(
        ending.complaints.contains { $0.contains("\(name) cannot be written: file too large") })
    }
    #expect(ending.output.contains("> stats clean\nclean [4,1,128,128]"))
    #expect(!folder.exists("out/script.txt/big.npy"))
    for name in ["first", "second"] {
      let replay = try Program.run(
        ["replay", "out/script.txt/\(name).session", "--out", "o"], in: folder)
      #expect(replay.status == 0, "\(replay.output)")
    }
    let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path("out/script.txt"))
    #expect(!left.contains { $0.contains(".part") || $0.contains(".tmp") }, "\(left)")
  }

  @Test func `to a standard output that is full ends the program with an error`() throws {
    try folder.write("let a = 1\nlet b = 2\n", to: "script.txt")
    let ending = try Program.run(
      ["-c", "\"$0\" run script.txt > /dev/full", Program.path], program: "/bin/bash", in: folder)
    #expect(ending.status == 1 && !ending.crashed)
    #expect(ending.errors.contains("standard output cannot be written: no space left on device"))
  }

  @Test func `replaces no session or ledger by half of one`() throws {
    let ending = try folder.run(
      ["phantom size=16 slices=1", "stats clean", "session save first"])
    #expect(ending.status == 0)
    let session = try folder.read("out/script.txt/first.session")
    let long = (0..<3000).map { "let a\($0) = \($0)" }
    let full = try run(
      ["phantom size=16 slices=1"] + long + ["session save first replace=yes"], limit: 8)
    #expect(full.status == 1 && full.errors.contains("cannot be written"))
    #expect(try folder.read("out/script.txt/first.session") == session)
    #expect(try Program.run(["replay", "out/script.txt/first.session"], in: folder).status == 0)
  }

  @Test(arguments: [("export e.html", "e.html"), ("session pack p.zip", "p.zip")])
  func `names the page or pack that was asked for when its parts find no room`(
    line: String, name: String
  ) throws {
    // From standard input, no command is echoed, so that the output itself stays small.
    let lines = (0..<3000).map { "let a\($0) = \($0)" } + [line]
    try folder.write(lines.joined(separator: "\n") + "\n", to: "script.txt")
    let ending = try Program.run(
      ["-c", "ulimit -f 8; exec \"$0\" < script.txt", Program.path], program: "/bin/bash",
      in: folder)
    #expect(ending.status == 1 && ending.complaints.count == 1, "\(ending.errors)")
    let complaint = try #require(ending.complaints.first)
    #expect(complaint.contains(" error: \(name) cannot be written: "), "\(complaint)")
    #expect(complaint.contains("make room on the disk") && !complaint.contains("backflow-pack"))
  }
}
