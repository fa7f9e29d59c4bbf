import Foundation
import Testing

/// What the prompt makes of a line, and how it shows what comes back.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `The prompt` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func terminal(_ kind: String = "vt100", columns: UInt16 = 80) throws -> Terminal {
    let terminal = try Terminal(in: folder, columns: columns, environment: ["TERM": kind])
    try terminal.wait(for: "\n> ")
    return terminal
  }

  @Test(arguments: ["quit", "exit", "EXIT"])
  func `is left by a word`(word: String) throws {
    let terminal = try terminal()
    try terminal.press("\(word)\r".utf8)
    #expect(try terminal.ending() == 0)
    #expect(terminal.isSane)
  }

  @Test(arguments: ["backflow-no-such-terminal", "unknown", "vt52", ""])
  func `sends no codes to a terminal that it does not know`(kind: String) throws {
    let terminal = try terminal(kind)
    try terminal.type("let a = 12\r", until: "\n> ")
    try terminal.type("help $a\r", until: "no help on \"12\"")
    #expect(!terminal.shown.contains("\u{1B}"), "\(terminal.shown)")
    #expect(try terminal.leave() == 0)
  }

  @Test func `gives a mark without a column of its own a circle, and erases both`() throws {
    let terminal = try terminal()
    try terminal.type("let a = 'e\u{301}\u{302}x", until: "x")
    #expect(terminal.shown.contains("e\u{25CC}\u{301}\u{25CC}\u{302}x"))
    // Erasing goes back over one column for each of them.
    try terminal.type("\u{7F}\u{7F}\u{7F}y'\r", until: "\n> ")
    try terminal.type("help $a\r", until: "no help on \"ey\"")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: ["vt100", "dumb"])
  func `repeats a step at an empty line, and records the step`(kind: String) throws {
    let terminal = try terminal(kind)
    let setup = [
      "phantom size=16 slices=1", "noise gaussian", "block channels=2", "conv", "forward noisy[0]",
    ]
    for line in setup { try terminal.type("\(line)\r", until: "\n> ") }
    try terminal.type("\r", until: "\n> ")
    try terminal.type("step\r", until: "\n> ")
    let step = try terminal.type("\r", until: "\n> ")
    #expect(step.split(separator: "\n").count > 1, "\(step)")
    // After another command an empty line is one.
    try terminal.type("stats clean\r", until: "std")
    try terminal.type("\r", until: "\n> ")
    try terminal.type("next\r", until: "\n> ")
    try terminal.type("\r", until: "\n> ")
    try terminal.type("finish\r", until: "\n> ")
    try terminal.type("\r", until: "\n> ")
    try terminal.type("session save s\r", until: "saved  s.session")
    #expect(try terminal.leave() == 0)
    let commands = try folder.read("s.session").split(separator: "\n")
      .filter { $0.hasPrefix(">") }.map { String($0.dropFirst(2)) }
    #expect(
      commands == setup + ["step", "step", "stats clean", "next", "next", "finish"], "\(commands)")
    #expect(try Program.run(["replay", "s.session"], in: folder).status == 0)
  }

  @Test(arguments: ["vt100", "dumb"], [80, 40])
  func `shows help a screen at a time`(kind: String, columns: Int) throws {
    let terminal = try terminal(kind, columns: UInt16(columns))
    var page = try terminal.type("help\r", until: "Enter shows them --\n")
    #expect(page.split(separator: "\n").count <= 25, "a screen has 24 rows, and the line typed")
    try terminal.wait(for: "\n> ")
    page = try terminal.type("\r", until: "\n> ")
    #expect(page.split(separator: "\n").count <= 25)
    // Any other line is a command, and what is left of the help is gone.
    try terminal.type("let a = 12\r", until: "\n> ")
    let empty = try terminal.type("\r", until: "\n> ")
    #expect(!empty.contains("--"))
    // Where more was typed already, all comes at once. A dumb terminal marks no paste.
    let (start, end) = kind == "dumb" ? ("", "") : ("\u{1B}[200~", "\u{1B}[201~")
    try terminal.type("\(start)help\nhelp nothing\n\(end)", until: "no help on \"nothing\"")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: [80, 40])
  func `breaks no word, and shows what can be typed`(columns: Int) throws {
    let terminal = try terminal(columns: UInt16(columns))
    for command in ["load", "break", "session save", "expect"] {
      var text = try terminal.type("help \(command)\r", until: "\n> ")
      while text.contains("Enter shows them") { text = try terminal.type("\r", until: "\n> ") }
    }
    let lines = terminal.shown.split(separator: "\n").map { $0.drop { $0 == "\r" } }
    let wide = lines.filter { $0.count > columns && !$0.contains("\u{1B}") }
    #expect(wide.allSatisfy { !$0.drop { $0 == " " }.contains(" ") }, "\(wide)")
    #expect(!terminal.shown.contains("\\<"))
    #expect(terminal.shown.contains("<"))
    #expect(try terminal.leave() == 0)
  }

  @Test func `cuts the echo of a wrong line at the width of the screen`() throws {
    let terminal = try terminal(columns: 40)
    let word = String(repeating: "x", count: 100)
    let text = try terminal.type("let \(word) = 1 2 $nothing 3\r", until: "error: ")
    let caret = try #require(text.split(separator: "\n").first { $0.contains("^") })
    #expect(caret.count <= 40 && caret.contains("^~~~"))
    #expect(text.contains("$nothing 3\n"))
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: ["vt100", "dumb"], ["n", " no"])
  func `takes n for no where it offers to replace a file`(kind: String, answer: String) throws {
    try folder.write("of somebody else", to: "other.session")
    let terminal = try terminal(kind)
    try terminal.type("session save other\r", until: "Enter runs it with replace=yes")
    try terminal.wait(for: "> session save other replace=yes")
    try terminal.type("\(answer)\r", until: "nothing was replaced")
    try terminal.type("session save more\r", until: "saved  more.session")
    #expect(!terminal.shown.contains("error: replace"))
    #expect(try folder.read("other.session") == "of somebody else")
    #expect(try terminal.leave() == 0)
  }
}
