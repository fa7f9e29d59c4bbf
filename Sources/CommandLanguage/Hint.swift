import Foundation

/// What the prompt says about a line before it runs.
package struct Hint: Hashable, Sendable {
  package let text: String
  /// Whether the line would fail.
  package let isFault: Bool

  package init(_ text: String, isFault: Bool = false) {
    (self.text, self.isFault) = (VisibleText.visible(text), isFault)
  }

  /// The text in `columns`: of a fault rather the cure than half of it, of facts the first and those
  /// at the end.
  package func text(in columns: Int) -> String {
    func fits(_ text: String) -> Bool { VisibleText.columns(of: text) <= columns }
    if isFault, !fits(text), let semicolon = text.range(of: "; ", options: .backwards) {
      let cure = String(text[semicolon.upperBound...])
      if fits(cure) { return cure }
    }
    var facts = text.components(separatedBy: Self.separator)
    while facts.count > 1, !fits(facts.joined(separator: Self.separator)) {
      facts.remove(at: 1)
    }
    return VisibleText.cut(facts.joined(separator: Self.separator), to: columns)
  }

  private static var separator: String { " · " }
}

/// Finds what to say about a line.
package struct Hinter {
  private let parser: Parser
  private let completer: Completer
  private let preview: (Invocation) throws -> String
  private let describe: (any Error) -> CommandError

  /// Makes a hinter.
  ///
  /// - Parameters:
  ///   - parser: Finds the command and its arguments.
  ///   - completer: Knows whether an unfinished word can become one.
  ///   - describe: Turns errors of other modules into errors of a command.
  ///   - preview: What the command would do; throws what is wrong with it.
  init(
    parser: Parser, completer: Completer, describe: @escaping (any Error) -> CommandError,
    preview: @escaping (Invocation) throws -> String
  ) {
    (self.parser, self.completer) = (parser, completer)
    (self.describe, self.preview) = (describe, preview)
  }

  /// What `line` would do, or what is wrong with it; none for a blank line and while it goes on.
  package func hint(of line: String) -> Hint? {
    guard !ContinuedLine.goesOn(line) else { return nil }
    let invocation: Invocation
    do throws(CommandError) {
      guard let parsed = try parser.parse(line) else { return nil }
      invocation = parsed
    } catch {
      return unfinished(line, error) ?? Hint(error.summary, isFault: true)
    }
    if let inner = invocation.command { return hint(of: inner.text) }
    do {
      return Hint(try preview(invocation))
    } catch {
      let error = (error as? CommandError) ?? describe(error)
      // What no word is to blame for no further letter cures.
      let next = error.range == nil ? nil : unfinished(line, error)
      return next ?? Hint(error.summary, isFault: true)
    }
  }

  /// What comes next in a line that is wrong only because it is not whole.
  private func unfinished(_ line: String, _ error: CommandError) -> Hint? {
    let completion = completer.completion(of: line)
    if completion.isInText { return Hint("") }
    let typed = line.unicodeScalars.suffix(completion.replacedScalars)
    let start = String(line.unicodeScalars.dropLast(typed.count)).count
    if let range = error.range, range.upperBound <= start, range.upperBound < line.count,
      !Self.isMissing(error)
    {
      return nil
    }
    if !typed.isEmpty {
      guard let first = completion.candidates.first else { return nil }
      let others = completion.candidates.dropFirst()
      return Hint(
        others.isEmpty
          ? [first.text, first.description].filter { !$0.isEmpty }.joined(separator: "  ")
          : completion.candidates.prefix(8).map(\.text).joined(separator: "  "))
    }
    guard Self.isMissing(error) else { return nil }
    return Hint(completion.expectation ?? error.message)
  }

  private static func isMissing(_ error: CommandError) -> Bool {
    [.missingArgument, .missingValue].contains(error.code)
  }
}
