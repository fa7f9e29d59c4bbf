import Figures
import Foundation
import Testing

/// Pictures under the lines of commands, as each terminal shows them.
@Suite(.enabled(if: Terminal.isAvailable))
struct `Pictures at the prompt` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// What terminals answer: kitty's graphics, the size of a cell, abilities.
  private static let (kitty, sixel, plain) = (
    "\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[6;20;10t\u{1B}[?62;c", "\u{1B}[6;16;8t\u{1B}[?62;4;22c",
    "\u{1B}[?62;22c"
  )

  private func terminal(
    _ answer: String?, _ environment: [String: String] = [:], columns: UInt16 = 80
  ) throws -> Terminal {
    let xterm = ["TERM": "xterm-256color", "COLORTERM": "", "NO_COLOR": "", "TMUX": ""]
    let terminal = try Terminal(
      in: folder, columns: columns, environment: xterm.merging(environment) { $1 }, answer: answer)
    try terminal.wait(for: "\n> ")
    try terminal.type("phantom size=64 slices=1\r", until: "\n> ")
    return terminal
  }

  /// What follows the line of a picture, up to the next prompt.
  private func view(_ terminal: Terminal) throws -> String {
    let shown = try terminal.type("view clean[0]\r", until: "\n> ")
    let line = try #require(
      shown.firstRange(of: /\[png clean-0\S*\.png\s+64x64 gray8\s+px:\w+\]\n/))
    return String(shown[line.upperBound...].dropLast(2))
  }

  @Test(arguments: [40, 80] as [UInt16], ["C.UTF-8", "C"])
  func `are a file of kitty's where the terminal says so`(
    columns: UInt16, locale: String
  ) throws {
    let terminal = try terminal(Self.kitty, ["LC_ALL": locale], columns: columns)
    let shown = try view(terminal)
    let base64 = shown.matches(of: /\e_G[^;]*;([^\e]*)\e\\/).map { String($0.1) }.joined()
    let data = try #require(Data(base64Encoded: base64))
    let picture = try PNG(path: folder.path("clean-0.png")).picture
    let side = min(256, 10 * (Int(columns) - 1))
    #expect(try PNG(decoding: Array(data)).picture == picture.resized(width: side, height: side))
    // A narrow screen breaks the lines.
    let words = try terminal.type("terminal\r", until: "\n> ").split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
    #expect(words.contains("pictures kitty (the terminal says that it has kitty's graphics)"))
    #expect(words.contains("\(columns)×24 cells · a cell has 10×20 pixels"))
    #expect(try terminal.leave() == 0)
  }

  @Test func `are sixels, blocks, dots or nothing elsewhere`() throws {
    let sixel = try terminal(Self.sixel)
    #expect(try view(sixel).hasPrefix("\u{1B}P0;1;0q\"1;1;256;"))
    #expect(try sixel.leave() == 0)
    let blocks = try terminal(Self.plain)
    #expect(try view(blocks).contains("▀"))
    #expect(try blocks.leave() == 0)
    let silent = try terminal(nil, ["COLORTERM": "truecolor"])
    #expect(try view(silent).contains("\u{1B}[38;2;"))
    #expect(try silent.leave() == 0)
    let iTerm = try terminal(Self.plain, ["TERM_PROGRAM": "iTerm.app"])
    #expect(try view(iTerm).hasPrefix("\u{1B}]1337;File=inline=1;"))
    #expect(try iTerm.leave() == 0)
    let gray = try terminal(Self.kitty, ["NO_COLOR": "1"])
    let dots = try view(gray)
    #expect(!dots.contains("\u{1B}") && dots.contains("⣿"), "\(dots)")
    #expect(try gray.leave() == 0)
    let dumb = try terminal(nil, ["TERM": "dumb"])
    #expect(try view(dumb).isEmpty)
    #expect(!dumb.shown.contains("\u{1B}"))
    #expect(try dumb.leave() == 0)
  }

  @Test func `are what 'set pictures' says, in the size that the terminal has then`() throws {
    let terminal = try terminal(Self.kitty)
    try terminal.type("set pictures=half-block\r", until: "\n> ")
    let wide = try view(terminal).split(separator: "\n").count
    terminal.resize(columns: 20)
    let narrow = try view(terminal).split(separator: "\n").count
    #expect(wide == 21 && narrow == 10, "\(wide), \(narrow)")
    try terminal.type("set pictures=off\r", until: "\n> ")
    #expect(try view(terminal).isEmpty)
    #expect(try terminal.leave() == 0)
  }

  @Test func `wait for a late answer, which nobody sees`() throws {
    let terminal = try terminal(nil)
    #expect(try view(terminal).contains("▀"))
    try terminal.type("let a\(Self.kitty) = 'b'\r", until: "\n> ")
    try terminal.type("help $a\r", until: "no help on \"b\"")
    #expect(try view(terminal).hasPrefix("\u{1B}_G"))
    #expect(try terminal.leave() == 0)
  }

  @Test func `take turns at one place until Ctrl-C`() throws {
    let terminal = try terminal(Self.kitty)
    try terminal.type("noise gaussian\r", until: "\n> ")
    let shown = try terminal.type(
      "blink noisy[0] clean[0] times=2 pause=0.1s\r", until: "\r> ")
    let actions = shown.matches(of: /\e_Ga=([a-zA-Z]),[^;\e]*i=(\d+)/).map { "\($0.1)\($0.2)" }
    let (one, two) = (0x4246_0000, 0x4246_0001)
    let turn = ["p\(one)", "d\(two)", "p\(two)", "d\(one)"]
    #expect(actions == ["t\(one)", "t\(two)"] + turn + turn)
    #expect(shown.contains(/clean\[0\] − noisy\[0\]  rmse (39|40)\./))
    // 13 rows of 20 pixels hold 256.
    #expect(shown.contains("\u{1B}[13A\u{1B}7") && shown.contains("\u{1B}8\u{1B}[13B"))
    try terminal.type("blink noisy[0] clean[0] times=1000 pause=1h\r", until: "a=p")
    try terminal.interrupt(until: "> ")
    try terminal.type("stats clean\r", until: "std")
    #expect(try terminal.leave() == 0)
  }

  @Test func `are shown while a script runs, which asks the terminal nothing`() throws {
    try folder.write(
      "phantom size=64 slices=1\nview clean[0]\nset pictures=off\nview clean[1]\n",
      to: "s.session")
    for (kind, code) in [
      ("xterm-kitty", "\u{1B}_G"), ("foot", "\u{1B}P"), ("xterm-256color", "▀"), ("vt100", "⣿"),
      ("dumb", ""),
    ] {
      let terminal = try Terminal(
        ["run", "s.session"], in: folder,
        environment: [
          "TERM": kind, "COLORTERM": "", "NO_COLOR": "", "TMUX": "", "STY": "", "TERM_PROGRAM": "",
        ])
      #expect(try terminal.ending() == 0)
      #expect(!terminal.shown.contains("\u{1B}[c"), "\(kind)")
      let parts = terminal.shown.split(separator: "\n> ").map { $0.split(separator: /px:\w+\]\n/) }
      #expect(parts.count == 4 && parts[3].count == 1, "\(kind)")
      #expect(parts[1].count == (code.isEmpty ? 1 : 2), "\(kind)")
      if !code.isEmpty { #expect(parts[1].last?.contains(code) == true, "\(kind)") }
    }
  }

  @Test func `do not change what is recorded`() throws {
    let lines = [
      "phantom size=64 slices=1", "noise gaussian", "view noisy[1]", "panel clean[0] noisy[0]",
      "hist noisy[0]", "blink clean[0] noisy[0] times=1 pause=0.1s",
    ]
    var records: [String] = []
    let piped = try Program.run(
      [], input: (lines + ["session save piped"]).joined(separator: "\n") + "\n", in: folder)
    #expect(piped.status == 0 && !piped.output.contains("\u{1B}"), "\(piped.errors)")
    records.append(try folder.read("out/standard-input/piped.session"))
    for (name, answer, kind) in [
      ("kitty", Self.kitty, "xterm-kitty"), ("blocks", Self.plain, "xterm-256color"),
      ("dumb", nil, "dumb"),
    ] as [(String, String?, String)] {
      let terminal = try Terminal(
        in: folder, environment: ["TERM": kind, "NO_COLOR": "", "COLORTERM": ""], answer: answer)
      for line in lines {
        // Pictures in turn leave the cursor below them, at the start of a row.
        try terminal.type("\(line)\r", until: line.hasPrefix("blink") ? "> " : "\n> ")
      }
      try terminal.type("session save \(name)\r", until: "saved  \(name).session")
      #expect(try terminal.leave() == 0)
      #expect(terminal.shown.contains("\u{1B}_Ga=T") == (name == "kitty"))
      records.append(try folder.read("\(name).session"))
    }
    #expect(records[0].contains("[png noisy-1.png 64x64 gray8") && !records[0].contains("\u{1B}"))
    for record in records.dropFirst() { #expect(record == records[0]) }
  }
}
