import Foundation
import Testing

/// Hints at the right of the line, in each locale and width.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `Hints at the prompt` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func terminal(
    _ columns: UInt16, _ locale: String = "C.UTF-8", _ variables: [String: String] = [:]
  ) throws -> Terminal {
    let environment = ["LC_ALL": locale, "NO_COLOR": ""].merging(variables) { $1 }
    let terminal = try Terminal(in: folder, columns: columns, environment: environment)
    try terminal.wait(for: "\n> ")
    return terminal
  }

  @Test(arguments: [40, 80] as [UInt16], ["C.UTF-8", "C"])
  func `stand at the right, leave before the next key, and are cut to the width`(
    columns: UInt16, locale: String
  ) throws {
    let terminal = try terminal(columns, locale)
    let shown = try terminal.type("block channels=8", until: "\u{1B}[2mb1.out [N,8,H,W]")
    let start = try #require(shown.matches(of: /\e7\e\[(\d+)G\e\[2m(b1[^\e]*)/).last)
    try terminal.type("x", until: "\u{1B}[31m")
    let all = terminal.shown
    let hints = all.matches(of: /\e7\e\[(\d+)G\e\[\d+m([^\e]*)\e\[0m\e8/)
    for hint in hints {
      #expect(try #require(Int(hint.1)) + hint.2.count <= Int(columns), "\(hint.0)")
    }
    #expect(hints.count > 1 && Int(start.1) ?? 0 > 20)
    // "> block channels=8" ends in column 18; what is behind it goes.
    #expect(all.contains("\u{1B}7\u{1B}[19G\u{1B}[K\u{1B}8x"))
    try terminal.type("\u{7F}\r", until: "80 parameters ·")
    #expect(try terminal.leave() == 0)
    #expect(terminal.isSane)
  }

  @Test func `follow a resize in the middle of a line`() throws {
    let terminal = try terminal(80)
    try terminal.type("block channels=8", until: "· 80 parameters\u{1B}[0m")
    terminal.resize(columns: 40)
    try terminal.wait(for: "\u{1B}[2mb1.out [N,8,H,W]\u{1B}[0m")
    terminal.resize(columns: 20)
    let shown = try terminal.type(" ", until: "\u{1B}[J")
    #expect(!shown.contains("\u{1B}[2m"), "there is no room")
    try terminal.type("\r", until: "80 parameters")
    #expect(try terminal.leave() == 0)
  }

  @Test func `have no color under NO_COLOR, and are off when somebody says so`() throws {
    let terminal = try terminal(80, "C.UTF-8", ["NO_COLOR": "1"])
    try terminal.type(
      "nosie", until: "Gthere is no command \"nosie\"; did you mean \"noise\"?\u{1B}8")
    try terminal.type("\u{3}set hints=no\r", until: "\n> ")
    let shown = try terminal.type("block channels=8\r", until: "80 parameters")
    #expect(!shown.contains("\u{1B}7"))
    #expect(try terminal.leave() == 0)
    #expect(!terminal.shown.contains(/\e\[[\d;]*m/))
  }
}
