import CommandLanguage
import Testing

/// Lines and values of any length are run or refused, in a time that grows as they do.
struct `What is too long` {
  private let runner = ToyTable.runner()

  private func error(_ line: String) -> CommandError? { runner.run(line, line: 1)?.error }

  @Test func `as a value is refused by its length, and the value before stays`() throws {
    #expect(error("let a = xxxxxxxxxx") == nil)
    var refused = 0
    for _ in 0..<30 {
      guard let error = error("let a = $a$a") else { continue }
      refused += 1
      #expect(error.code == .limit && error.message.contains("65536") && error.hint != nil)
    }
    #expect(refused == 18)
    #expect(runner.variables["a"]?.count == 40_960)
  }

  @Test func `as a command with its values is refused before it is put together`() throws {
    #expect(error("let a = \(String(repeating: "x", count: 65_536))") == nil)
    for line in [
      "load " + String(repeating: "$a", count: 300_000),
      "load " + String(repeating: "$a ", count: 300_000),
    ] {
      let refusal = try #require(error(line))
      #expect(refusal.code == .limit && refusal.hint != nil, "\(refusal.message)")
    }
  }

  @Test(arguments: ["x", "x ", "'x' ", "a=1 ", "[", "\"", "$x ", "# ", "1+", "x.", "..", ","])
  func `as a line of a megabyte ends with a result or an error`(piece: String) {
    for command in ["", "load ", "view ", "expect ", "tensor a = ", "let b = ", "noise gaussian "] {
      let count = (1_000_000 - command.count) / piece.count
      let error = error(command + String(repeating: piece, count: count))
      #expect(error?.message.count ?? 0 < 5000)
    }
  }

  @Test func `as a line of more than a megabyte is refused`() throws {
    let refusal = try #require(error("load " + String(repeating: "x", count: 2_000_000)))
    #expect(refusal.code == .limit && refusal.message.contains("1048576"))
  }

  @Test(arguments: ["(", "-", "+", "f(", "[", "(-"], [30_000, 100_000])
  func `nested as deep as a line is long is an error`(piece: String, count: Int) throws {
    let nested = String(repeating: piece, count: count)
    for (text, ofTensors) in [(nested, false), (nested, true), ("1 + " + nested + "2", true)] {
      #expect(throws: CommandError.self) {
        _ = try Expression(
          parsing: SourceText(text, at: 0..<text.count), functions: ofTensors ? ["f"] : nil)
      }
    }
    #expect(error("expect " + nested + "1 = 1") != nil)
    let quotes = String(repeating: "\"'", count: 50_000)
    #expect(error("load " + quotes) != nil)
  }

  @Test func `in all is still quick: each let shares what the others made`() throws {
    // With a copy of all values for each, this would take hours.
    for number in 0..<100_000 { #expect(error("let v\(number) = \(number)") == nil) }
    #expect(runner.variables["v99999"] == "99999" && runner.variables["v0"] == "0")
    #expect(
      runner.variables.values { $0.hasSuffix("777") }.map(\.name).prefix(2) == ["v777", "v1777"])
    #expect(error("load $v77 $w") != nil)
  }
}
