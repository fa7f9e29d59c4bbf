import CommandLanguage
import Commands
import Foundation
import Testing

/// What an error about a value tells to do can be done.
struct HintedValueTests {
  struct Key: CustomTestStringConvertible, Sendable {
    let spec: CommandSpec
    let parameter: Parameter
    var testDescription: String { "\(spec.name) \(parameter.name)=" }
  }

  private static let parser = Parser(commandTable.map(\.spec), variables: Variables())

  static let keys = commandTable.map(\.spec).flatMap { spec in
    spec.parameters.filter { $0.position == .key }.map { Key(spec: spec, parameter: $0) }
  }

  /// The error of a key with a value, unless the value is taken.
  private func fault(_ value: String, of key: Key) -> CommandError? {
    do throws(CommandError) {
      _ = try Self.parser.parse("\(key.spec.name) \(key.parameter.name)=\(value)")
      return nil
    } catch {
      // Words that must be given are missing here; the value was looked at before.
      return error.code == .missingArgument ? nil : error
    }
  }

  @Test(arguments: keys)
  func `an example in a hint is a value that is taken`(_ key: Key) throws {
    guard let error = fault("§", of: key) else { return }
    let hint = try #require(error.hint, "\(error.message)")
    let example = try #require(
      hint.components(separatedBy: "for example ").dropFirst().first, "\(hint)")
    #expect(fault(example, of: key) == nil, "\(hint)")
  }

  @Test(arguments: [
    "expect 1 =", "expect 1 2", "expect = 1", "expect . = 1", "answer", "noise loud",
  ])
  func `a line that cannot be read has a cure`(_ line: String) throws {
    let session = TestSession()
    let error = try #require(session.runner.run(line, line: 1)?.error)
    #expect(error.hint?.isEmpty == false && !error.message.contains(error.hint ?? ""))
  }
}
