/// A line up to the cursor, cut into words as far as possible: quotes may still be open.
struct PartialLine {
  /// A word or the beginning of one.
  struct Word {
    /// The index in the line where the word begins, in characters.
    let start: Int
    /// The text without its quotes.
    var value = ""
    /// The index of the first `=` outside quotes, and the key before it.
    var sign: Int?
    var key = ""
    var valueAfterSign = ""
    /// The quote that is still open at its end.
    var openQuote: Character?
    /// The number of brackets that are still open at its end.
    var openBrackets = 0
  }

  let characters: [Character]
  /// The words before the one at the cursor.
  private(set) var words: [Word] = []
  /// The word that ends at the cursor; may be empty.
  private(set) var current: Word
  /// Whether the cursor is in a comment.
  private(set) var isInComment = false

  init(_ text: String) {
    characters = Array(text)
    current = Word(start: characters.count)
    var position = 0
    while position < characters.count {
      if isSpace(at: position) {
        position += 1
      } else if characters[position] == "#" {
        isInComment = true
        return
      } else {
        let word = readWord(&position)
        if position < characters.count { words.append(word) } else { current = word }
      }
    }
  }

  /// The text of the line from a character on.
  func text(from start: Int) -> String { String(characters[start...]) }

  private func readWord(_ position: inout Int) -> Word {
    var word = Word(start: position)
    while position < characters.count {
      let character = characters[position]
      if let quote = word.openQuote {
        if character == quote { word.openQuote = nil } else { word.append(character) }
      } else if character == "\"" || character == "'" {
        word.openQuote = character
      } else if isSpace(at: position) && word.openBrackets == 0 {
        break
      } else if character == "=" && word.sign == nil {
        word.sign = position
        word.key = word.value
        word.value.append(character)
      } else {
        if character == "[" { word.openBrackets += 1 }
        if character == "]" { word.openBrackets = max(0, word.openBrackets - 1) }
        word.append(character)
      }
      position += 1
    }
    return word
  }

  private func isSpace(at index: Int) -> Bool {
    if characters[index].isWhitespace { return true }
    return characters[index] == "\\" && index + 1 < characters.count
      && characters[index + 1] == "\n"
  }
}

extension PartialLine.Word {
  fileprivate mutating func append(_ character: Character) {
    value.append(character)
    if sign != nil { valueAfterSign.append(character) }
  }
}
