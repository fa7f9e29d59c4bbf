import CommandLanguage
import Commands
import TestSupport
import Testing

/// Lines that are almost commands: those of the table's examples, damaged at random.
struct MutatedLineTests {
  private static let specs = commandTable.map(\.spec)
  private static let lines = specs.flatMap { $0.examples.flatMap { $0.setup + [$0.line] } }

  private static let odd = [
    "", " ", "\t", "\u{0}", "\u{1B}", "\u{202E}", "\"", "'", "\\", "#", "$", "${", "}", "=", "==",
    "[",
    "]", "[0]", "[-1]", "[0:2]", ":", ",", "..", "-", "+", "%", "µ", "漢", "🫁", "e\u{301}", "NaN",
    "inf",
    "-0", "1e999", "1e-999", "9223372036854775807", "-9223372036854775808", "0", "0x10", "1.5",
    "HU",
    "MiB", "s", ".grad", "fails ", "> ", "/", "../",
  ]

  @Test func `10,000 of them are understood or answered with their place and a sentence`() {
    var dice = Dice(seed: 11)
    let parser = Parser(Self.specs, variables: Variables())
    let completer = Completer(
      specs: Self.specs, topics: helpTopics, variables: Variables(), names: { [] },
      entries: { _ in [] })
    var understood = 0
    for _ in 0..<10_000 {
      let line = Self.line(&dice)
      do throws(CommandError) {
        understood += try parser.parse(line) == nil ? 0 : 1
      } catch {
        #expect(!error.message.isEmpty && error.rendered.count <= 3, "\(line.debugDescription)")
        let range = error.range ?? 0..<0
        #expect(range.lowerBound >= 0 && range.upperBound <= (error.line ?? line).count + 1)
      }
      #expect(completer.completion(of: line).replacedScalars <= line.unicodeScalars.count)
    }
    #expect((500..<9000).contains(understood), "\(understood) of them are commands")
  }

  @Test func `2,000 of them get a hint, which changes nothing`() throws {
    var dice = Dice(seed: 12)
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=2", "noise gaussian", "block channels=2", "conv", "train steps=1",
    ])
    let before = try session.run("net show").lines + session.run("data").lines
    let hinter = session.runner.hinter(Completer(specs: Self.specs, topics: helpTopics))
    var faults = 0
    for _ in 0..<2000 {
      guard let hint = hinter.hint(of: Self.line(&dice)) else { continue }
      faults += hint.isFault ? 1 : 0
      #expect(!hint.text.contains("\n") && !hint.text.contains("\u{1B}"))
    }
    #expect((200..<2000).contains(faults), "\(faults) would fail")
    #expect(try session.run("net show").lines + session.run("data").lines == before)
  }

  @Test(arguments: 0..<10)
  func `100 of them run to their end or to an error, and the next line works`(seed: Int) throws {
    var dice = Dice(seed: UInt64(seed))
    let parser = Parser(Self.specs, variables: Variables())
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=2", "noise gaussian", "block channels=2", "conv", "train steps=1",
    ])
    var count = 0
    while count < 100 {
      let line = Self.line(&dice)
      // Most lines that are no commands are alike.
      guard (try? parser.parse(line)) != nil || dice.next(8) == 0 else { continue }
      count += 1
      try session.run("set limit.memory=48MiB limit.seconds=0.1s")
      _ = try? session.run(line)
      #expect(throws: Never.self, "\(line.debugDescription)") { try session.run("expect 1 = 1") }
    }
  }

  /// A line of an example with one to three changes.
  private static func line(_ dice: inout Dice) -> String {
    var line = Array(dice.pick(lines))
    for _ in 0...dice.next(3) {
      let place = dice.next(line.count + 1)
      let end = min(line.count, place + 1 + dice.next(4))
      switch dice.next(6) {
      case 0: line.removeSubrange(place..<end)
      case 1: line.insert(contentsOf: dice.pick(odd), at: place)
      case 2: line.replaceSubrange(place..<end, with: dice.pick(odd))
      case 3: line.insert(contentsOf: line[place..<end], at: place)
      case 4: line = Array(line.prefix(place)) + dice.pick(lines).suffix(dice.next(20))
      default:
        // Another value for a key.
        guard let sign = line.lastIndex(of: "=") else { continue }
        line = Array(line[...sign]) + dice.pick(odd)
      }
    }
    return String(line)
  }
}
