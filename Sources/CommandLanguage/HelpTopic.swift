/// An idea that help explains beside the commands.
package struct HelpTopic: Hashable, Sendable {
  /// The word that one asks for: `HU`.
  package let name: String
  /// One line of at most 72 columns.
  package let summary: String
  /// What one should know, in paragraphs.
  package let text: String
  /// The names of commands that have to do with it.
  package let seeAlso: [String]

  package init(_ name: String, _ summary: String, seeAlso: [String] = [], _ text: String) {
    (self.name, self.summary, self.text, self.seeAlso) = (name, summary, text, seeAlso)
  }
}
