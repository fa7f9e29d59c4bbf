/// A possible continuation of a line.
package struct Candidate: Hashable, Sendable {
  package let text: String
  /// A description in a few words; may be empty.
  package let description: String

  package init(_ text: String, _ description: String = "") {
    (self.text, self.description) = (text, description)
  }
}

/// The possible continuations of a line, and the text with which the word before the cursor grows.
package struct Completion: Hashable, Sendable {
  /// The possible continuations.
  package var candidates: [Candidate] = []
  /// The text with which each of them replaces the word before the cursor, as typed in a line.
  package var insertions: [String] = []
  /// A description of the expected value where it is not one of a list, such as a number with its
  /// bounds.
  package var expectation: String?
  /// The number of Unicode scalars before the cursor that ``insertion`` replaces.
  package var replacedScalars = 0
  /// The longest common beginning of all candidates, as typed in a line; it ends with a space if
  /// there is only one candidate and that is complete.
  package var insertion = ""
  /// Whether the cursor is in quotes or a comment, where any character may stand.
  package var isInText = false

  package init() {}

  /// The number of rows of the longest list.
  private static let rowLimit = 200

  /// The list of candidates with their descriptions, one a line, at most `columns` − 1 wide.
  package func list(columns: Int) -> [String] {
    let width = max(1, columns - 1)
    var lines = expectation.map { [VisibleText.cut($0, to: width)] } ?? []
    let shown = candidates.prefix(Self.rowLimit)
    let texts = shown.map { VisibleText.visible($0.text) }
    let longest = texts.map { VisibleText.columns(of: $0) }.max() ?? 0
    let room = width - longest - 4
    for (text, candidate) in zip(texts, shown) {
      guard room >= 8, !candidate.description.isEmpty else {
        lines.append(VisibleText.cut("  " + text, to: width))
        continue
      }
      let gap = String(repeating: " ", count: longest - VisibleText.columns(of: text) + 2)
      let description = VisibleText.cut(VisibleText.visible(candidate.description), to: room)
      lines.append("  \(text)\(gap)\(description)")
    }
    if candidates.count > shown.count {
      lines.append(VisibleText.cut("… and \(candidates.count - shown.count) more", to: width))
    }
    return lines
  }
}
