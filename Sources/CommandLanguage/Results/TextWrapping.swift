/// Breaks lines at spaces, so that a terminal does not break them inside a word.
package enum TextWrapping {
  /// Returns the line in rows of at most `columns`.
  ///
  /// Later rows stand under the last column of a table row, where that leaves half of the width, else
  /// under the line's beginning. A word that is wider than a row is broken behind `|`, between choices;
  /// another keeps its length: it may be a path.
  package static func rows(of line: String, columns: Int) -> [String] {
    guard VisibleText.columns(of: line) > columns, columns > 0 else { return [line] }
    let (words, gaps) = parts(of: line, columns)
    let indentation = indentation(words, gaps, columns)
    var rows: [String] = []
    var row = ""
    var width = 0
    for (word, gap) in zip(words, gaps) {
      let length = VisibleText.columns(of: word)
      if width > 0, width + gap + length > columns {
        rows.append(row)
        // A word goes to the left as far as it needs to fit.
        let indent = length > columns ? indentation : min(indentation, columns - length)
        (row, width) = (String(repeating: " ", count: indent) + word, indent + length)
      } else {
        row += String(repeating: " ", count: gap) + word
        width += gap + length
      }
    }
    return rows + [row]
  }

  /// The words of a line, or their choices where a word is wider than `columns`, and the spaces
  /// before each.
  private static func parts(
    of line: String, _ columns: Int
  ) -> (words: [String], gaps: [Int]) {
    var (words, gaps) = ([String](), [Int]())
    var gap = 0
    for part in line.split(separator: " ", omittingEmptySubsequences: false) {
      if part.isEmpty {
        gap += 1
      } else {
        let pieces =
          VisibleText.columns(of: String(part)) > columns ? choices(part) : [String(part)]
        words += pieces
        gaps += [gap] + pieces.dropFirst().map { _ in 0 }
        gap = 1
      }
    }
    return (words, gaps)
  }

  /// The parts of a word that end behind `|`.
  private static func choices(_ word: Substring) -> [String] {
    let parts = word.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    return parts.dropLast().map { $0 + "|" } + parts.suffix(1).filter { !$0.isEmpty }
  }

  /// The column where the second row and later ones begin.
  private static func indentation(_ words: [String], _ gaps: [Int], _ columns: Int) -> Int {
    var (place, column) = (0, 0)
    var start = gaps.first ?? 0
    for (index, (word, gap)) in zip(words, gaps).enumerated() {
      place += gap
      if index > 0, gap > 1, place <= columns / 2 { column = place }
      place += VisibleText.columns(of: word)
    }
    start = min(start, columns / 2)
    return column > 0 ? column : start + (columns > 20 ? 2 : 0)
  }
}
