import CommandLanguage
import Testing
import Transcripts

struct `A session file` {
  static let example = """
    #! backflow session 1
    #@ backflow: 0.1.0
    #@ seed: 1
    #@ engine: SkylakeX
    # A first look at one slice
    > phantom size=256 slices=8 patients=2
    clean  16 slices 256×256 · 2 patients · HU -1024…1170, mean -512.4
    > noise gaussian sigma=40HU
    noisy  rmse 40.02 HU  psnr 40.20 dB  ssim 0.812  [full, range 4096]
    > view noisy[3] window=lung
    [png noisy-3.png 256x256 gray8 px:5d0e12ab90ff]

    > block channels=8 \\
    >   convs=2
    \\> not a command
    \\# not a comment
    \\\\< escaped
    > conv
    > train epochs=2
    epoch 2/2  loss 0.00031  validation psnr 43.10 dB  <4.1 s, 12.3 slices/s>

    """

  @Test func `has commands, outputs, stamps and line numbers`() throws {
    let session = try SessionFile(text: Self.example)
    #expect(!session.isScript)
    #expect(session.stamps.map(\.key) == ["backflow", "seed", "engine"])
    #expect(session.stamps.last?.value == "SkylakeX")
    let entries = session.entries
    #expect(entries.map(\.line) == [6, 8, 10, 13, 18, 19])
    #expect(entries[3].command == "block channels=8 \\\n  convs=2")
    #expect(
      entries[3].outputs.map(\.text) == ["> not a command", "# not a comment", "\\< escaped"])
    #expect(entries[3].outputs.map(\.line) == [15, 16, 17])
    #expect(entries[4].outputs.isEmpty)
  }

  @Test(arguments: ["\n", "\r\n"], [true, false])
  func `may come from another system`(ending: String, isComplete: Bool) throws {
    var text = "\u{FEFF}" + Self.example.replacing("\n", with: ending)
    if !isComplete { text = String(text.dropLast()) }
    let session = try SessionFile(text: text)
    #expect(session.entries == (try SessionFile(text: Self.example)).entries)
    #expect(session.stamps == (try SessionFile(text: Self.example)).stamps)
  }

  @Test func `without a command mark is a script`() throws {
    let session = try SessionFile(
      text: "#!/usr/bin/env backflow\n# hello\nload x\n\nblock \\\n  channels=8\nlast")
    #expect(session.isScript)
    #expect(session.entries.map(\.command) == ["load x", "block \\\n  channels=8", "last"])
    #expect(session.entries.map(\.line) == [3, 5, 7])
  }

  @Test(arguments: [
    ("#! backflow session 2\n> x", 1, "another format"), ("> x\n#@ nothing\n", 2, "stamp line"),
    ("> a \\\nb\n", 1, "goes on"),
  ])
  func `has its faults named by line`(text: String, line: Int, words: String) {
    #expect {
      try SessionFile(text: text, name: "a.session")
    } throws: { error in
      guard let error = error as? SessionError else { return false }
      return error.line == line && "\(error)".hasPrefix("a.session:\(line): ")
        && error.message.contains(words)
    }
  }

  @Test func `that is no text is refused`() {
    #expect {
      try SessionFile(bytes: Array("> x\nab".utf8) + [0xFF, 10], name: "a")
    } throws: { error in
      (error as? SessionError)?.line == 2 && "\(error)".contains("not UTF-8")
    }
    #expect(throws: SessionError.self) { try SessionFile(path: "/nowhere/x.session") }
  }

  @Test func `may be empty`() throws {
    #expect(try SessionFile(bytes: [], name: "a").entries.isEmpty)
    #expect(try SessionFile(text: "> \n>\nstray\n").entries.map(\.command) == ["", ""])
  }

  @Test(arguments: 0..<20)
  func `survives any bytes`(seed: UInt64) {
    var random = SystemlessRandom(state: seed)
    let pieces = [
      "> ", ">", "#", "#!", "#@ ", "#! backflow session 1", ":", "\\", "\n", "\r", "a", "<", "é",
    ]
    for _ in 0..<300 {
      let count = Int.random(in: 0..<40, using: &random)
      let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      if let session = try? SessionFile(text: text) {
        #expect(session.entries.allSatisfy { $0.line >= 1 })
      }
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? SessionFile(bytes: bytes, name: "fuzz")
    }
  }

  @Test(arguments: [
    ("a/first", "a/first.session", "a/first", "a/first.new"),
    ("a/first.session", "a/first.session", "a/first", "a/first.new"),
  ])
  func `has its pictures beside it`(name: String, file: String, pictures: String, new: String) {
    let paths = SessionPaths(named: name)
    #expect(paths.file == file && paths.pictures == pictures && paths.new == new)
    #expect(paths.name == "first")
  }
}

/// A small seeded generator (SplitMix64), so that a failing case can be found again.
struct SystemlessRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
