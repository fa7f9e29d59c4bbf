/// Text as one types it in a line.
package enum Quoting {
  /// The text in quotes if it needs some.
  ///
  /// - Parameters:
  ///   - text: What the quotes hold.
  ///   - isWhole: Whether the text ends here, so that the last quote is closed.
  ///   - opened: The quote that somebody has begun with.
  /// - Returns: The text, in quotes where it needs them.
  package static func quoted(
    _ text: String, isWhole: Bool = true, opened: Character? = nil
  ) -> String {
    guard opened != nil || needsQuotes(text) else { return text }
    // A variable's sign is a plain one in single quotes only.
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
