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
    try Acceptance.acceptAll(scratch.paths)
    let text = try scratch.read("first.session")
    #expect(
      text.hasPrefix(
        "#! backflow session 1\n#@ backflow: 0.2.0\n#@ blas: openblas 0.3.21 SkylakeX\n"))
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
      try Acceptance.acceptAll(scratch.paths)
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
    try Acceptance.accept(scratch.paths, lines: [11])
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
    try Acceptance.accept(scratch.paths, lines: [8, 16])
    let text = try scratch.read("first.session")
    #expect(text.contains("psnr 32.20 dB") && text.contains("mean -512.4"))
    #expect(text.contains("px:bbbbbbbbbbbb"))
    #expect(try scratch.read("first/noisy-3.png") == "bbbbbbbbbbbb")
  }

  @Test func `needs a replay of this file, and lines that hold something`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x"])
    #expect(throws: SessionError.self) { try Acceptance.acceptAll(scratch.paths) }
    _ = try scratch.replay()
    #expect(throws: SessionError.self) { try Acceptance.accept(scratch.paths, lines: [1]) }
    #expect(throws: SessionError.self) { try Acceptance.accept(scratch.paths, lines: [99]) }
    try scratch.edit("> load x", "> load y")
    #expect(throws: SessionError.self) { try Acceptance.accept(scratch.paths, lines: [5]) }
  }
}
