import Transcripts

// What the templates of several forms ask for; the names are those of the templates.

/// A line of the contents: a part's number and heading.
struct ContentsLine {
  let part: Int
  let heading: String
}

/// A line of the stamp.
struct StampLine {
  let key: String
  let value: String
}

extension Handout {
  /// The parts that have headings.
  var contents: [ContentsLine] {
    sections.enumerated().compactMap { index, section in
      section.heading.map { ContentsLine(part: index + 1, heading: $0) }
    }
  }

  var stampLines: [StampLine] { stamps.map { StampLine(key: $0.key, value: $0.value) } }
}
