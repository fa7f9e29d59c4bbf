/// A pasted text, cut into lines to run.
///
/// Of a transcript, with lines that begin with the prompt, only commands are taken. A last line
/// without an end is not run: it waits in the editor.
package struct PastedText: Hashable, Sendable {
  /// The time in milliseconds to wait for the next piece of a paste without marks.
  static let pause: Int32 = 100

  /// The lines to run, one after the other.
  package var lines: [String]
  /// The rest for the editor.
  package var rest: String

  package init(_ text: String) {
    let unified = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    var all = unified.split(separator: "\n", omittingEmptySubsequences: false).map(Self.typable)
    rest = all.popLast() ?? ""
    lines = all
    guard lines.contains(where: Self.isCommand) || Self.isCommand(rest) else { return }
    lines = lines.compactMap(Self.command)
    rest = Self.command(in: rest) ?? ""
  }

  /// The command in a line of a transcript, which begins with the prompt, or with spaces before it;
  /// nil for other lines.
  package static func command(in line: String) -> String? {
    let line = line.drop { $0 == " " || $0 == "\t" }
    guard line.hasPrefix(CommandLines.prompt) || line == ">" else { return nil }
    return String(line.dropFirst(CommandLines.prompt.count))
  }

  private static func isCommand(_ line: String) -> Bool { command(in: line) != nil }

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
