/// Puts text in quotes for use in a command line.
package enum Quoting {
  /// Returns the text, in quotes if it needs them.
  ///
  /// - Parameters:
  ///   - text: The text without quotes.
  ///   - isWhole: Whether the text ends here, so that the last quote is closed.
  ///   - opened: The quote that is open already, if any.
  /// - Returns: The text as typed in a line.
  package static func quoted(
    _ text: String, isWhole: Bool = true, opened: Character? = nil
  ) -> String {
    guard opened != nil || needsQuotes(text) else { return text }
    // A `$` stands for itself in single quotes only.
    let isDollar = text.contains("$")
    let preferred = isDollar ? "'" : opened ?? (text.contains("\"") ? "'" : "\"")
    var result = ""
    var quote: Character?
    for character in text {
      let wanted: Character =
        switch character {
        case "'": "\""
        case "\"", "$": "'"
        default: quote ?? preferred
        }
      if wanted != quote {
        if let quote { result.append(quote) }
        result.append(wanted)
        quote = wanted
      }
      result.append(character)
    }
    guard let quote else { return isWhole ? "\(preferred)\(preferred)" : "\(preferred)" }
    return isWhole ? result + String(quote) : result
  }

  private static func needsQuotes(_ text: String) -> Bool {
    text.hasPrefix("#") || text.hasSuffix("\\")
      || text.contains { $0.isWhitespace || "\"'$=[]".contains($0) }
  }
}
