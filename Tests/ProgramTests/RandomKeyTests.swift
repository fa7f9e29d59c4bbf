import TestSupport
import Testing

/// Keys that nobody presses, thousands of them.
@Suite(.enabled(if: Terminal.isAvailable))
struct `The prompt under random keys` {
  struct Keyboard: CustomTestStringConvertible, Sendable {
    let keys: String
    let locale: String
    var testDescription: String { "\(keys), \(locale)" }
  }

  static let keyboards = ["-e", "-v"].flatMap { keys in
    ["C.UTF-8", "C"].map { Keyboard(keys: keys, locale: $0) }
  }

  private static let sequences = [
    "\u{1B}[A", "\u{1B}[B", "\u{1B}[C", "\u{1B}[D", "\u{1B}[200~a\nb\u{1B}[201~", "\u{1B}[200~",
    "\u{1B}[201~", "\u{1B}OA", "\u{1B}b", "\u{1B}d", "µ", "漢", "é", "noise ", "?", "\t",
    "view \"", "\\\r", "🫁", "\u{12}", "\u{16}", "help\r",
  ].map { Array($0.utf8) }

  @Test(arguments: keyboards)
  func `answers after thousands of them, and leaves the terminal as it was`(
    _ keyboard: Keyboard
  ) throws {
    let folder = try Folder()
    try folder.write("backflow:bind \(keyboard.keys)\n", to: ".editrc")
    let terminal = try Terminal(
      in: folder, columns: 60, environment: ["LC_ALL": keyboard.locale, "LANG": ""])
    try terminal.wait(for: "\n> ")
    var dice = Dice(seed: 4)
    for round in 0..<50 * Terminal.length {
      var count = 0
      while count < 100 {
        let handful = min(1 + dice.next(16), 100 - count)
        try terminal.press((0..<handful).flatMap { _ in Self.key(&dice) })
        // Now and then, the prompt has time for a hint.
        if dice.next(3) == 0 { terminal.pause() }
        count += handful
      }
      try answer("\(round)x", terminal)
      guard dice.next(5) == 0 else { continue }
      try terminal.press((0..<20).flatMap { _ in Self.key(&dice) })
      // Without a shell, Ctrl-Z stops nothing.
      try terminal.press([26])
      try answer("\(round)y", terminal)
    }
    try terminal.press("\u{1B}[201~\r".utf8)
    #expect(terminal.shown.contains("\u{1B}7\u{1B}["), "there were hints")
    #expect(try terminal.leave() == 0)
    #expect(terminal.isSane)
  }

  /// Waits until the prompt answers; a paste, a search or a count may take a line or two before.
  private func answer(_ word: String, _ terminal: Terminal) throws {
    let tries = 20
    for count in 1...tries {
      let start = terminal.position
      try terminal.press("\u{1B}[201~\rhelp \(word)\r".utf8)
      let limit: Duration = count < tries ? .seconds(1) : Terminal.patience
      if terminal.shows("no help on \"\(word)\"", after: start, within: limit) { return }
    }
    throw Program.Failure("the prompt does not answer: \(terminal.shown.suffix(3000))")
  }

  /// A letter, a sequence or any byte.
  ///
  /// But not Ctrl-D, which leaves, nor the keys of signals, at which the system drops what was typed.
  private static func key(_ dice: inout Dice) -> [UInt8] {
    switch dice.next(10) {
    case 0, 1: dice.pick(sequences)
    case 2...7: [UInt8(32 + dice.next(95))]
    default: [UInt8(dice.next(256))].filter { ![3, 4, 26, 28].contains($0) }
    }
  }
}
