import CommandLanguage
import Foundation

/// The comment lines of a session as prose.
///
/// Lines are joined to paragraphs; a lone `#` ends one. Indented lines, such as examples, keep
/// their breaks.
struct CommentText {
  let prose: [Handout.Prose]

  init(_ lines: [String]) {
    var prose: [Handout.Prose] = []
    var paragraph: [String] = []
    var verbatim: [String] = []
    func end() {
      if !paragraph.isEmpty { prose.append(.paragraph(paragraph.joined(separator: " "))) }
      if !verbatim.isEmpty { prose.append(.verbatim(verbatim.joined(separator: "\n"))) }
      (paragraph, verbatim) = ([], [])
    }
    for line in lines {
      let text = VisibleText.visible(String(line.drop { $0 == "#" }))
      let words = text.trimmingCharacters(in: .whitespaces)
      if words.isEmpty {
        end()
      } else if text.hasPrefix("   ") {
        if verbatim.isEmpty { end() }
        verbatim.append(words)
      } else {
        if paragraph.isEmpty { end() }
        paragraph.append(words)
      }
    }
    end()
    self.prose = prose
  }

  /// The first sentence without its full stop, or nil, and the rest.
  var headed: (heading: String?, rest: [Handout.Prose]) {
    guard case .paragraph(let text)? = prose.first else { return (nil, prose) }
    let end = text.firstRange(of: /[.?!](?=\s|$)/)?.upperBound ?? text.endIndex
    let sentence = text[..<end]
    let rest = text[end...].trimmingCharacters(in: .whitespaces)
    return (
      String(sentence.hasSuffix(".") ? sentence.dropLast() : sentence),
      (rest.isEmpty ? [] : [.paragraph(rest)]) + prose.dropFirst()
    )
  }
}
