/// Cuts a command line into pieces that a page can color.
///
/// Nothing is checked and no variable needs a value, so that old and wrong lines can be shown too.
package struct SyntaxColoring {
  /// The kind of a piece of a command line.
  package enum Kind: String, Hashable, Sendable {
    /// The words that name the command.
    case name
    /// A key and its `=`.
    case key
    case number
    /// A word in quotes.
    case quote
    /// A word with a variable in it.
    case variable
    case comment
    /// Any other word, and spaces.
    case plain
  }

  /// A piece and the characters it covers.
  package struct Piece: Hashable, Sendable {
    package let kind: Kind
    package let text: String
  }

  private let names: Set<String>

  /// Makes a coloring that knows the commands of a table.
  package init(_ specs: [CommandSpec]) {
    names = Set(specs.map(\.name))
  }

  /// The pieces of a command; their texts together are its text.
  package func pieces(of command: String) -> [Piece] {
    let characters = Array(command)
    var lexer = Lexer(command)
    var pieces: [Piece] = []
    var position = 0
    func add(_ kind: Kind, to end: Int) {
      guard end > position else { return }
      pieces.append(Piece(kind: kind, text: String(characters[position..<end])))
      position = end
    }
    var name: String? = ""
    // The rest of a line that the lexer cannot read is left as it is.
    while let word = try? lexer.next() {
      add(.plain, to: word.range.lowerBound)
      if let known = name {
        let longer = known.isEmpty ? word.lowercased : "\(known) \(word.lowercased)"
        if isStart(longer) {
          add(.name, to: word.range.upperBound)
          // The words after "fails" are a command of their own.
          name = longer == SessionCommand.fails.spec.name ? "" : longer
          continue
        }
        name = nil
      }
      if let sign = word.assignment, sign > word.range.lowerBound {
        add(.key, to: sign + 1)
        add(kind(of: characters[(sign + 1)..<word.range.upperBound]), to: word.range.upperBound)
      } else {
        let kind = word.hasVariable ? .variable : kind(of: characters[word.range])
        add(kind, to: word.range.upperBound)
      }
    }
    let rest = characters[position...]
    let start = rest.firstIndex { !$0.isWhitespace } ?? rest.endIndex
    add(.plain, to: start)
    add(rest[start...].first == "#" ? .comment : .plain, to: characters.count)
    return pieces
  }

  /// Whether `words` are a command's name or the first of its two words.
  private func isStart(_ words: String) -> Bool {
    names.contains(words) || names.contains { $0.hasPrefix(words + " ") }
  }

  private func kind(of word: ArraySlice<Character>) -> Kind {
    guard let first = word.first else { return .plain }
    if first == "\"" || first == "'" { return .quote }
    if first == "$" { return .variable }
    let digits = "+-".contains(first) ? word.dropFirst().first : first
    return digits?.isNumber == true ? .number : .plain
  }
}

extension Lexer.Word {
  /// The characters in lower case; a variable counts as no character.
  fileprivate var lowercased: String {
    String(
      pieces.compactMap { piece in
        if case .character(let character) = piece { character.character } else { nil }
      }
    ).lowercased()
  }

  /// The index of the `=` that ends a key; nil if the word has no key.
  fileprivate var assignment: Int? {
    for piece in pieces {
      guard case .character(let character) = piece, !character.isLiteral else { return nil }
      if character.character == "=" { return character.range.lowerBound }
    }
    return nil
  }

  fileprivate var hasVariable: Bool {
    pieces.contains { if case .variable = $0 { true } else { false } }
  }
}
