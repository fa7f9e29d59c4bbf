import CommandLanguage
import Foundation
import TestSupport
import Testing

/// `edit`, which changes a line of the session.
struct `Editing a line` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// The session and ledger that lines leave in a notebook, and the text of the last output.
  private func record(
    _ lines: [String], in folder: Folder
  ) throws -> (session: String, ledger: String, last: String) {
    let client = try NotebookClient(in: folder)
    var last = ""
    for line in lines {
      let answer = try client.run(line)
      guard answer.status == "ok" else { throw Program.Failure("\(line): \(answer.reply.text)") }
      last = answer.text
    }
    #expect(try client.run("session save it").status == "ok")
    // Times differ from run to run.
    let session = try folder.read("it.session").replacing(/<[^>]*>/, with: "<>")
    return (session, (try? folder.read("it.ledger")) ?? "", last)
  }

  private static let lines = [
    "phantom size=32 slices=3", "noise gaussian sigma=40HU", "window lung", "view noisy[1]",
    "block channels=2", "conv", "train steps=3 batch=1", "view denoised[1]", "stats c1.weight",
    "expect stats.mean < 10", "tensor a = 2", "hist noisy",
  ]

  /// Lines that may stand anywhere, after the first two.
  private static let others = [
    "window mediastinum", "window bone", "view clean[1]", "view noisy[2]", "tensor b = 3",
    "stats noisy", "noise gaussian sigma=80HU", "let unused = 1", "optimizer sgd lr=0.01",
  ]

  @Test(arguments: 0..<12) func `leaves what a fresh run of the edited session leaves`(
    seed: Int
  ) throws {
    var dice = Dice(seed: UInt64(seed))
    var lines = Self.lines
    var edits: [String] = []
    for _ in 0..<3 {
      let index = 2 + dice.next(lines.count - 2)
      let text = dice.pick(Self.others)
      switch dice.next(4) {
      case 0:
        lines.insert(text, at: index)
        edits.append("edit \(index + 1) before \(text)")
      case 1 where !["block", "conv", "train", "tensor"].contains(where: lines[index].hasPrefix):
        let depends = index + 1 < lines.count && lines[index + 1].hasPrefix("expect")
        guard !depends else { continue }
        lines.remove(at: index)
        edits.append("edit \(index + 1) delete")
      default:
        let old = lines[index]
        guard !["block", "conv", "train", "stats c1", "tensor"].contains(where: old.hasPrefix)
        else { continue }
        lines[index] = text
        edits.append("edit \(index + 1) \(text)")
      }
    }
    let edited = try record(Self.lines + edits, in: folder)
    let fresh = try record(lines, in: try Folder())
    #expect(edited.session == fresh.session, "\(edits)")
    #expect(edited.ledger == fresh.ledger, "\(edits)")
  }

  @Test func `of the window redraws and trains nothing again`() throws {
    let edited = try record(Self.lines + ["edit 3 window bone"], in: folder)
    #expect(edited.last.hasSuffix("edited  6 lines ran again, 6 kept\n"), "\(edited.last)")
    #expect(!edited.last.contains("> train") && edited.last.contains("> view denoised[1]"))
    let fresh = Self.lines.map { $0 == "window lung" ? "window bone" : $0 }
    let whole = try record(fresh, in: try Folder())
    #expect(edited.session == whole.session && edited.ledger == whole.ledger)
  }

  @Test func `runs in a script`() throws {
    let lines = Self.lines + ["edit 2 noise gaussian sigma=60HU", "session save it"]
    #expect(try folder.run(lines, "--out", ".").status == 0)
    let fresh = Self.lines.map { $0.hasPrefix("noise") ? "noise gaussian sigma=60HU" : $0 }
    let session = try folder.read("it.session").replacing(/<[^>]*>/, with: "<>")
    #expect(try session == record(fresh, in: try Folder()).session)
  }

  /// The numbers of the lines that an edit ran again, and of the trainings among them that were not made
  /// again.
  private func ran(_ edit: String, after lines: [String]) throws -> (ran: [Int], reused: [Int]) {
    let script = (lines + [edit]).joined(separator: "\n")
    try folder.write(script, to: "script.txt")
    let ending = try Program.run(["run", "script.txt", "--json", "--out", "."], in: folder)
    let last = try #require(ending.lines.last)
    let result = try JSONDecoder().decode(JSONValue.self, from: Data(last.utf8))["result"]
    func numbers(_ key: String) -> [Int] {
      guard case .array(let values)? = result?[key] else { return [] }
      return values.compactMap { if case .integer(let number) = $0 { number } else { nil } }
    }
    return (numbers("ran"), numbers("reused"))
  }

  @Test func `runs what depends on it, and keeps the rest`() throws {
    let lines = [
      "phantom size=32 slices=3", "noise gaussian sigma=40HU", "tensor a = 2", "tensor b = a*a",
      "block channels=2", "conv", "let rate = 0.01", "optimizer sgd lr=$rate",
      "train steps=3 batch=1", "view denoised[1]", "evaluate", "expect denoised.psnr > 1",
      "stats clean[0]",
    ]
    // Typed numbers reach what shows or compares values, and no training.
    #expect(try ran("edit 3 tensor a = 3", after: lines).ran == [3, 4, 10, 12, 13])
    #expect(try ran("edit 1 before let unused = 1", after: lines).ran == [1])
    #expect(try ran("edit 13 delete", after: lines).ran == [])
    // A layer forgets the figures of merit that 'evaluate' left.
    #expect(try ran("edit 11 delete", after: lines.dropLast(2) + ["conv"]).ran == [11])
    #expect(try ran("edit 13 stats clean[1]", after: lines).ran == [13])
    let rate = try ran("edit 7 let rate = 0.02", after: lines)
    #expect(rate.ran.starts(with: [7, 8, 9, 10]) && rate.reused == [])
    // The same value by another line: the training takes its result.
    let again = try ran("edit 8 optimizer sgd lr=0.01", after: lines)
    #expect(again.ran.contains(8) && !again.ran.contains(1))
    #expect(again.reused == again.ran.filter { $0 == 9 })
    // Slices that were others in between.
    let back = try ran(
      "edit 2 noise gaussian sigma=40HU",
      after: lines + ["edit 2 noise gaussian sigma=60HU", "edit 2 noise gaussian sigma=60HU"])
    #expect(back.ran.contains(9) && back.reused == [9])
  }

  @Test(arguments: ["edit 3 window bone", "edit 12 delete", "edit 4 before view noisy[1]"])
  func `is taken back by undo, with its record and pictures`(edit: String) throws {
    let end = "view noisy[1]"
    let fresh = try record(Self.lines + [end], in: try Folder())
    let undone = try record(Self.lines + [edit, "undo", end], in: folder)
    #expect(undone.session == fresh.session && undone.ledger == fresh.ledger)
    #expect(try Program.run(["replay", "it.session"], in: folder).status == 0)
  }

  @Test func `leaves the pictures of the edited session`() throws {
    _ = try record(
      Self.lines + ["edit 3 window bone", "edit 4 before view noisy[1]", "edit 6 delete"],
      in: folder)
    #expect(try Program.run(["replay", "it.session"], in: folder).status == 0)
  }

  @Test func `that makes a later line fail changes nothing`() throws {
    try folder.write(
      (Self.lines + [
        "edit 1 delete", "edit 2 delete", "edit 99 stats clean", "edit 3 nonsense",
        "session save it",
      ]).joined(separator: "\n"), to: "script.txt")
    let ending = try Program.run(
      ["run", "script.txt", "--keep-going", "--out", "."], in: folder)
    #expect(ending.errors.contains("would fail"))
    #expect(ending.errors.contains("no command in line 99"))
    #expect(ending.errors.contains("there is no command \"nonsense\""))
    let session = try folder.read("it.session").replacing(/<[^>]*>/, with: "<>")
    #expect(try session == record(Self.lines, in: try Folder()).session)
  }

  @Test(arguments: [2, 3])
  func `that writes the picture of another line is refused, and the picture stays`(
    before number: Int
  ) throws {
    let lines = ["phantom size=32 slices=2", "plot clean[0,5] file=it.png", "stats clean"]
    try folder.write(
      (lines + ["edit \(number) before plot clean[1,5] file=it.png", "session save it"])
        .joined(separator: "\n"), to: "script.txt")
    let ending = try Program.run(
      ["run", "script.txt", "--keep-going", "--out", "."], in: folder)
    #expect(ending.errors.contains("line 3 would fail"))
    #expect(ending.errors.contains("it.png is a picture of this session"))
    let fresh = try Folder()
    try fresh.write(lines.joined(separator: "\n"), to: "script.txt")
    #expect(try Program.run(["run", "script.txt", "--out", "."], in: fresh).status == 0)
    #expect(
      try Data(contentsOf: URL(filePath: folder.path("it.png")))
        == Data(contentsOf: URL(filePath: fresh.path("it.png"))))
    #expect(try Program.run(["replay", "it.session"], in: folder).status == 0)
  }

  @Test(.enabled(if: Terminal.isAvailable)) func `alone puts the line into the editor`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    try terminal.type("let sigma = 40HU\r", until: "\n> ")
    try terminal.type("edit 1\r", until: "> edit 1 let sigma = 40HU")
    try terminal.type("\u{8}\u{8}\u{8}\u{8}60HU\r", until: "edited")
    try terminal.type("history\r", until: "1  let sigma = 60HU")
    #expect(try terminal.leave() == 0)
  }
}
