import Figures
import Foundation
import TestSupport
import Testing

/// Sessions that are saved, replayed, damaged and accepted.
struct `A saved session` {
  let folder: Folder
  private let session = "out/script.txt/first.session"

  /// Records a session with two pictures and a training.
  init() throws {
    folder = try Folder()
    let ending = try folder.run([
      "phantom size=32 slices=2", "noise gaussian sigma=40HU", "view noisy[1] window=lung",
      "block channels=2", "conv", "train steps=3", "stats c1.weight", "show clean[0, 10:12, 10:12]",
      "panel noisy[1] denoised[1] clean[1]", "fails stats cleen", "session save first",
    ])
    guard ending.status == 0 else { throw Program.Failure(ending.errors) }
  }

  private func replay(_ options: String...) throws -> Program.Ending {
    try Program.run(["replay", session] + options, in: folder)
  }

  private func accept(_ lines: String...) throws -> Program.Ending {
    try Program.run(["accept", session] + lines, in: folder)
  }

  /// The number of the first line that contains `text`.
  private func line(of text: String) throws -> Int {
    let lines = try folder.read(session).split(
      separator: "\n", omittingEmptySubsequences: false)
    return try #require(lines.firstIndex { $0.contains(text) }) + 1
  }

  private func edit(_ old: String, _ new: String) throws {
    let text = try folder.read(session)
    try #require(text.contains(old))
    try folder.write(text.replacing(old, with: new, maxReplacements: 1), to: session)
  }

  @Test func `replays with 0, in any place and with any number of threads`() throws {
    for options in [["--threads", "1"], ["--threads", "3"], ["--out", "elsewhere"]] {
      let ending = try Program.run(["replay", session] + options, in: folder)
      #expect(ending.status == 0, "\(ending.output)")
      #expect(ending.lines.last?.contains(" 0 not checked, 0 differ") == true)
    }
    let text = try folder.read(session)
    #expect(text.hasPrefix("#! backflow session 1\n#@ backflow: "))
    #expect(text.contains("\n> fails stats cleen\nfailed: "))
    #expect(!text.contains(folder.url.path) && !text.contains("session save"))
    #expect(folder.exists("out/script.txt/first/noisy-1.png"))
  }

  @Test func `runs as a script too`() throws {
    #expect(try Program.run(["run", session], in: folder).status == 0)
  }

  @Test func `has a last line of counts in --json`() throws {
    let all = try JSONLine.all(try replay("--json").output)
    let last = try #require(all.last)
    #expect(last.keys == ["checked", "tolerated", "not_comparable", "not_checked", "differs"])
    #expect(try #require(last.number("checked")) >= 9)
    #expect(last.objects("differs").isEmpty)
    #expect(all.count == 11, "ten commands and the counts")
  }

  @Test func `differs at any one recorded digit, and names its line`() throws {
    let text = try folder.read(session)
    let body = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var altered = 0
    for (index, line) in body.enumerated()
    where !line.hasPrefix("#") && !line.hasPrefix("> ") && !line.hasPrefix("[png") {
      let fixed = line.replacing(/<[^>]*>/, with: { String(repeating: " ", count: $0.count) })
      guard let digit = fixed.lastIndex(where: \.isNumber) else { continue }
      var lines = body
      let other = line[digit] == "3" ? "4" : "3"
      lines[index].replaceSubrange(digit...digit, with: other)
      try folder.write(lines.joined(separator: "\n"), to: session)
      let ending = try replay()
      #expect(ending.status == 3, "\(lines[index])")
      #expect(ending.output.contains("\(session):\(index + 1): "), "\(ending.output)")
      altered += 1
    }
    #expect(altered >= 7)
  }

  @Test func `differs at one recorded word, a missing line and an added one`() throws {
    let text = try folder.read(session)
    for (old, new) in [
      ("patients", "patient"), ("\nnoisy  rmse", "\nnoise  rmse"),
      ("clean  4 slices", "clean  4 slices 32×32\nclean  4 slices"),
    ] {
      try edit(old, new)
      #expect(try replay().status == 3, "\(new)")
      try folder.write(text, to: session)
    }
    let number = try line(of: "b1  1 → 2")
    var lines = text.split(separator: "\n").map(String.init)
    lines.insert("never said", at: number)
    try folder.write(lines.joined(separator: "\n"), to: session)
    let ending = try replay("--json")
    #expect(ending.status == 3)
    let last = try #require(try JSONLine.all(ending.output).last)
    #expect(last.objects("differs").map { $0.number("line") } == [Double(number + 1)])
  }

  @Test func `differs when one pixel of a recorded picture does, and names its line`() throws {
    let path = folder.path("out/script.txt/first/noisy-1.png")
    let old = try PNG(path: path)
    var samples = old.picture.samples
    samples[17] ^= 128
    try PNG(
      Picture(width: old.picture.width, height: old.picture.height, samples: samples),
      texts: old.texts
    ).write(to: path)
    let ending = try replay()
    #expect(ending.status == 3)
    let number = try line(of: "[png noisy-1.png")
    #expect(ending.output.contains("\(session):\(number): view noisy[1]"), "\(ending.output)")
    #expect(ending.output.contains("1 pixels differ") || ending.output.contains("1 pixel differs"))
  }

  @Test func `does not mind how a recorded picture is compressed`() throws {
    let path = folder.path("out/script.txt/first/noisy-1.png")
    try PNG(try PNG(path: path).picture, texts: [PNG.Text("Comment", "other bytes")])
      .write(to: path)
    #expect(try replay().status == 0)
  }

  @Test func `differs when a recorded picture is damaged`() throws {
    try folder.write("no picture", to: "out/script.txt/first/noisy-1.png")
    let ending = try replay()
    #expect(ending.status == 3)
    #expect(ending.output.contains("cannot be read"))
  }

  @Test func `takes all of the last replay`() throws {
    try edit("> noise gaussian sigma=40HU", "> noise gaussian sigma=60HU")
    #expect(try replay().status == 3)
    #expect(try accept().status == 0)
    #expect(try replay().status == 0)
  }

  @Test func `takes one line of the last replay`() throws {
    try edit("40.", "41.")
    try edit("patients ·", "patience ·")
    let first = try line(of: "patience")
    let second = try line(of: "noisy  rmse")
    #expect(try replay().status == 3)
    #expect(try accept("\(first)").status == 0)
    let ending = try replay()
    #expect(ending.status == 3)
    #expect(!ending.output.contains("\(session):\(first):"))
    #expect(ending.output.contains("\(session):\(second):"))
    #expect(try accept("\(second)").status == 0)
    #expect(try replay().status == 0)
  }

  @Test func `does not take lines that hold nothing`() throws {
    #expect(try replay().status == 0)
    for line in ["0", "1", "9999", "-3"] {
      let ending = try accept(line)
      #expect(ending.status != 0 && !ending.crashed, "\(line)")
      #expect(!ending.errors.isEmpty)
    }
    #expect(try replay().status == 0)
  }

  @Test func `ends with 4 on other data than recorded, before they are used`() throws {
    let make = ["phantom size=16 slices=1", "save tensor clean a.npy"]
    #expect(try folder.run(make, "--out", "data").status == 0)
    let lines = ["load data/a.npy", "stats clean", "session save second"]
    #expect(try folder.run(lines, "--out", "o").status == 0)
    #expect(try Program.run(["replay", "o/second.session"], in: folder).status == 0)
    #expect(
      try folder.run(["phantom size=16 slices=1 seed=2"] + make.suffix(1), "--out", "data").status
        == 0)
    let ending = try Program.run(["replay", "o/second.session", "--json"], in: folder)
    #expect(ending.status == 4)
    let all = try JSONLine.all(ending.output)
    #expect(!all.contains { $0.text("command") == "stats clean" })
    #expect(all.last?.objects("differs").first?.text("command") == "load data/a.npy")
    try FileManager.default.removeItem(atPath: folder.path("data/a.npy"))
    #expect(try Program.run(["replay", "o/second.session"], in: folder).status == 4)
  }

  @Test func `made of a plain script by accepting its replay`() throws {
    try folder.write("# Two slices\nphantom size=16 slices=1\nview clean[0]\n", to: "p.session")
    let first = try Program.run(["replay", "p.session"], in: folder)
    #expect(first.status == 0)
    #expect(first.lines.last?.hasPrefix("0 checked") == true)
    #expect(try Program.run(["accept", "p.session"], in: folder).status == 0)
    #expect(
      try folder.read("p.session").contains("# Two slices\n> phantom size=16 slices=1\nclean"))
    #expect(folder.exists("p/clean-0.png"))
    let second = try Program.run(["replay", "p.session"], in: folder)
    #expect(second.status == 0)
    #expect(second.lines.last?.hasPrefix("2 checked") == true)
  }

  @Test func `stops at a command that fails, with its status`() throws {
    try edit("> stats c1.weight", "> stats c1.wieght")
    #expect(try replay().status == 1)
    try edit("> noise gaussian", "> load nowhere\n> noise gaussian")
    #expect(try replay().status == 4)
  }

  @Test func `of another format is refused`() throws {
    try edit("#! backflow session 1", "#! backflow session 2")
    let ending = try replay()
    #expect(ending.status == 4)
    #expect(ending.errors.contains("\(session):1: is of another format"))
  }
}
