/// What somebody pasted, cut into lines to run.
///
/// Of a transcript, which has lines that begin with the prompt, only its commands count. A last line
/// without an end is not run: it waits in the editor.
package struct PastedText: Hashable, Sendable {
  /// The lines to run, one after the other.
  package var lines: [String]
  /// What is left for the editor.
  package var rest: String

  package init(_ text: String) {
    let unified = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    var all = unified.split(separator: "\n", omittingEmptySubsequences: false).map(Self.typable)
    rest = all.popLast() ?? ""
    lines = all
    let isCommand = { (line: String) in line.hasPrefix("> ") || line == ">" }
    guard lines.contains(where: isCommand) || isCommand(rest) else { return }
    let command = { (line: String) in String(line.dropFirst(2)) }
    lines = lines.filter(isCommand).map(command)
    rest = isCommand(rest) ? command(rest) : ""
  }

  /// A line without control characters.
  private static func typable(_ line: Substring) -> String {
    var result = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
      if scalar == "\t" {
        result.append(" ")
      } else if scalar.value >= 0x20, !(0x7F..<0xA0).contains(scalar.value) {
        result.append(scalar)
      }
    }
    return String(result)
  }
}
