/// The changes from a recorded line to a new one, piece by piece.
struct LineChanges {
  /// A piece of a line: a number, a run of other characters, or text in `<…>`.
  enum Piece: Hashable {
    case word(String)
    case number(WrittenNumber)
    case volatile(String)

    var text: String {
      switch self {
      case .word(let text), .volatile(let text): text
      case .number(let number):
        number.tolerance == nil ? number.text : "\(number.text)~\(number.toleranceText)"
      }
    }

    /// The text by which pieces of both lines are matched.
    var key: String {
      switch self {
      case .word(let text): text
      case .number: "0"
      case .volatile: "<>"
      }
    }
  }

  /// The changes in words: `31.20 → 31.25 (+0.05)`, `patients → patience`.
  let words: [String]

  init(from recorded: String, to found: String) {
    let (old, new) = (Self.pieces(recorded), Self.pieces(found))
    let steps = new.map(\.key).difference(from: old.map(\.key))
    let removed = Set(steps.removals.map(Self.offset))
    let inserted = Set(steps.insertions.map(Self.offset))
    var words: [String] = []
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      let (first, second) = (i, j)
      while i < old.count, removed.contains(i) { i += 1 }
      while j < new.count, inserted.contains(j) { j += 1 }
      if i > first || j > second {
        words.append(Self.replaced(old[first..<i], new[second..<j]))
      } else {
        if let change = Self.changed(old[i], new[j]) { words.append(change) }
        (i, j) = (i + 1, j + 1)
      }
    }
    self.words = words
  }

  private static func offset(_ change: CollectionDifference<String>.Change) -> Int {
    switch change {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }

  private static func replaced(_ old: ArraySlice<Piece>, _ new: ArraySlice<Piece>) -> String {
    let (old, new) = (
      old.map(\.text).joined(separator: " "), new.map(\.text).joined(separator: " ")
    )
    return old.isEmpty ? "added \(new)" : new.isEmpty ? "missing \(old)" : "\(old) → \(new)"
  }

  /// The change from one number to another; nil if they are equal.
  private static func changed(_ old: Piece, _ new: Piece) -> String? {
    guard case .number(let a) = old, case .number(let b) = new, a.text != b.text else { return nil }
    let difference = b.value - a.value
    guard difference.isFinite, difference != 0 else { return "\(a.text) → \(b.text)" }
    let sign = difference > 0 ? "+" : "−"
    return
      "\(a.text) → \(b.text) (\(sign)\(Tolerance.digits(abs(difference), finest: b.lastDigit)))"
  }

  /// The pieces of a line, without spaces.
  static func pieces(_ line: String) -> [Piece] {
    let characters = Array(line)
    var pieces: [Piece] = []
    var position = 0
    while position < characters.count {
      let character = characters[position]
      if character == " " {
        position += 1
      } else if character == "<", let end = characters[position...].firstIndex(of: ">") {
        pieces.append(.volatile(String(characters[position...end])))
        position = end + 1
      } else if let number = number(characters, at: position) {
        pieces.append(.number(number))
        position = number.end
      } else {
        let start = position
        position += 1
        while position < characters.count, characters[position] != " ", characters[position] != "<",
          number(characters, at: position) == nil
        {
          position += 1
        }
        pieces.append(.word(String(characters[start..<position])))
      }
    }
    return pieces
  }

  /// A number that begins at `position` and is not the end of a word.
  private static func number(_ characters: [Character], at position: Int) -> WrittenNumber? {
    let before = position > 0 ? characters[position - 1] : " "
    guard !before.isLetter, !before.isNumber, before != "_", before != "." else { return nil }
    guard let number = WrittenNumber.read(characters, from: position) else { return nil }
    // The beginning of "information" is not an infinity.
    let after = number.end < characters.count ? characters[number.end] : " "
    return number.value.isFinite || !(after.isLetter || after.isNumber) ? number : nil
  }
}
