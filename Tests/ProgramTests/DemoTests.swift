import Commands
import Testing

/// The first session that the prompt puts before a person.
@Suite(.enabled(if: Terminal.isAvailable))
struct `The demo` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test func `runs a line with each Enter, lets it be changed, and can be recorded`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    try terminal.type("demo\r", until: "\r> \(demoLines[0])")
    // Fewer pixels: the line is changed before it runs.
    try terminal.type(
      "\u{1}\u{B}phantom size=64 slices=8 patients=3\r", until: "24 slices 64×64")
    try terminal.wait(for: "\r> \(demoLines[1])")
    try terminal.type("\u{1}\u{B}\u{3}", until: "the demo ends here")
    #expect(try terminal.leave() == 0)
  }

  @Test func `comes to its end`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    var start = terminal.position
    try terminal.press("demo\r".utf8)
    for line in demoLines {
      try terminal.wait(for: "\r> \(line)", from: start)
      start = terminal.position
      try terminal.press("\r".utf8)
    }
    try terminal.type("session save first\r", until: "saved  first.session")
    #expect(!terminal.shown.contains("error"), "\(terminal.shown)")
    #expect(try terminal.leave() == 0)
    let commands = try folder.read("first.session").split(separator: "\n")
      .filter { $0.hasPrefix("> ") }.map { String($0.dropFirst(2)) }
    #expect(commands == demoLines)
  }

  @Test func `asks in words where there is no editor`() throws {
    let terminal = try Terminal(in: folder, environment: ["TERM": "dumb"])
    try terminal.type("demo\r", until: "\(demoLines[0])  (Enter runs this)\n> ")
    try terminal.type("\r", until: "\(demoLines[1])  (Enter runs this)\n> ")
    #expect(terminal.shown.contains("24 slices 256×256"))
    #expect(try terminal.leave() == 0)
  }
}
