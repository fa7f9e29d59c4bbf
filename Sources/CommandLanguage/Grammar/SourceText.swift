/// One character of a command line, after quotes and variables, with the place it came from.
package struct SourceCharacter: Hashable, Sendable {
  /// The character itself.
  package let character: Character
  /// Its range in the line, in characters; a variable's text shares the range of its name.
  package let range: Range<Int>
  /// Whether it was quoted or comes from a variable, and so is never syntax.
  package let isLiteral: Bool

  package init(_ character: Character, at range: Range<Int>, isLiteral: Bool = false) {
    (self.character, self.range, self.isLiteral) = (character, range, isLiteral)
  }
}

/// A piece of a command line that remembers where each of its characters came from.
package struct SourceText: Hashable, Sendable {
  /// The characters after quotes and variables.
  package var characters: [SourceCharacter]
  /// The whole range in the line, quotes included.
  package var range: Range<Int>

  package init(_ characters: [SourceCharacter], range: Range<Int>) {
    self.characters = characters
    self.range = range
  }

  /// A text without quotes or variables, all of it at `range`.
  package init(_ text: String, at range: Range<Int>) {
    self.init(text.map { SourceCharacter($0, at: range) }, range: range)
  }

  /// The text as a string.
  package var string: String {
    String(characters.map(\.character))
  }

  /// Whether any character is quoted or came from a variable.
  package var hasLiterals: Bool {
    characters.contains(where: \.isLiteral)
  }

  /// The range in the line of the characters at `indices` of this text.
  package func range(of indices: Range<Int>) -> Range<Int> {
    let inside = indices.clamped(to: 0..<characters.count)
    guard let first = characters[inside].first, let last = characters[inside].last else {
      let place =
        inside.lowerBound < characters.count
        ? characters[inside.lowerBound].range.lowerBound
        : characters.last?.range.upperBound ?? range.lowerBound
      return place..<place
    }
    return first.range.lowerBound..<max(first.range.upperBound, last.range.upperBound)
  }

  /// The part of this text at `indices`.
  package subscript(indices: Range<Int>) -> SourceText {
    let inside = indices.clamped(to: 0..<characters.count)
    return SourceText(Array(characters[inside]), range: range(of: inside))
  }

  /// The index of the first character that is `character` and stands for syntax.
  package func firstIndex(ofSyntax character: Character) -> Int? {
    characters.firstIndex { $0.character == character && !$0.isLiteral }
  }

  /// Joins words with one space wherever the line has any.
  package static func joined(_ words: some Collection<SourceText>, emptyAt place: Int) -> SourceText
  {
    guard var text = words.first else { return SourceText([], range: place..<place) }
    for word in words.dropFirst() {
      let gap = text.range.upperBound..<max(text.range.upperBound, word.range.lowerBound)
      if !gap.isEmpty { text.characters.append(SourceCharacter(" ", at: gap)) }
      text.characters += word.characters
      text.range = text.range.lowerBound..<max(text.range.upperBound, word.range.upperBound)
    }
    return text
  }
}
