import Foundation
import Testing

/// Session files with content that nobody records, but somebody may keep, paste or send.
struct `A session file with odd content` {
  let folder: Folder

  init() throws { folder = try Folder() }

  static let texts: [String: String] = [
    "empty": "", "mark": "\u{FEFF}", "comments": "# a\n\n#\n# b", "header": "#! backflow session 1",
    "stamps": "#@ a: b\n#@ data clean: x\n", "stamp": "#@\n> let a = 1\n",
    "lines of Windows": "\u{FEFF}#! backflow session 1\r\n> let a = 1\r\n> stats clean\r\nx\r\n",
    "old lines": "> let a = 1\r> let b = 2\r",
    "stray": "stray\n31.2~inf\n\n> let a = 1\nodd\n\n> \nmore\n>\nx 3~1e999,\n",
    "tolerances": "> let a = 1\n1~\n~\n1~~1\n1~1~1\n\(String(repeating: "9", count: 400))~9\n",
    "zeros": "> let a = 1\n\u{0}\u{1}\u{7F}\n> help\n",
    "pictures": """
    > let a = 1
    [png  px:]
    [png a px:1]
    [png ../../x 1x1 gray8 px:aaaaaaaaaaaa]
    [png x/ 1x1 gray8 px:aaaaaaaaaaaa]
    [png . 1x1 gray8 px:aaaaaaaaaaaa]
    [png \(String(repeating: "a/", count: 2000))b 1x1 gray8 px:aaaaaaaaaaaa]
    """,
    "accents": "> let a = 1\u{301}\n\u{301}> x\n>\u{301} let b = 1\n#\u{301}\n[\u{301}]\n",
    "unfinished": "> let a = 1 \\\n", "torn": "> let a = \\\nx\n",
    "long line": "> let a = \(String(repeating: "x", count: 4000))\n"
      + String(repeating: "y 1~2 ", count: 100_000) + "\n",
    "many lines": (0..<20_000).map { "> let a\($0 % 50) = \($0)\n" }.joined(),
    "much output": "> let a = 1\n" + (0..<100_000).map { "row \($0)\n" }.joined(),
    "many comments": (0..<100_000).map { "# row \($0)\n" }.joined() + "> let a = 1\n",
    "quizzes": "> quiz\n> answer\n> quiz [\n> explain ]]\n> quiz \\\n>\n> explain [ [\n",
    "note of a replay": "#@ replay ran: 99999999999999999999\n#@ replay ran: -1\n> let a = 1\nx\n",
    "many replayed":
      "#@ replay ran: 9223372036854775807\n#@ replay checkpoint: 0 -1\n> let a = 1\nx\n",
  ]

  @Test(arguments: texts.keys.sorted())
  func `ends no program by a trap`(_ kind: String) throws {
    let text = try #require(Self.texts[kind])
    try folder.write(text, to: "odd.session")
    // What stands in the places of a replay's files is as odd.
    for name in ["odd.new", "odd.ledger"] { try folder.write(text, to: name) }
    for command in [["accept"], ["accept", "--tolerant"], ["replay"]] {
      let ending = try Program.run(
        [command[0], "odd.session"] + command.dropFirst(), in: folder, limit: 120)
      #expect(!ending.crashed, "\(command): \(ending.errors.suffix(2000))")
    }
    try FileManager.default.removeItem(atPath: folder.path("odd.ledger"))
    for command in [
      ["replay"], ["accept", "1", "3"], ["accept"], ["replay", "--json"],
      [
        "export", "--html", "o.html", "--markdown", "o.md", "--notebook", "o.ipynb", "--for",
        "students",
      ], ["export", "--pack", "o.zip"], ["run"],
    ] {
      let ending = try Program.run(
        [command[0], "odd.session"] + command.dropFirst(), in: folder, limit: 120)
      #expect(!ending.crashed, "\(command): \(ending.errors.suffix(2000))")
      #expect(ending.status == 0 || !ending.errors.isEmpty || command[0] == "replay", "\(command)")
    }
  }
}
