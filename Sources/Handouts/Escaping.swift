import Mustache

/// Escapes text for HTML, in an element or in a quoted attribute.
///
/// It escapes Unicode scalars. Mustache's own escapes characters, for which `"` with an accent on
/// it differs from `"`, while a browser ends the attribute there.
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

/// Escapes text on one line of Markdown: marks with a meaning in Markdown or HTML get a backslash.
struct MarkdownText: MustacheContentType {
  private static let marks = Set("\\`*_{}[]<>#|~&$".unicodeScalars)
  /// Characters that make a line an item of a list at its start, also after digits.
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

/// The templates of the pages, which are compiled into the program.
enum Templates {
  /// A template that escapes its values for `contentType`.
  static func template(
    _ bytes: [UInt8], _ name: String, _ contentType: any MustacheContentType
  ) -> MustacheTemplate {
    MustacheContentTypes.register(contentType, named: name)
    let text = "{{% CONTENT_TYPE:\(name)}}\n" + String(decoding: bytes, as: UTF8.self)
    do {
      return try MustacheTemplate(string: text)
    } catch {
      // A broken template would fail in the tests, which render all of them.
      preconditionFailure("The template of \(name) is broken: \(error)")
    }
  }
}

/// HTML made of texts.
package enum HTML {
  /// Returns the text for an element or a quoted attribute.
  package static func escaped(_ text: String) -> String { HTMLText().escapeText(text) }
}
