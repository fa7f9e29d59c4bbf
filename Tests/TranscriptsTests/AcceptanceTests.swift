import CommandLanguage
import Testing
import Transcripts

struct `Accepting a replay` {
  @Test func `takes all of it`() throws {
    let scratch = try Scratch()
    try scratch.record(`A replay`.lines)
    let other = ToyStudio(folder: scratch.out, offset: 1, pixels: "bbbbbbbbbbbb")
    let stamps = [Stamp("backflow", "0.2.0"), Stamp("threads", "2")]
    _ = try scratch.replay(other, stamps: stamps)
    #expect(try scratch.read("first/noisy-3.png") == "aaaaaaaaaaaa")
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    let text = try scratch.read("first.session")
    #expect(
      text.hasPrefix(
        "#! backflow session 1\n#@ backflow: 0.2.0\n#@ engine: SkylakeX\n"))
    #expect(text.contains("#@ threads: 2\n# hello\n"))
    #expect(text.contains("mean -511.4 HU") && text.contains("px:bbbbbbbbbbbb"))
    #expect(try scratch.read("first/noisy-3.png") == "bbbbbbbbbbbb")
    #expect(!scratch.exists("first.new") && !scratch.exists("first.new.pictures"))
    #expect(
      try scratch.replay(other, stamps: stamps + Scratch.stamps.dropFirst()).status == .success)
  }

  @Test func `does not grow the file`() throws {
    let scratch = try Scratch()
    try scratch.record(["measure", "measure"])
    try scratch.edit("\\> unit HU\n", "\\> unit HU\n\n\n# next\n\n")
    var texts: [String] = []
    for _ in 0..<3 {
      _ = try scratch.replay(ToyStudio(folder: scratch.out, offset: 1))
      #expect(try Acceptance(scratch.paths).acceptAll() == nil)
      texts.append(try scratch.read("first.session").replacing(#/<\d[^>]*>/#, with: "<>"))
    }
    #expect(texts[0] == texts[1] && texts[1] == texts[2])
    #expect(texts[0].contains("\\> unit HU\n\n\n# next\n\n> measure"))
  }

  @Test func `takes one line`() throws {
    let scratch = try Scratch()
    try scratch.record(`A replay`.lines)
    let before = try scratch.read("first.session").split(
      separator: "\n", omittingEmptySubsequences: false)
    _ = try scratch.replay(ToyStudio(folder: scratch.out, offset: 1))
    #expect(try Acceptance(scratch.paths).accept(lines: [11]) == nil)
    let after = try scratch.read("first.session").split(
      separator: "\n", omittingEmptySubsequences: false)
    try #require(before.count == after.count)
    let changed = before.indices.filter { before[$0] != after[$0] }
    #expect(changed == [10])
    #expect(after[10].contains("32.20"))
    #expect(scratch.exists("first.new"))
  }

  @Test func `takes a command with all its output`() throws {
    let scratch = try Scratch()
    try scratch.record(`A replay`.lines)
    _ = try scratch.replay(ToyStudio(folder: scratch.out, offset: 1, pixels: "bbbbbbbbbbbb"))
    #expect(try Acceptance(scratch.paths).accept(lines: [8, 16]) == nil)
    let text = try scratch.read("first.session")
    #expect(text.contains("psnr 32.20 dB") && text.contains("mean -512.4"))
    #expect(text.contains("px:bbbbbbbbbbbb"))
    #expect(try scratch.read("first/noisy-3.png") == "bbbbbbbbbbbb")
  }

  @Test func `needs a replay of this file, and lines that hold something`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x"])
    #expect(throws: SessionError.self) { try Acceptance(scratch.paths) }
    _ = try scratch.replay()
    #expect(throws: SessionError.self) { try Acceptance(scratch.paths).accept(lines: [1]) }
    #expect(throws: SessionError.self) { try Acceptance(scratch.paths).accept(lines: [99]) }
    try scratch.edit("> load x", "> load y")
    #expect(try Acceptance(scratch.paths).accept(lines: [5]) != nil)
    #expect(try scratch.read("first.session").contains("> load y\nclean"))
  }

  @Test func `keeps comments that were edited after the replay`() throws {
    let scratch = try Scratch()
    try scratch.record(["# one", "load x", "measure"])
    _ = try scratch.replay(ToyStudio(folder: scratch.out, offset: 1))
    try scratch.edit("# one\n", "# two\n\n# three\n")
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    let text = try scratch.read("first.session")
    #expect(text.contains("# two\n\n# three\n> load x\nclean  16 slices  mean -511.4"))
  }

  @Test func `drops the data of commands that are gone`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x", "load y", "measure"])
    try scratch.edit("> load y\n", "> load z\n")
    #expect(try scratch.replay().otherData == nil)
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    let text = try scratch.read("first.session")
    #expect(text.contains("#@ data x:") && text.contains("#@ data z:") && !text.contains("data y"))
  }
}

/// What a replay gave otherwise than by running the session's commands to their end.
struct `Accepting what was not computed` {
  private static let lines = ["load x", "measure", "view", "train steps=3", "measure"]
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.record(Self.lines)
  }

  private func other() -> ToyStudio {
    ToyStudio(folder: scratch.out, offset: 1, pixels: "bbbbbbbbbbbb")
  }

  private func line(of command: String) throws -> Int {
    try #require(try SessionFile(path: scratch.paths.file).entries.first { $0.command == command })
      .line
  }

  /// Expects that nothing of the session changes, and that one of the reasons has these words.
  private func expectRefusal(_ words: String, sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let names = ["first.session", "first.ledger", "first.curves.json", "first/noisy-3.png"]
    let before = try names.map(scratch.read)
    let refusal = try Acceptance(scratch.paths).acceptAll()
    #expect(
      refusal?.reasons.contains { $0.contains(words) } == true,
      "\(refusal?.reasons ?? [])", sourceLocation: sourceLocation)
    let (widened, left, tolerant) = try Acceptance(scratch.paths).acceptWithTolerances()
    #expect(widened == 0 && left.isEmpty && tolerant == refusal, sourceLocation: sourceLocation)
    #expect(try names.map(scratch.read) == before, sourceLocation: sourceLocation)
    #expect(scratch.exists("first.new"), sourceLocation: sourceLocation)
  }

  /// Expects that one command's output is taken alone, or not.
  private func expectTaken(
    _ isTaken: Bool, _ command: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try scratch.read("first.session")
    let refusal = try Acceptance(scratch.paths).accept(lines: [try line(of: command)])
    #expect((refusal == nil) == isTaken, sourceLocation: sourceLocation)
    #expect(
      (try scratch.read("first.session") != before) == isTaken, sourceLocation: sourceLocation)
  }

  @Test(arguments: [false, true])
  func `refuses old output of a command that fails now, and of what stands below it`(
    keepsGoing: Bool
  ) throws {
    try scratch.edit("> view\n", "> veiw\n")
    let player = SessionPlayer(keepsGoing: keepsGoing)
    #expect(try scratch.replay(other(), player: player).status == .commandFailed)
    try expectRefusal("line \(try line(of: "veiw")) failed in the replay: there is no command")
    try expectRefusal("did not run, or ran without what stands above")
    try expectTaken(true, "load x")
    try expectTaken(false, "veiw")
    try expectTaken(false, "train steps=3")
  }

  @Test func `refuses what an interrupted replay has and has not`() throws {
    try scratch.edit("> train steps=3\n", "> train epochs=9\n")
    #expect(try scratch.replay(other()).ending == .interrupted)
    try expectRefusal("line \(try line(of: "train epochs=9")) was interrupted")
    try expectTaken(true, "measure")
    try expectTaken(false, "train epochs=9")
  }

  @Test func `refuses a replay that ended before a line`() throws {
    _ = try scratch.replay(other(), player: SessionPlayer(stopLine: try line(of: "view")))
    try expectRefusal("did not run, since the replay ended before it")
    try expectTaken(true, "load x")
    try expectTaken(false, "view")
  }

  @Test func `refuses what stands below quit`() throws {
    try scratch.edit("> view\n", "> quit\n> view\n")
    _ = try scratch.replay(other())
    try expectRefusal("did not run, since the session quits above it")
    try expectTaken(false, "view")
  }

  @Test func `refuses a replay with values from outside`() throws {
    _ = try scratch.replay(other(), lets: ["sigma=80HU"])
    try expectRefusal("--let sigma=80HU")
    try expectTaken(false, "load x")
  }

  @Test func `refuses a session that was edited after the replay`() throws {
    _ = try scratch.replay(other())
    try scratch.edit("> view\n", "> view  # edited\n")
    try expectRefusal("line \(try line(of: "view  # edited")) was edited after the replay")
    try expectTaken(true, "load x")
    try expectTaken(false, "view  # edited")
    try expectTaken(false, "train steps=3")
  }

  @Test(arguments: ["> block\n", ""])
  func `refuses a session with another end than the replay had`(end: String) throws {
    try scratch.write(try scratch.read("first.session") + "> block\n", to: "first.session")
    _ = try scratch.replay(other())
    let text = try scratch.read("first.session")
    try scratch.write(
      end.isEmpty ? text.replacing("> block\n", with: "") : text + end, to: "first.session")
    try expectRefusal(end.isEmpty ? "at the end were removed" : "was edited after the replay")
  }

  @Test func `refuses to undo output that was edited after the replay`() throws {
    _ = try scratch.replay(other())
    try scratch.edit("loss 0.5000", "loss 0.5000~2")
    try expectRefusal("recorded output was edited after the replay")
  }

  @Test func `takes all after some lines were taken`() throws {
    _ = try scratch.replay(other())
    try expectTaken(true, "load x")
    try expectTaken(true, "train steps=3")
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    #expect(try scratch.replay(other()).status == .success)
  }

  @Test func `refuses what another version or a hand wrote`() throws {
    try scratch.write(try scratch.read("first.session"), to: "first.new")
    try expectRefusal("earlier version")
  }

  @Test(arguments: ["31.20~inf dB", "31.20~nan dB", "31.20~-1 dB", "31.20~1e999 dB", "31.20~-0 dB"])
  func `refuses what is no tolerance, and names its line`(text: String) throws {
    _ = try scratch.replay(other())
    try scratch.edit("31.20 dB", text)
    let isNamed = { (error: any Error) in
      "\(error)".contains("first.session:8: \(text.prefix { $0 != " " })")
    }
    #expect { try scratch.replay() } throws: { isNamed($0) }
    #expect { try Acceptance(scratch.paths) } throws: { isNamed($0) }
  }

  @Test(arguments: [
    "there is no \"31.20~inf\"", "a31.20~inf", "31.20~informed", "31.20~0.5", "31.20~1e3,",
  ])
  func `leaves alone what looks like one`(text: String) throws {
    try scratch.edit("31.20 dB", text)
    #expect(try scratch.replay().status == .replayDiffers)
  }
}
