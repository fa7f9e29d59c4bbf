import Foundation
import Testing

/// The ways out of the prompt, and what is left behind.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `Leaving the prompt` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func prompt() throws -> Terminal {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    return terminal
  }

  /// The file of what was left, as the line of the screen names it that gets it back.
  private func recovery(in text: String) throws -> String {
    String(try #require(text.firstMatch(of: /type:\s+run (\S+\.session)/)?.1))
  }

  @Test(arguments: [SIGTERM, SIGHUP, SIGQUIT])
  func `by a signal restores the terminal and keeps the session`(_ signal: Int32) throws {
    let terminal = try prompt()
    try terminal.type("phantom size=16 slices=1\r", until: "2 slices 16×16")
    try terminal.type("half a li", until: "half a li")
    #expect(!terminal.isSane)
    terminal.send(signal)
    #expect(try terminal.ending() == -signal)
    #expect(terminal.isSane)
    let next = try prompt()
    let file = try recovery(in: next.shown)
    #expect(try Program.run(["replay", file], in: folder).status == 0)
    #expect(try next.leave() == 0)
    #expect(try !prompt().shown.contains("was not saved"))
  }

  @Test func `by kill -9 keeps every command that came to its end, with its pictures`() throws {
    let terminal = try prompt()
    try terminal.type("phantom size=16 slices=1\r", until: "2 slices 16×16")
    try terminal.type("view clean[0]\r", until: "\n> ")
    terminal.send(SIGKILL)
    #expect(try terminal.ending() == -SIGKILL)
    let file = try recovery(in: try prompt().shown)
    let replay = try Program.run(["replay", file], in: folder)
    #expect(replay.status == 0 && replay.output.contains("checked"), "\(replay.output)")
    let picture = file.replacing(".session", with: "/clean-0.png")
    #expect(FileManager.default.fileExists(atPath: picture))
  }

  @Test func `by Ctrl-D names what was not saved; saved work leaves nothing behind`() throws {
    let terminal = try prompt()
    try terminal.type("phantom size=16 slices=1\r", until: "2 slices 16×16")
    #expect(try terminal.leave() == 0)
    #expect(terminal.shown.contains("this session is kept"))
    let next = try prompt()
    _ = try recovery(in: next.shown)
    try next.type("phantom size=16 slices=1\r", until: "2 slices 16×16")
    try next.type("session save mine\r", until: "saved")
    #expect(try next.leave() == 0)
    #expect(!next.shown.contains("this session is kept"))
    #expect(try !prompt().shown.contains("was not saved"))
  }

  @Test func `leaves a line that gets the work back where it is typed, line by line`() throws {
    let terminal = try prompt()
    try terminal.type("# What I tried\r", until: "> ")
    try terminal.type("phantom size=16 slices=1\r", until: "2 slices 16×16")
    try terminal.type("view clean[0]\r", until: "\n> ")
    #expect(try terminal.leave() == 0)
    let next = try prompt()
    let file = try recovery(in: next.shown)
    try next.type("run \(file)\r", until: "[png clean-0-2.png")
    try next.type("undo\r", until: "undone  view clean[0]")
    try next.type("session save mine\r", until: "saved")
    #expect(try next.leave() == 0)
    let text = try folder.read("mine.session")
    #expect(text.contains("\n# What I tried\n> phantom size=16 slices=1\n"), "\(text)")
    #expect(!text.contains(file) && text.contains("[png clean-0.png 16x16"))
    #expect(try Program.run(["replay", "mine.session"], in: folder).status == 0)
  }

  @Test func `for a while by Ctrl-Z comes back with the line`() throws {
    let terminal = try Terminal(
      ["--norc", "--noprofile", "-i"], program: "/bin/bash", in: folder,
      environment: ["PS1": "shell: "])
    try terminal.type("'\(Program.path)'\r", until: "\n> ")
    try terminal.type("phantom si", until: "phantom si")
    try terminal.type("\u{1A}", until: "Stopped")
    #expect(try terminal.type("echo still $((40+2))\r", until: "still 42").isEmpty == false)
    try terminal.type("fg\r", until: "> phantom si")
    try terminal.type("ze=16 slices=1\r", until: "2 slices 16×16")
    #expect(!terminal.shown.contains("si> phantom"), "the line stands there once")
    try terminal.type("quit\r", until: "this session is kept")
    try terminal.type("exit\r", until: "exit")
    #expect(try terminal.ending() == 0)
  }

  @Test func `is not what Ctrl-C does to a script: the prompt has its state`() throws {
    let lines = [
      "phantom size=32 slices=2", "noise gaussian", "block channels=2", "conv",
      "train epochs=1000000", "stats denoised",
    ]
    try folder.write(lines.joined(separator: "\n") + "\n", to: "long.txt")
    let terminal = try Terminal(["run", "long.txt"], in: folder)
    try terminal.wait(for: "  loss ")
    try terminal.interrupt(until: "its state is kept")
    try terminal.type("stats c1.weight\r", until: "std")
    #expect(try terminal.leave() == 130)
  }
}
