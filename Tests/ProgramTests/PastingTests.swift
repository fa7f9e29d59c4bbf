import Foundation
import Testing

/// What comes faster than a person types: pastes, with marks and without, whole and in pieces.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `A paste at the prompt` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func terminal(_ kind: String = "vt100") throws -> Terminal {
    let terminal = try Terminal(in: folder, environment: ["TERM": kind])
    try terminal.wait(for: "\n> ")
    return terminal
  }

  /// Presses keys in two pieces with some time between them.
  private func press(_ text: String, cutAt count: Int, at terminal: Terminal) throws {
    try terminal.press(text.utf8.prefix(count))
    for _ in 0..<8 { terminal.pause() }
    try terminal.press(text.utf8.dropFirst(count))
  }

  @Test(arguments: 1..<6)
  func `may have codes in two pieces`(count: Int) throws {
    let terminal = try terminal()
    let start = "\u{1B}[200~"
    let end = start.replacing("0~", with: "1~")
    try press("\(start)let a = 'x\(count)'\n\(end)", cutAt: count, at: terminal)
    try terminal.wait(for: "x\(count)'\n")
    let text = "\u{1B}[200~let b = ${a}y\u{1B}[201~"
    try press(text, cutAt: text.utf8.count - count, at: terminal)
    try terminal.type("\r", until: "\n> ")
    try terminal.type("help $b\r", until: "no help on \"x\(count)y\"")
    #expect(!terminal.shown.contains("00~") && !terminal.shown.contains("01~"))
    #expect(try terminal.leave() == 0)
  }

  @Test func `may end without a beginning`() throws {
    let terminal = try terminal()
    try terminal.type("let a = \u{1B}[201~12\r", until: "\n> ")
    try terminal.type("help $a\r", until: "no help on \"12\"")
    #expect(try terminal.leave() == 0)
  }

  private static let transcript = """
    # Notes
    > let a = 1 # one
    output of it
    > let b = \\
    >   ${a}5
    more output
    > help $b
    error: that is output, too

    """

  @Test(arguments: ["vt100", "dumb"])
  func `of a transcript runs its commands, also without marks`(kind: String) throws {
    let terminal = try terminal(kind)
    let text = Self.transcript.replacing("\n", with: "\r")
    try terminal.type(text, until: "no help on \"15\"")
    try terminal.type("let c = ${b}9\r", until: "\n> ")
    try terminal.type("help $c\r", until: "no help on \"159\"")
    #expect(!terminal.shown.contains("there is no command"), "\(terminal.shown)")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: ["vt100", "dumb"])
  func `of one line may begin with the prompt`(kind: String) throws {
    let terminal = try terminal(kind)
    try terminal.type("> let a = 12\r", until: "\n> ")
    try terminal.type("help $a\r", until: "no help on \"12\"")
    try terminal.type("session save kept\r", until: "saved  kept.session")
    #expect(try terminal.leave() == 0)
    #expect(try folder.read("kept.session").contains("\n> let a = 12\n"))
  }

  @Test func `of 20,000 lines runs, and as many from a pipe`() throws {
    let lines = (0..<20_000).map { "let v\($0) = \($0)" } + ["help $v19999"]
    let ending = try Program.run(
      [], input: lines.joined(separator: "\n"), in: folder, limit: 120)
    #expect(ending.errors.contains("no help on \"19999\""))
    let terminal = try terminal()
    try terminal.press("\u{1B}[200~\(lines.joined(separator: "\n"))\u{1B}[201~\r".utf8)
    try terminal.wait(for: "no help on \"19999\"")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: ["vt100", "dumb"])
  func `of a transcript whose lines are indented runs all of them`(kind: String) throws {
    let terminal = try terminal(kind)
    try terminal.type("> let a = 1\r> let b = ${a}2\r  > help ${b}3\r", until: "no help on \"123\"")
    #expect(try terminal.leave() == 0)
  }
}
