/// Tells whether a command line has an end.
package enum OpenLine {
  /// Whether a quote or a bracket is open at the end of `text`, or it goes on after a `\`.
  package static func isOpen(_ text: String) -> Bool {
    guard !ContinuedLine.goesOn(text) else { return true }
    let line = PartialLine(text)
    return !line.isInComment && (line.current.openQuote != nil || line.current.openBrackets > 0)
  }
}
