import Foundation

/// A remark of the prompt on a line before it runs: its effect, its fault, or its next word.
package struct Hint: Hashable, Sendable {
  package let text: String
  /// Whether the line would fail.
  package let isFault: Bool

  package init(_ text: String, isFault: Bool = false) {
    (self.text, self.isFault) = (VisibleText.visible(text), isFault)
  }

  /// The text cut to `columns`: a fault is shortened to its cure, a list of facts loses those in
  /// its middle.
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

/// Finds the hint for a line.
package struct Hinter {
  private let parser: Parser
  private let completer: Completer
  private let preview: (Invocation) throws -> String
  private let describe: (any Error) -> CommandError

  /// Makes a hinter.
  ///
  /// - Parameters:
  ///   - parser: Finds the command and its arguments.
  ///   - completer: Knows whether an unfinished word can become a valid one.
  ///   - describe: Turns errors of other modules into errors of a command.
  ///   - preview: Returns what the command would do, or throws its error.
  init(
    parser: Parser, completer: Completer, describe: @escaping (any Error) -> CommandError,
    preview: @escaping (Invocation) throws -> String
  ) {
    (self.parser, self.completer) = (parser, completer)
    (self.describe, self.preview) = (describe, preview)
  }

  /// The effect or the fault of `line`; nil for a blank line, or one that goes on in the next.
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
      // An error that no word caused is not cured by more letters.
      let next = error.range == nil ? nil : unfinished(line, error)
      return next ?? Hint(error.summary, isFault: true)
    }
  }

  /// A hint at the next word of a line whose only fault is that it is unfinished; nil for others.
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
