import Mustache

/// Text inside HTML, in an element or in a quoted attribute.
///
/// It goes by Unicode scalars. Mustache's own goes by characters, for which `"` with an accent on it
/// is another character than `"`, while to a browser it ends the attribute.
struct HTMLText: MustacheContentType {
  func escapeText(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      case "\u{0}": result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}

/// Text on one line of Markdown, where it stands for itself: marks that Markdown or HTML would read
/// are written so that they are seen.
struct MarkdownText: MustacheContentType {
  private static let marks = Set("\\`*_{}[]<>#|~&$".unicodeScalars)
  /// What makes a line an item of a list, where it stands at its start.
  private static let items = Set("+-.)".unicodeScalars)

  func escapeText(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var isStart = true
    for scalar in text.unicodeScalars {
      if Self.marks.contains(scalar) || (isStart && Self.items.contains(scalar)) {
        result.append("\\")
      }
      isStart = isStart && ("0"..."9").contains(scalar)
      result.append(scalar)
    }
    return String(result)
  }
}

/// The templates, which are part of the program.
enum Templates {
  /// A template that writes its values as `contentType` says.
  static func template(
    _ bytes: [UInt8], _ name: String, _ contentType: any MustacheContentType
  ) -> MustacheTemplate {
    MustacheContentTypes.register(contentType, named: name)
    let text = "{{% CONTENT_TYPE:\(name)}}\n" + String(decoding: bytes, as: UTF8.self)
    do {
      return try MustacheTemplate(string: text)
    } catch {
      // The tests render every template.
      preconditionFailure("The template of \(name) is broken: \(error)")
    }
  }
}
