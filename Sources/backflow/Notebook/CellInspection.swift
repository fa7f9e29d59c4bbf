import CommandLanguage
import Commands
import LineEditing

/// A description of what stands at a position of a cell: a name of the session, a key, a command.
struct CellInspection {
  /// The description; nil where there is nothing to describe.
  let text: String?

  /// Describes a place.
  ///
  /// - Parameters:
  ///   - place: The command and the position in it.
  ///   - runner: Knows the commands and the names.
  ///   - completer: Knows unfinished words.
  ///   - isDetailed: Whether the help page stands below what the line would do.
  init(
    _ place: CellPlace, _ runner: CommandRunner<Workspace>, _ completer: Completer,
    isDetailed: Bool
  ) {
    let command = ContinuedLine.joined(place.command)
    let word = Self.word(at: place)
    let isName = runner.workspace.nameCandidates.contains { $0.text == word.prefix { $0 != "[" } }
    if isName, let lines = Self.lines(runner, "stats \(Quoting.quoted(word))") {
      text = lines.joined(separator: "\n")
      return
    }
    guard let spec = Self.spec(of: command, word: word, runner.commands.map(\.spec)) else {
      text = nil
      return
    }
    let key = spec.parameter(named: String(word.prefix { $0 != "=" }))
    let hint = runner.hinter(completer).hint(of: command)?.text
    let about = [
      key.map { "\($0.name): \($0.kind.expectation): \($0.help)" },
      hint.flatMap { $0.isEmpty || $0 == spec.summary ? nil : "here: \($0)" },
    ].compactMap(\.self)
    let help = Self.lines(runner, "help \(spec.name)") ?? []
    text = (about + (about.isEmpty ? [] : [""]) + help).joined(separator: "\n")
  }

  private static func lines(_ runner: CommandRunner<Workspace>, _ command: String) -> [String]? {
    guard case .success(let outcome?) = runner.peek(command) else { return nil }
    return outcome.printedLines
  }

  /// The command of a line: the longest name with which it begins; for a line that begins otherwise,
  /// the command that the word names.
  private static func spec(
    of line: String, word: String, _ specs: [CommandSpec]
  ) -> CommandSpec? {
    let words = line.split(separator: " ").prefix(2).map { $0.lowercased() }
    let names = [words.joined(separator: " "), words.first ?? "", word.lowercased()]
    let named = names.lazy.compactMap { name in specs.first { $0.name == name } }.first
    return named ?? specs.first { $0.name.hasPrefix("\(words.first ?? "") ") }
  }

  /// The word around the position, with an index in brackets.
  private static func word(at place: CellPlace) -> String {
    let isPart: (Character) -> Bool = { !$0.isWhitespace && !"\"'".contains($0) }
    let head = String(place.before.reversed().prefix(while: isPart).reversed())
    let tail = place.command.dropFirst(place.before.count).prefix(while: isPart)
    return head + tail
  }
}
