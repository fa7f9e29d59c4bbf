/// A topic that help explains beside the commands.
package struct HelpTopic: Hashable, Sendable {
  /// The word to ask for: `HU`.
  package let name: String
  /// One line of at most 72 columns.
  package let summary: String
  /// The explanation, in paragraphs.
  package let text: String
  /// The names of related commands.
  package let seeAlso: [String]

  package init(_ name: String, _ summary: String, seeAlso: [String] = [], _ text: String) {
    (self.name, self.summary, self.text, self.seeAlso) = (name, summary, text, seeAlso)
  }
}
