/// The escapes of output lines in session files.
package enum Escapes {
  /// Escapes `<`, which marks text that may differ between runs, inside a line.
  package static func inside(_ text: String) -> String {
    text.replacing("<", with: "\\<")
  }

  /// A recorded line as it is printed.
  package static func removed(_ text: String) -> String { text.replacing("\\<", with: "<") }

  /// A volatile text in its brackets: `<4.1 s>`.
  package static func volatile(_ text: String) -> String {
    "<\(text.replacing("<", with: "(").replacing(">", with: ")"))>"
  }
}
