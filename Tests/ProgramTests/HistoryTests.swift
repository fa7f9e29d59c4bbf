import Testing

/// The history that all prompts of a person share.
@Suite(.enabled(if: Terminal.isAvailable))
struct `The history of two prompts` {
  @Test func `at once holds each line of both, whole and in order`() throws {
    let folder = try Folder()
    let names = ["left", "right"]
    let terminals = try names.map { _ in try Terminal(in: folder) }
    for terminal in terminals { try terminal.wait(for: "\n> ") }
    let lines = names.map { name in (1...500).map { "let \(name)\($0) = '\(name) µ \($0)'" } }
    // By turns, so that both have lines to run all the time.
    for start in stride(from: 0, to: 500, by: 10) {
      for (terminal, lines) in zip(terminals, lines) {
        for line in lines[start..<start + 10] { try terminal.press("\(line)\r".utf8) }
      }
    }
    for (terminal, name) in zip(terminals, names) {
      try terminal.type("help $\(name)500\r", until: "no help on \"\(name) µ 500\"")
      #expect(try terminal.leave() == 0)
    }
    let history = try folder.read("state/backflow/history").split(separator: "\n")
      .map(String.init)
    for (name, lines) in zip(names, lines) {
      #expect(history.filter { $0.hasPrefix("let \(name)") } == lines)
    }
    #expect(history.count == 1002, "and the two that asked for help, nothing else")
    let order = history.map { $0.contains("left") }
    #expect(zip(order, order.dropFirst()).count { $0 != $1 } > 10, "they wrote at once")
  }
}
