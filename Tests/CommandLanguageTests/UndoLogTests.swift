import CommandLanguage
import Testing

struct `Going back` {
  /// A workspace that holds a number, which weighs 10 bytes, and a cache.
  struct Box {
    var number = 0
    var cache = 0
  }

  private static func runner(budget: Int) -> CommandRunner<Box> {
    let set = Command<Box>(
      CommandSpec(
        "put", family: .data, summary: "Put.",
        parameters: [.word("number", .integer(), "the number")], examples: ["put 1"])
    ) { arguments, box, _ in
      box.number = try arguments.integer("number")
      box.cache = box.number
      return Outcome()
    }
    let runner = CommandRunner<Box>(
      commands: [set] + SessionCommand.allCases.map { Command($0) }, workspace: Box())
    runner.undoRules = UndoRules(
      budget: budget, strip: { $0.cache = 0 }, carry: { $0.cache = $1.number },
      weigh: { [(identity: $0.number, bytes: 10)] })
    return runner
  }

  @Test func `keeps no more than its budget, strips what it keeps and carries over the rest`() {
    let runner = Self.runner(budget: 35)
    for number in 1...8 { _ = runner.run("put \(number)", line: number) }
    // 7, 6 and 5 are kept beside the 8 there is; the 0 of the beginning went first.
    for (number, former) in [(7, 8), (6, 7), (5, 6)] {
      #expect(runner.run("undo", line: 1)?.error == nil)
      #expect(runner.workspace.number == number && runner.workspace.cache == former)
    }
    #expect(runner.run("undo", line: 1)?.error?.code == .state)
  }

  @Test func `counts what several moments share once, and what is still there not at all`() {
    let runner = Self.runner(budget: 5)
    for _ in 1...4 { _ = runner.run("put 3", line: 1) }
    for _ in 1...3 { #expect(runner.run("undo", line: 1)?.error == nil) }
    #expect(runner.workspace.number == 3)
    #expect(runner.run("undo", line: 1)?.error?.code == .state)
  }
}
