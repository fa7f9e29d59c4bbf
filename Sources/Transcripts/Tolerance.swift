import Foundation

/// Writes tolerances into recorded lines, so that the new output agrees with them.
enum Tolerance {
  /// The recorded line with a tolerance behind every number that differs; nil if anything but
  /// numbers differs.
  static func line(_ recorded: String, agreeingWith found: String) -> String? {
    let (old, new) = (LineChanges.pieces(recorded), LineChanges.pieces(found))
    guard old.map(\.key) == new.map(\.key) else { return nil }
    var numbers = zip(old, new).compactMap { old, new -> (WrittenNumber, WrittenNumber)? in
      if case .number(let a) = old, case .number(let b) = new { (a, b) } else { nil }
    }[...]
    guard numbers.allSatisfy({ $0.value.isFinite && $1.value.isFinite || $0.text == $1.text })
    else {
      return nil
    }
    let characters = Array(recorded)
    var result = ""
    var position = 0
    while let (number, other) = numbers.popFirst() {
      result += String(characters[position..<number.start])
      result += number.text
      let difference = abs(other.value - number.value)
      let width = max(difference, number.tolerance ?? 0)
      if number.text != other.text || number.tolerance != nil {
        result += "~" + digits(width, finest: number.lastDigit)
      }
      position = number.end
    }
    return result + String(characters[position...])
  }

  /// Throws when the text behind the `~` of a recorded number is not a width.
  ///
  /// Quoted text is not checked: the number must begin a line or follow a space or a bracket.
  static func requireValid(
    _ entries: [SessionFile.Entry], in file: String
  ) throws(SessionError) {
    for output in entries.lazy.flatMap(\.outputs) where output.text.utf8.contains(UInt8(ascii: "~"))
    {
      let wrong =
        /(?:^|[\s(\[])([-+]?(?:[0-9][0-9.]*(?:e[-+]?[0-9]+)?|nan|inf))~([-+]?(?:[0-9.]+(?:e[-+]?[0-9]+)?|nan|inf(?:inity)?))(?=$|[\s,;:)\]%])/
      for match in output.text.matches(of: wrong.ignoresCase()) {
        let width = Double(match.output.2)
        guard width.map({ $0.isFinite && !match.output.2.hasPrefix("-") }) != true else { continue }
        throw SessionError(
          file, line: output.line,
          "\(match.output.1)~\(match.output.2) has no tolerance that could be kept: write a number "
            + "from 0 on behind \"~\", such as \(match.output.1)~0.05")
      }
    }
  }

  /// A width with two significant digits, rounded up, and not finer than `finest`, the last written
  /// digit.
  static func digits(_ width: Double, finest: Double) -> String {
    guard width > 0, width.isFinite else { return "0" }
    let place = max(finest, pow(10, floor(log10(width)) - 1))
    // The rounding of a decimal fraction in binary must not add a digit.
    let steps = (width / place - 1e-6).rounded(.up)
    let decimals = max(0, Int(-floor(log10(place) + 1e-9)))
    return decimals <= 15
      ? String(format: "%.\(decimals)f", steps * place) : String(format: "%.1e", steps * place)
  }
}
