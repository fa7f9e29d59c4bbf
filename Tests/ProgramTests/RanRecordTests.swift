import Foundation
import Testing

/// Sessions whose commands fail, work where they must fail, or are ended from outside: the record
/// holds what ran.
struct `A record of what ran` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let data = ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]

  /// Runs lines, whatever fails, and answers with the session they saved as `s`.
  private func record(_ lines: [String]) throws -> String {
    let ending = try folder.run(lines, "--keep-going")
    #expect(!ending.crashed, "\(ending.errors.suffix(2000))")
    return try folder.read("out/script.txt/s.session")
  }

  private func replay() throws -> Program.Ending {
    try Program.run(["replay", "out/script.txt/s.session"], in: folder)
  }

  /// The lines of the session file from one on that begins so.
  private func lines(_ text: String, from start: String) -> [String] {
    Array(text.split(separator: "\n").map(String.init).drop { !$0.hasPrefix(start) })
  }

  @Test(arguments: ["session save s", "export e.ipynb", "session pack s.zip"])
  func `survives a command that works under fails`(line: String) throws {
    let ending = try folder.run(["fails conv", line, "net show"], "--keep-going")
    #expect(!ending.crashed && ending.status == 1, "\(ending.errors.suffix(2000))")
    #expect(ending.errors.contains("the command did not fail"))
    #expect(ending.output.contains("there are no layers") || !ending.output.contains("c1 "))
  }

  @Test func `holds no trace of what worked under fails`() throws {
    let text = try record(["fails conv", "block channels=2", "net show", "session save s"])
    #expect(!text.contains("fails") && !text.contains("conv  "), "\(text)")
    #expect(try replay().status == 0)
  }

  @Test func `has the steps that a training made before a NaN stopped it`() throws {
    let text = try record(
      Self.data + [
        "conv channels=8 act=relu", "block channels=8 convs=2", "conv", "optimizer sgd lr=1e5",
        "train steps=50", "stats c1.weight", "plot loss", "session save s",
      ])
    #expect(!text.contains("> fails train"))
    let line = try #require(lines(text, from: "> train").first)
    #expect(
      line.wholeMatch(of: /> train steps=[1-9]\d*  # stopped by a non-finite .+ in step \d+/) != nil
    )
    let ending = try replay()
    #expect(ending.status == 0 && ending.output.contains("left every tensor as recorded"))
    #expect(ending.lines.last?.contains(" 0 not checked, 0 differ") == true, "\(ending.output)")
  }

  @Test func `has the same epochs when a NaN came with the first step of one`() throws {
    // One step an epoch, so that every step is the first of one.
    let text = try record(
      Self.data + [
        "conv channels=8 act=relu", "conv", "optimizer sgd lr=1e5", "train epochs=50",
        "continue steps=2", "optimizer sgd lr=1e-30", "train steps=1", "session save s",
      ])
    #expect(text.contains("  # stopped by a non-finite "), "\(text)")
    let ending = try replay()
    #expect(ending.status == 0, "\(ending.output)")
  }

  @Test func `goes on by as many steps as were left when a clock ended a training`() throws {
    let text = try record(
      Self.data + [
        "conv", "train epochs=60 time=0.002s", "continue", "stats c1.weight", "session save s",
      ])
    #expect(lines(text, from: "> train").first?.hasSuffix("# time is over") == true)
    #expect(text.contains(/\n> continue steps=\d+\n/), "\(text)")
    let ending = try replay()
    #expect(ending.status == 0, "\(ending.output)")
  }

  @Test func `takes back the same line behind a failure that is recorded`() throws {
    let text = try record(
      ["conv", "let a = 1", "foo", "undo", "net show", "session save s errors=yes"])
    #expect(text.contains("> fails foo\n") && text.contains("> undo\nundone  let a = 1\n"))
    #expect(try replay().status == 0)
  }

  @Test func `is as before when a command fails that had begun`() throws {
    let text = try record(
      Self.data + [
        "conv", "forward noisy[0]", "step", "set limit.memory=1KiB", "train steps=1", "where",
        "session save s",
      ])
    #expect(lines(text, from: "> where").count > 1, "the open pass stays open")
    #expect(try replay().status == 0)
  }

  @Test func `carries no stamp of BLAS where none ran`() throws {
    let lines = Self.data + ["conv", "train steps=2", "evaluate", "session save s replace=yes"]
    #expect(!(try record(lines)).contains("#@ blas"))
    #expect(try !folder.read("out/script.txt/s.ledger").contains("openblas"))
    let checking = lines.dropLast() + ["gradcheck samples=2", "session save s replace=yes"]
    #expect(try record(Array(checking)).contains("#@ blas: openblas"))
    #expect(try folder.read("out/script.txt/s.ledger").contains("openblas"))
  }

  @Test func `holds the value that --let gave`() throws {
    try folder.write("let n = 1\nphantom size=16 slices=$n\nsession save s\n", to: "a.txt")
    #expect(try Program.run(["run", "a.txt", "--let", "n=3"], in: folder).status == 0)
    let ending = try Program.run(["replay", "out/a.txt/s.session"], in: folder)
    #expect(ending.status == 0, "\(ending.output)")
    #expect(try folder.read("out/a.txt/s.session").contains("> let n = 3\n"))
  }
}
