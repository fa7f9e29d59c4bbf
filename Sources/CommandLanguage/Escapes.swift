/// The escapes of output lines, on the screen and in session files alike.
package enum Escapes {
  /// Escapes `<`, which marks text that may differ between runs, inside a line.
  package static func inside(_ text: String) -> String {
    text.replacing("<", with: "\\<")
  }

  /// A volatile text in its brackets: `<4.1 s>`.
  package static func volatile(_ text: String) -> String {
    "<\(text.replacing("<", with: "(").replacing(">", with: ")"))>"
  }
}
