import CommandLanguage
import Commands
import TestSupport
import Testing

/// The command table: its rules, and every example in it.
struct TableTests {
  struct Example: CustomTestStringConvertible, Sendable {
    let example: CommandExample
    var testDescription: String { example.line }
  }

  static let examples = commandTable.flatMap { $0.spec.examples.map { Example(example: $0) } }

  @Test func `the table keeps its rules`() {
    #expect(CommandTable.faults(in: commandTable.map(\.spec)) == [])
  }

  @Test(arguments: examples)
  func `every example runs`(_ test: Example) throws {
    let session = TestSession()
    try session.run(lines: test.example.setup)
    try session.run(test.example.line)
  }
}
