import CommandLanguage
import Foundation
import Testing

struct `The runner` {
  @Test func `changes the workspace and keeps results`() throws {
    let runner = ToyTable.runner()
    let execution = try #require(runner.run("noise gaussian sigma=12.345", line: 7))
    #expect(
      execution.outcome?.lines == ["noisy  12.35 HU"]
        || execution.outcome?.lines == ["noisy  12.34 HU"])
    #expect(runner.workspace == ["fixed"])
    #expect(runner.run("expect noise.sigma = 12.345", line: 8)?.error == nil)
    #expect(runner.run("expect noise.sigma = 12 within=3%", line: 9)?.error == nil)
    #expect(runner.run("expect noise.sigma*2 - 4 > (20)", line: 10)?.error == nil)
  }

  @Test func `lets a value from outside replace the one in the line`() throws {
    let runner = ToyTable.runner(overrides: ["data": "/ct", "other": "1"])
    let given = runner.run("let data = phantom", line: 1)?.outcome
    #expect(given?.lines == [] && given?.recordedCommand == "let data = /ct")
    #expect(runner.run("load $data", line: 2)?.outcome?.lines == ["loaded /ct"])
    #expect(runner.unusedOverrides == ["other"])
    #expect(runner.run("let other", line: 3)?.error == nil)
    #expect(runner.unusedOverrides == [])
  }

  @Test func `records the message of a command that must fail`() throws {
    let outcome = try #require(ToyTable.runner().run("fails lod x", line: 1)?.outcome)
    #expect(outcome.lines == ["failed: there is no command \"lod\"; did you mean \"load\"?"])
    #expect(ToyTable.runner().run("fails load $nothing", line: 1)?.error == nil)
    #expect(ToyTable.runner().run("fails load \"open", line: 1)?.error == nil)
  }

  @Test(arguments: ["noise gaussian", "let a = 2", "undo", "load x # a comment"])
  func `undoes a command that did not fail under fails`(line: String) {
    let runner = ToyTable.runner()
    for line in ["let a = 1", "load first"] { _ = runner.run(line, line: 1) }
    #expect(runner.run("fails \(line)", line: 2)?.error?.code == .notFailed)
    #expect(runner.workspace == ["first"])
    #expect(runner.run("load $a", line: 3)?.outcome?.lines == ["loaded 1"])
    for expected in ["load $a", "load first", "let a = 1"] {
      #expect(runner.run("undo", line: 4)?.outcome?.lines == ["undone  \(expected)"])
    }
    #expect(runner.workspace == [])
  }

  @Test func `leaves all as it was when a command fails, but for the work that it keeps`() {
    let half = Command<Int>(
      CommandSpec(
        "half", family: .rest, summary: "Add, then fail.",
        parameters: [.flag("kept", ["lost", "kept"], "whether", default: .value("lost"))],
        examples: ["half"])
    ) { arguments, number, _ in
      number += 1
      var error = CommandError(.failed, "it failed")
      if try arguments.choice("kept") == "kept" { error.kept = KeptWork("half way", Outcome()) }
      throw error
    }
    let runner = CommandRunner(
      commands: [half] + SessionCommand.allCases.map { Command($0) }, workspace: 0)
    for line in ["half", "fails half"] { _ = runner.run(line, line: 1) }
    #expect(runner.workspace == 0)
    for line in ["half kept", "fails half kept"] { _ = runner.run(line, line: 1) }
    #expect(runner.workspace == 2)
    #expect(runner.run("undo", line: 1)?.outcome?.lines == ["undone  fails half kept"])
    #expect(runner.run("undo", line: 1)?.outcome?.lines == ["undone  half kept"])
    #expect(runner.workspace == 0)
  }

  @Test func `takes back the line before a recorded failure, too`() {
    let runner = ToyTable.runner()
    for line in ["load a", "load b", "fails lod x", "undo"] { _ = runner.run(line, line: 1) }
    #expect(runner.workspace == ["a"])
  }

  @Test func `keeps no result that no transcript has`() {
    let commands = [true, false].map { isRecorded in
      Command<[Bool]>(
        CommandSpec(
          isRecorded ? "note" : "look", family: .rest, summary: "Look.", examples: [],
          isRecorded: isRecorded)
      ) { _, seen, context in
        seen = ["note.depth", "look.depth"].map { context.result(at: $0) != nil }
        return Outcome("", result: ["depth": 1])
      }
    }
    let runner = CommandRunner(commands: commands, workspace: [])
    for line in ["note", "look", "look"] { _ = runner.run(line, line: 1) }
    #expect(runner.workspace == [true, false])
  }

  @Test func `knows from the table whether anything trained, within run, too`() {
    let train = Command<Int>(
      CommandSpec("drill", family: .learning, summary: "Train.", examples: ["drill"], trains: true)
    ) { _, _, _ in Outcome() }
    let runner = CommandRunner(
      commands: [train] + SessionCommand.allCases.map { Command($0) }, workspace: 0)
    runner.readSession = { _ in
      var outcome = Outcome()
      outcome.followUps = ["let a = 1", "drill"]
      return outcome
    }
    #expect(runner.run("drill", line: 1)?.outcome?.hasTrained == true)
    #expect(runner.run("run x", line: 2)?.outcome?.hasTrained == true)
    #expect(runner.run("let a = 1", line: 3)?.outcome?.hasTrained == false)
  }

  @Test func `lists its history`() throws {
    let runner = ToyTable.runner()
    for (index, line) in ["load a", "# nothing", "lod", "noise gaussian \\\n seed=1"].enumerated() {
      _ = runner.run(line, line: index + 1)
    }
    #expect(
      runner.run("history", line: 9)?.outcome?.lines
        == ["1  load a", "3  lod", "4  noise gaussian seed=1"])
    #expect(runner.run("history LOAD", line: 10)?.outcome?.lines == ["1  load a"])
  }

  @Test func `turns other errors into errors of the command`() throws {
    struct Odd: Error {}
    let odd = Command<Int>(
      CommandSpec("odd", family: .rest, summary: "Fail.", examples: ["odd"])
    ) { _, _, _ in throw Odd() }
    let runner = CommandRunner(
      commands: [odd], workspace: 0, describe: { _ in CommandError(.shape, "it is odd") })
    let error = try #require(runner.run("odd", line: 1)?.error)
    #expect(error.code == .shape && error.line == "odd")
  }

  @Test func `quits`() {
    #expect(ToyTable.runner().run("quit", line: 1)?.outcome?.quits == true)
  }

  @Test(arguments: 0..<8)
  func `survives any line`(seed: UInt64) {
    var random = SeededNumbers(seed)
    let runner = ToyTable.runner()
    _ = runner.run("let data = x", line: 1)
    let pieces = [
      "noise", "gaussian", "sigma", "=", "40", "HU", " ", "  ", "[", "]", "(", ")", "$data", "${",
      "}",
      "\"", "'", "#", "\\", "\n", "\r\n", "..", ",", "expect", "let", "tensor", "fails", "help",
      "%", "-",
      "1e309", "\u{0}", "\u{301}", "漢", "🧑‍🧑‍🧒", "load", "train", "time=", "memory=9e99GiB", ":", "<",
      "!=",
      "slices=1..99999999999999999999", "session", "save", "view", "range:", "-9223372036854775808",
    ]
    for _ in 0..<150 {
      let count = Int.random(in: 0..<12, using: &random)
      let line = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      check(runner.run(line, line: 1))
      let bytes = (0..<count * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
      check(runner.run(String(decoding: bytes, as: UTF8.self), line: 1))
    }
  }

  @Test func `survives deep nesting and long lines`() {
    let runner = ToyTable.runner()
    let deep = String(repeating: "(", count: 50_000)
    #expect(runner.run("expect \(deep)1 < 2", line: 1)?.error?.code == .syntax)
    let minus = String(repeating: "-", count: 50_000)
    #expect(runner.run("expect \(minus)1 < 2", line: 1)?.error?.code == .syntax)
    let chain = String(repeating: "1+", count: 50_000)
    #expect(runner.run("expect \(chain)1 < 2", line: 1)?.error?.code == .syntax)
    #expect(runner.run(String(repeating: "fails ", count: 5000) + "x", line: 1)?.error != nil)
    #expect(runner.run(String(repeating: "z", count: 200_000), line: 1)?.error != nil)
  }

  private func check(_ execution: Execution?) {
    guard let execution else { return }
    let text = execution.json.text
    #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil, "\(text)")
    let lines = (execution.error?.rendered ?? []) + (execution.outcome?.lines ?? [])
    #expect(!lines.contains { $0.contains { $0.isNewline } || $0.contains("\u{0}") })
  }
}

/// A small seeded generator (SplitMix64), so that a failing case can be found again.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
