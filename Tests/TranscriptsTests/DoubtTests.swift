import CommandLanguage
import Testing
import Transcripts

/// What a page of a session is warned of.
struct `Doubts of a record` {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.record(["load x", "measure", "view"])
  }

  private func doubts() throws -> [String] { try SessionPack(at: scratch.paths.file).doubts() }

  @Test func `are none of what was recorded or accepted`() throws {
    #expect(try doubts().isEmpty)
    try scratch.edit("> measure", "> measure value=3")
    _ = try scratch.replay()
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    #expect(try doubts().isEmpty)
    try scratch.edit("> load x", "# a comment\n> load x")
    #expect(try doubts().isEmpty)
  }

  @Test func `name what was edited, and all below it`() throws {
    try scratch.edit("> measure", "> measure value=3")
    let found = try doubts()
    #expect(found.first == "line 7 was edited after the session was recorded", "\(found)")
    #expect(found.last?.hasPrefix("the commands of lines 7 and 14 have no output, or one") == true)
    _ = try scratch.replay()
    #expect(try Acceptance(scratch.paths).accept(lines: [7]) == nil)
    let left = try doubts()
    #expect(left.count == 1 && left[0].hasPrefix("the command of line 14 has"), "\(left)")
  }

  @Test func `name a command that failed in the last replay`() throws {
    try scratch.edit("> view", "> veiw")
    _ = try scratch.replay()
    #expect(try Acceptance(scratch.paths).acceptAll() != nil)
    let found = try doubts()
    #expect(found.contains { $0.hasPrefix("line 14 failed in the replay: there is no command") })
  }

  @Test func `name a session that was never recorded`() throws {
    try scratch.write("load x\nmeasure\n", to: "first.session")
    _ = try scratch.read("first.ledger")
    try scratch.write("", to: "first.ledger")
    #expect(try doubts().first?.contains("never recorded") == true)
    try scratch.write("# words alone\n", to: "first.session")
    #expect(try doubts().isEmpty)
  }

  @Test func `travel with a pack`() throws {
    try scratch.edit("> measure", "> measure value=3")
    try SessionPack(at: scratch.paths.file).write(to: scratch.path + "/first.zip")
    #expect(try SessionPack(at: scratch.path + "/first.zip").doubts().count == 2)
  }
}
