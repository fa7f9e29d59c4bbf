/// Something that may come next in a line.
package struct Candidate: Hashable, Sendable {
  package let text: String
  /// What it is, in a few words; may be empty.
  package let description: String

  package init(_ text: String, _ description: String = "") {
    (self.text, self.description) = (text, description)
  }
}

/// What may come next in a line, and what the word before the cursor can grow to.
package struct Completion: Hashable, Sendable {
  /// What may come next.
  package var candidates: [Candidate] = []
  /// What is expected where no list says it, such as a number with its bounds.
  package var expectation: String?
  /// How many Unicode scalars before the cursor ``insertion`` replaces.
  package var replacedScalars = 0
  /// What all candidates have in common, as one would type it; with a space behind it when there is
  /// one candidate and it is whole.
  package var insertion = ""
  /// Whether the cursor is in quotes or a comment, where any character may stand.
  package var isInText = false

  package init() {}

  /// The longest list.
  private static let rowLimit = 200

  /// The candidates a line each, with their descriptions, at most `columns` − 1 wide.
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
