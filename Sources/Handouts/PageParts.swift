import Transcripts

// Values that the templates of several formats share; the names are those of the templates.

/// A line of the contents: its number, and the number and heading of the part it leads to.
struct ContentsLine {
  let number: Int
  let part: Int
  let heading: String
}

/// A paragraph, or verbatim lines.
struct ProseText {
  var paragraph: String?
  var verbatim: String?

  /// Converts a piece of prose; `form` converts verbatim lines for a page.
  init(_ prose: Handout.Prose, verbatim form: (String) -> String = { $0 }) {
    switch prose {
    case .paragraph(let text): paragraph = text
    case .verbatim(let text): verbatim = form(text)
    }
  }
}

/// A line of the stamp.
struct StampLine {
  let key: String
  let value: String
}

extension Handout {
  /// The sections that have headings.
  var contents: [ContentsLine] {
    let headed = sections.enumerated().compactMap { index, section in
      section.heading.map { (part: index + 1, heading: $0) }
    }
    return zip(1..., headed).map {
      ContentsLine(number: $0, part: $1.part, heading: $1.heading)
    }
  }

  var stampLines: [StampLine] { stamps.map { StampLine(key: $0.key, value: $0.value) } }
}
