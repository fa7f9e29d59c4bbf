import Foundation
import Testing

/// `replay --to LINE` at a terminal.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `Handing over` {
  @Test func `gives the prompt with the state of that line, and saves all that came before`() throws
  {
    let folder = try Folder()
    let made = try folder.run(
      [
        "phantom size=16 slices=2", "noise gaussian sigma=40HU", "conv", "train steps=2",
        "stats c1.weight", "session save first",
      ], "--out", "o")
    #expect(made.status == 0)
    let text = try folder.read("o/first.session")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let line = try #require(lines.firstIndex { $0.hasPrefix("> train") }) + 1
    let terminal = try Terminal(
      ["replay", "o/first.session", "--to", "\(line)", "--out", "o"], in: folder)
    try terminal.wait(for: "0 differ")
    try terminal.wait(for: "> ")
    try terminal.type("stats noisy[0]\r", until: "std")
    try terminal.type("fails stats c1.weight.m\r", until: "failed: ")
    try terminal.type("undo\r", until: "undone")
    try terminal.type("train steps=2\r", until: "loss")
    try terminal.type("stats c1.weight\r", until: "std")
    try terminal.type("session save second\r", until: "saved")
    #expect(try terminal.leave() == 0)
    let saved = try folder.read("o/second.session")
    #expect(saved.contains("> phantom size=16 slices=2\n") && saved.contains("> train steps=2\n"))
    let weights = text.components(separatedBy: "> stats c1.weight\n").last
    #expect(saved.components(separatedBy: "> stats c1.weight\n").last == weights)
    #expect(try Program.run(["replay", "o/second.session"], in: folder).status == 0)
  }

  @Test func `keeps the prose of the script and what is typed, and blames no file for it`() throws {
    let folder = try Folder()
    let script =
      "# A lesson\n\nphantom size=16 slices=1\n# Look\nview clean[0]\n# Later\nstats clean\n"
    try folder.write(script, to: "lesson.session")
    let terminal = try Terminal(["run", "lesson.session", "--to", "6", "--out", "o"], in: folder)
    try terminal.wait(for: "px:")
    try terminal.wait(for: "\n> ")
    try terminal.type("# By hand\r", until: "> ")
    try terminal.type("\r", until: "> ")
    try terminal.type("stats cleen\r", until: "did you mean")
    #expect(!terminal.shown.contains("lesson.session:"))
    try terminal.type("stats clean[0]\r", until: "std")
    try terminal.type("session save mine\r", until: "saved  o/mine.session")
    #expect(try terminal.leave() == 0)
    let lines = try folder.read("o/mine.session").split(
      separator: "\n", omittingEmptySubsequences: false
    ).filter { $0.isEmpty || $0.hasPrefix("# ") || $0.hasPrefix("> ") }
    #expect(
      lines == [
        "# A lesson", "", "> phantom size=16 slices=1", "# Look", "> view clean[0]", "# By hand",
        "", "> stats clean[0]", "",
      ])
    #expect(try Program.run(["replay", "o/mine.session"], in: folder).status == 0)
  }
}
