import Foundation
import Testing

/// What `accept` takes and leaves, as its callers see it.
struct `Accepting from the command line` {
  let folder: Folder
  private let session = "out/script.txt/s.session"
  private static let files = ["s.session", "s.ledger", "s.curves.json"]

  init() throws {
    folder = try Folder()
    let ending = try folder.run([
      "phantom size=32 slices=2", "noise gaussian sigma=40HU", "let n = 3",
      "conv channels=4 act=relu",
      "conv", "train steps=$n", "stats c1.weight", "session save s",
    ])
    guard ending.status == 0 else { throw Program.Failure(ending.errors) }
  }

  private func edit(_ old: String, _ new: String) throws {
    let text = try folder.read(session)
    try #require(text.contains(old))
    try folder.write(text.replacing(old, with: new), to: session)
  }

  /// Expects that accept ends with 1, names what it left, and changes nothing.
  private func expectRefusal(_ words: String, sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let before = try Self.files.map { try folder.read("out/script.txt/\($0)") }
    let ending = try Program.run(["accept", session], in: folder)
    #expect(ending.status == 1 && ending.output == "", sourceLocation: sourceLocation)
    #expect(
      ending.errors.contains("not accepted: ") && ending.errors.contains(words),
      "\(ending.errors)", sourceLocation: sourceLocation)
    #expect(
      try Self.files.map { try folder.read("out/script.txt/\($0)") } == before,
      sourceLocation: sourceLocation)
  }

  @Test func `loses no edit that was made after the replay`() throws {
    #expect(try Program.run(["replay", session], in: folder).status == 0)
    try edit("sigma=40HU", "sigma=80HU")
    try expectRefusal("was edited after the replay")
    #expect(try folder.read(session).contains("sigma=80HU"))
  }

  @Test func `takes no interrupted replay`() throws {
    try edit("let n = 3", "let n = 1000000")
    let running = try Program.Running(["replay", session, "--json"], in: folder)
    try running.waitUntilBusy(after: "\"command\":\"conv\"")
    running.interrupt()
    #expect(try running.ending(within: 60).status == 130)
    try expectRefusal("was interrupted in the replay")
  }

  @Test(arguments: [["--to", "20"], ["--let", "n=2"], ["--let", "n=3"]])
  func `takes no replay of a part, or with values from outside`(options: [String]) throws {
    _ = try Program.run(["replay", session] + options, in: folder)
    try expectRefusal(options[0] == "--to" ? "the replay ended before it" : "--let n=")
  }

  @Test(arguments: [[], ["--keep-going"]])
  func `takes no old output of a command that fails now, and export says so`(
    options: [String]
  ) throws {
    try edit("> stats c1.weight", "> stats c9.weight")
    #expect(try Program.run(["replay", session] + options, in: folder).status == 1)
    try expectRefusal("failed in the replay: ")
    let ending = try Program.run(["export", session, "--html", "s.html"], in: folder)
    #expect(ending.status == 0)
    #expect(ending.errors.contains("was edited after the session was recorded"), "\(ending.errors)")
    #expect(ending.errors.contains("failed in the replay"))
    #expect(try folder.read("s.html").contains("failed in the replay"))
  }

  @Test func `begins a replay after an edit with what was edited and what follows`() throws {
    try edit("sigma=40HU", "sigma=80HU")
    let ending = try Program.run(["replay", session], in: folder)
    #expect(ending.status == 3)
    #expect(ending.lines.first == "edited since it was recorded:")
    #expect(ending.lines[1].hasSuffix("noise gaussian sigma=40HU → noise gaussian sigma=80HU"))
    #expect(ending.lines[2].hasPrefix("what follows from it: lines "), "\(ending.lines[2])")
    #expect(!ending.output.contains("ledger has it"), "an edit is no fault of the ledger")
    let json = try JSONLine.all(
      try Program.run(["replay", session, "--json"], in: folder).output)
    #expect(json.last?.objects("edited").first?.text("before") == "noise gaussian sigma=40HU")
    #expect(try Program.run(["accept", session], in: folder).status == 0)
    #expect(try Program.run(["replay", session], in: folder).output.contains("edited") == false)
  }

  @Test func `can take other data, where the line that makes them was edited`() throws {
    try edit("phantom size=32", "phantom size=16")
    #expect(try Program.run(["replay", session], in: folder).status == 3)
    #expect(try Program.run(["accept", session], in: folder).status == 0)
    #expect(try Program.run(["replay", session], in: folder).status == 0)
    #expect(try Program.run(["export", session, "--html", "s.html"], in: folder).errors == "")
  }

  @Test func `says what is no tolerance, with its line`() throws {
    try edit("psnr 40.32", "psnr 40.32~inf")
    for command in ["replay", "accept"] {
      let ending = try Program.run([command, session], in: folder)
      #expect(ending.status == 4 && !ending.crashed)
      #expect(command == "accept" || ending.errors.contains("40.32~inf"), "\(ending.errors)")
    }
  }

  @Test func `packs no file that a link leads to`() throws {
    try folder.write("a secret", to: "secret")
    let ending = try folder.run(["phantom size=16 slices=1", "view clean[0]", "session save p"])
    #expect(ending.status == 0)
    let picture = folder.path("out/script.txt/p/clean-0.png")
    try FileManager.default.removeItem(atPath: picture)
    try FileManager.default.createSymbolicLink(
      atPath: picture, withDestinationPath: folder.path("secret"))
    for form in ["pack", "html", "markdown", "notebook"] {
      let ending = try Program.run(
        ["export", "out/script.txt/p.session", "--\(form)", "x.\(form)"], in: folder)
      #expect(ending.status == 4 && ending.errors.contains("symbolic link"), "\(ending.errors)")
      #expect(!folder.exists("x.\(form)"))
    }
  }
}
