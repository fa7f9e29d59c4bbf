import Foundation
import Testing

/// A prompt under more than a person types.
@Suite(.serialized)
struct `The prompt under load` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test func `loses no line of history when two write at once`() throws {
    let prompts = try (0..<2).map { _ in try Terminal(in: folder) }
    for prompt in prompts { try prompt.wait(for: "\n> \u{1B}[?2004h") }
    for block in 0..<20 {
      for (index, prompt) in prompts.enumerated() {
        let lines = (0..<25).map { "let p\(index)n\(block * 25 + $0) = 1\n" }.joined()
        try prompt.press("\u{1B}[200~\(lines)\u{1B}[201~".utf8)
      }
    }
    for (index, prompt) in prompts.enumerated() {
      try prompt.type("help $p\(index)n499\r", until: "no help on \"1\"")
      #expect(try prompt.leave() == 0)
    }
    let lines = try folder.read("state/backflow/history").split(separator: "\n").map(String.init)
    let wanted = (0..<2).flatMap { index in (0..<500).map { "let p\(index)n\($0) = 1" } }
    #expect(Set(wanted).subtracting(lines) == [])
    #expect(lines.count == 1002)
  }

  @Test(arguments: ["-e", "-v"])
  func `survives 20,000 random keys`(_ keys: String) throws {
    try folder.write("backflow:bind \(keys)\n", to: ".editrc")
    let terminal = try Terminal(in: folder, columns: 60)
    try terminal.wait(for: "\n> \u{1B}[?2004h")
    var random = Dice(seed: 4)
    let sequences = [
      "\u{1B}[A", "\u{1B}[B", "\u{1B}[C", "\u{1B}[D", "\u{1B}[200~a\nb\u{1B}[201~", "\u{1B}[200~",
      "\u{1B}[201~", "\u{1B}OA", "\u{1B}b", "\u{1B}d", "µ", "漢", "é", "noise ", "?", "\t",
      "view \"", "\\\r", "🫁", "\u{12}", "\u{3}",
    ].map { Array($0.utf8) }
    for round in 0..<200 {
      var burst: [UInt8] = []
      for _ in 0..<100 {
        let dice = random.next(10)
        if dice < 2 {
          burst += sequences[random.next(sequences.count)]
        } else if dice < 8 {
          burst.append(UInt8(32 + random.next(95)))
        } else {
          burst.append(UInt8(random.next(256)))
        }
      }
      // Ctrl-D leaves, Ctrl-\ kills.
      try terminal.press(burst.filter { $0 != 4 && $0 != 28 })
      // Ctrl-C ends a paste, a search and a line; then the prompt must answer.
      try terminal.press(Array("\u{1B}[201~".utf8))
      try terminal.interrupt(until: "^C\u{1B}[?2004l\n> ")
      try terminal.type("help \(round)x\r", until: "no help on \"\(round)x\"")
    }
    try terminal.press([3])
    #expect(try terminal.leave() == 0)
    #expect(terminal.isSane)
  }
}

/// Random numbers that are the same in each run.
private struct Dice {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(bound))
  }
}
