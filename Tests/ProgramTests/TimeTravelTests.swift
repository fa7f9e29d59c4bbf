import Foundation
import Testing

/// Replays that skip, stop, compare; sessions within sessions; sweeps.
struct TimeTravelTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let training = [
    "let lr = 1e-3", "phantom size=32 slices=4", "noise gaussian sigma=40HU", "block channels=2",
    "conv", "optimizer adam lr=$lr", "train epochs=3", "evaluate", "expect denoised.psnr > 5",
    "stats c1.weight",
  ]

  private func program(_ arguments: String...) throws -> Program.Ending {
    try Program.run(arguments, in: folder)
  }

  @Test func `names the tensor and element of one bit in an edited weight file`() throws {
    let made = try folder.run(
      Self.training + ["net save w.safetensors"], "--out", "o")
    #expect(made.status == 0)
    let loaded = try folder.run(
      ["net load w.safetensors", "stats c1.weight", "session save second"], "--out", "o")
    #expect(loaded.status == 0, "\(loaded.errors)")
    #expect(try program("replay", "o/second.session", "--out", "o").status == 0)
    // The last float of the file is of c1.weight [1,2,3,3], since names are in order.
    var bytes = try Data(contentsOf: folder.url.appending(path: "o/w.safetensors"))
    bytes[bytes.count - 4] ^= 1
    try folder.write(bytes, to: "o/w.safetensors")
    let ending = try program("replay", "o/second.session", "--out", "o")
    #expect(ending.status == 3)
    #expect(ending.output.contains("net load w.safetensors"), "\(ending.output)")
    #expect(ending.output.contains("c1.weight[0,1,2,2] = "), "\(ending.output)")
    #expect(ending.output.contains("1 ulp apart"))
    let json = try program("replay", "o/second.session", "--out", "o", "--json")
    let difference = try #require(
      try JSONLine.all(json.output).last?.objects("differs").first)
    #expect(difference.text("tensor") == "c1.weight" && difference.number("ulp") == 1)
  }

  @Test func `undo within a file takes back a line of that file, never one before it`() throws {
    try folder.write("phantom size=16 slices=2\nset seed=5\nundo\n", to: "inner.session")
    try folder.write("phantom size=16 slices=4\nundo\nfails undo\n", to: "outer.session")
    let ending = try folder.run([
      "phantom size=16 slices=3", "run outer", "data", "run inner", "undo", "data", "undo", "undo",
      "data", "undo", "undo", "undo", "fails stats clean",
    ])
    #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
    #expect(ending.output.components(separatedBy: "> data\nclean  6 slices 16×16").count == 4)
    #expect(ending.output.contains("undone  run inner"))
  }

  @Test func `a file that fails leaves the results of before`() throws {
    try folder.write(
      "stats clean[0, 0, 0:1]\nexpect stats.max < 0\nstats nothing\n", to: "failing.session")
    let ending = try folder.run([
      "phantom size=16 slices=2", "stats clean", "fails run failing", "expect stats.max > 0",
    ])
    #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
  }

  @Test func `goes on when a training cannot be kept`() throws {
    try folder.write(Self.training.joined(separator: "\n") + "\n", to: "s.session")
    #expect(try program("replay", "s.session").status == 0)
    try folder.write("in the way", to: "out/s/checkpoints")
    let ending = try program("replay", "s.session", "--from-checkpoint")
    #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
    let run = try program("run", "s.session", "--from-checkpoint", "--json")
    #expect(run.status == 0 && run.output.contains("this training is not kept"), "\(run.output)")
  }

  @Test func `skips a training whose inputs have not changed, and says so`() throws {
    try folder.write(Self.training.joined(separator: "\n") + "\n", to: "s.session")
    #expect(try program("replay", "s.session", "--from-checkpoint").status == 0)
    #expect(try program("accept", "s.session").status == 0)
    let again = try program("replay", "s.session", "--from-checkpoint")
    #expect(again.status == 0)
    #expect(again.output.contains("taken from a checkpoint"), "\(again.output)")
    #expect(again.lines.last?.contains("1 not checked, 0 differ") == true)
    // Another rate is another training.
    let other = try program("replay", "s.session", "--from-checkpoint", "--let", "lr=1e-2")
    #expect(!other.output.contains("taken from a checkpoint") && other.status == 3)
    #expect(try program("replay", "s.session").lines.last?.contains(" 0 not checked") == true)
    // A damaged one is made again.
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path("out/s/checkpoints"))
    #expect(kept.count == 2)
    for name in kept { try folder.write("nothing", to: "out/s/checkpoints/\(name)") }
    let made = try program("replay", "s.session", "--from-checkpoint")
    #expect(made.status == 0 && !made.output.contains("taken from a checkpoint"))
  }

  @Test func `a sweep gives one table and a transcript for each value`() throws {
    try folder.write(Self.training.joined(separator: "\n") + "\n", to: "s.session")
    let ending = try program("run", "s.session", "--sweep", "lr=1e-4,1e-3,1e-2")
    #expect(ending.status == 0, "\(ending.errors)")
    let rows = ending.lines.filter { $0.contains("1 of 1") }
    #expect(
      rows.count == 3
        && Set(rows.compactMap { $0.split(separator: " ").dropFirst(2).first }).count == 3)
    for value in ["1e-4", "1e-3", "1e-2"] {
      let session = "out/s/lr=\(value).session"
      #expect(try folder.read(session).contains("> let lr = \(value)\n"))
      #expect(try program("replay", session).status == 0)
    }
    let failing = try program("run", "s.session", "--sweep", "lr=1e-3,3")
    #expect(failing.status == 1 && failing.output.contains("0 of 1, not line 9"))
    let json = try JSONLine.all(
      try program("run", "s.session", "--sweep", "lr=1e-4,1e-2", "--json").output)
    #expect(json.count == 2)
    for wrong in ["lr", "lr=", "1=2", "rl=1,2", "lr=1,1"] {
      #expect(try program("run", "s.session", "--sweep", wrong).status == 2, "\(wrong)")
    }
  }

  @Test func `run and replay work as commands, and run is all or nothing`() throws {
    try folder.write("phantom size=16 slices=1\nstats clean\n", to: "a.session")
    try folder.write("run b\n", to: "b.session")
    try folder.write("phantom size=16 slices=2\nstats nothing\n", to: "c.session")
    let ending = try folder.run([
      "run a", "undo", "fails stats clean", "run a.session", "fails run b", "fails run c", "data",
      "session save first",
    ])
    #expect(ending.status == 0, "\(ending.errors)")
    #expect(ending.output.contains("> data\nclean  2 slices 16×16"), "\(ending.output)")
    #expect(ending.output.contains("failed: run stands in run more than 8 times"))
    let replay = try folder.run(["replay out/script.txt/first", "fails stats clean"])
    #expect(replay.status == 0 && replay.output.contains(" 0 differ"), "\(replay.output)")
    #expect(try program("replay", "out/script.txt/first.session").status == 0)
    try folder.write("phantom size=16 slices=3\n", to: "a.session")
    #expect(try program("replay", "out/script.txt/first.session").status == 4)
  }

  @Test(arguments: ["01-first-look", "02-first-denoise"])
  func `a session recorded on one thread replays on two and with another BLAS`(
    name: String
  ) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let source = try Data(contentsOf: root.appending(path: "sessions/\(name).session"))
    try folder.write(source, to: "s.session")
    #expect(try program("replay", "s.session", "--threads", "1").status == 0)
    #expect(try program("accept", "s.session").status == 0)
    #expect(try folder.read("s.session").contains("#@ threads: 1\n") && folder.exists("s.ledger"))
    for core in ["Prescott", "Sandybridge", "Haswell"] {
      let ending = try Program.run(
        ["-c", "OPENBLAS_CORETYPE=\(core) exec \"$0\" replay s.session --threads 2", Program.path],
        program: "/bin/bash", in: folder)
      #expect(ending.status == 0, "\(core): \(ending.output)")
      #expect(ending.lines.last?.hasSuffix("0 not checked, 0 differ") == true)
    }
  }
}
