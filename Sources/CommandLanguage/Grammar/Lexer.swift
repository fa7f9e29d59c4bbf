/// Cuts a command line into words.
///
/// Spaces separate words; quotes `"…"` and `'…'` hold spaces and may stand in the middle of a word;
/// an index in brackets, `clean[3, 0:10]`, belongs to its word; `#` at the start of a word begins a
/// comment; `\` at the end of a physical line counts as a space; `$NAME` and `${NAME}` stand for
/// variables except in single quotes.
struct Lexer {
  /// A word before its variables have values.
  struct Word {
    /// A character, or a variable's name and place.
    enum Piece {
      case character(SourceCharacter)
      case variable(String, Range<Int>)
    }

    var pieces: [Piece]
    var range: Range<Int>
  }

  private let line: [Character]
  private(set) var position = 0

  init(_ line: String) {
    self.line = Array(line)
  }

  /// The length of the line in characters.
  var end: Int { line.count }

  /// The rest of the line, and the index where it begins.
  var remainder: (text: String, start: Int) {
    var rest = self
    rest.skipSpace()
    return (String(rest.line[rest.position...]), rest.position)
  }

  /// The next word, or nil at the end of the line or at a comment.
  mutating func next() throws(CommandError) -> Word? {
    skipSpace()
    guard position < line.count, line[position] != "#" else {
      position = line.count
      return nil
    }
    let start = position
    var pieces: [Word.Piece] = []
    var brackets: [Int] = []
    while position < line.count {
      let character = line[position]
      if isSpace(at: position) && brackets.isEmpty { break }
      switch character {
      case "\"", "'":
        pieces += try quoted(by: character)
      case "$":
        pieces.append(try variable(isLiteral: false))
      default:
        if character == "[" { brackets.append(position) }
        if character == "]" { _ = brackets.popLast() }
        pieces.append(.character(SourceCharacter(character, at: position..<position + 1)))
        position += 1
      }
    }
    if let open = brackets.last {
      throw CommandError(
        .syntax, "\"[\" is not closed", hint: "add \"]\", or put the word in quotes",
        range: open..<open + 1)
    }
    return Word(pieces: pieces, range: start..<position)
  }

  /// Reads a quoted piece; the position is at the opening quote.
  private mutating func quoted(by quote: Character) throws(CommandError) -> [Word.Piece] {
    let start = position
    var pieces: [Word.Piece] = []
    position += 1
    while position < line.count, line[position] != quote {
      if line[position] == "$" && quote == "\"" {
        pieces.append(try variable(isLiteral: true))
      } else if isContinuation(at: position) {
        position += 2
      } else {
        pieces.append(
          .character(
            SourceCharacter(line[position], at: position..<position + 1, isLiteral: true)))
        position += 1
      }
    }
    guard position < line.count else {
      throw CommandError(
        .syntax, "the quote \(quote) is not closed", hint: "add \(quote) at its end",
        range: start..<start + 1)
    }
    position += 1
    return pieces
  }

  /// Reads `$NAME` or `${NAME}`, or a plain dollar sign before anything else.
  private mutating func variable(isLiteral: Bool) throws(CommandError) -> Word.Piece {
    let start = position
    position += 1
    let braced = position < line.count && line[position] == "{"
    if braced { position += 1 }
    let nameStart = position
    while position < line.count, isNamePart(line[position]) { position += 1 }
    let name = String(line[nameStart..<position])
    if braced {
      guard position < line.count, line[position] == "}", Variables.isName(name) else {
        throw CommandError(
          .syntax, "\"${\" needs a name and \"}\"", hint: "write ${NAME}, or '$' in single quotes",
          range: start..<min(max(position, start + 2), line.count))
      }
      position += 1
      return .variable(name, start..<position)
    }
    guard Variables.isName(name) else {
      position = nameStart
      return .character(SourceCharacter("$", at: start..<nameStart, isLiteral: isLiteral))
    }
    return .variable(name, start..<position)
  }

  private mutating func skipSpace() {
    while position < line.count, isSpace(at: position) { position += 1 }
  }

  /// Whether a space, or the `\` of a continued line, stands at `index`.
  private func isSpace(at index: Int) -> Bool {
    line[index].isWhitespace || isContinuation(at: index)
  }

  private func isContinuation(at index: Int) -> Bool {
    line[index] == "\\" && index + 1 < line.count && line[index + 1] == "\n"
  }

  private func isNamePart(_ character: Character) -> Bool {
    let scalars = character.unicodeScalars
    guard let first = scalars.first, scalars.count == 1 else { return false }
    return Variables.isPart(first)
  }
}

extension Lexer.Word {
  /// The word with the values of its variables.
  func expanded(with variables: Variables) throws(CommandError) -> SourceText {
    var characters: [SourceCharacter] = []
    for piece in pieces {
      switch piece {
      case .character(let character):
        characters.append(character)
      case .variable(let name, let range):
        guard let value = variables[name] else {
          throw CommandError(
            .unknownVariable, "there is no variable \"\(name)\"",
            hint: NearestNames.question(for: name, among: variables.names)
              ?? "give it a value first: let \(name) = VALUE",
            range: range)
        }
        characters += value.map { SourceCharacter($0, at: range, isLiteral: true) }
        try Parser.checkLength(characters.count, at: range)
      }
    }
    return SourceText(characters, range: range)
  }
}
