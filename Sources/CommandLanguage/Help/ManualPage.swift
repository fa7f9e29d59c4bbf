/// The manual page of the program, in the macros of man(7).
package enum ManualPage {
  /// A section of the page that is not made from the table.
  package struct Section {
    let heading: String
    let paragraphs: [String]
    let isVerbatim: Bool

    /// Makes a section of paragraphs, or with `isVerbatim` of texts whose lines stay as they are.
    package init(_ heading: String, _ paragraphs: [String], isVerbatim: Bool = false) {
      (self.heading, self.paragraphs, self.isVerbatim) = (heading, paragraphs, isVerbatim)
    }
  }

  /// The page: name, the given sections, all commands by family, the topics.
  package static func text(
    name: String, version: String, summary: String, sections: [Section], specs: [CommandSpec],
    topics: [HelpTopic]
  ) -> String {
    var lines = [
      ".TH \(name.uppercased()) 1 \"\" \"\(name) \(version)\"", ".SH NAME",
      escaped("\(name) - \(summary)"),
    ]
    for section in sections {
      lines.append(".SH \(section.heading)")
      for paragraph in section.paragraphs {
        lines += section.isVerbatim ? [".PP", ".EX"] : [".PP"]
        lines += paragraph.split(separator: "\n", omittingEmptySubsequences: false)
          .map { escaped(String($0)) }
        if section.isVerbatim { lines.append(".EE") }
      }
    }
    lines.append(".SH COMMANDS")
    for family in CommandFamily.allCases {
      let members = specs.filter { $0.family == family }
      guard !members.isEmpty else { continue }
      lines.append(".SS \(heading(family))")
      for spec in members {
        lines += [".TP", "\\fB\(escaped(spec.syntax))\\fR", escaped(spec.summary)]
      }
    }
    lines.append(".SH IDEAS")
    for topic in topics {
      lines += [".TP", "\\fB\(escaped(topic.name))\\fR", escaped(topic.summary)]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func heading(_ family: CommandFamily) -> String {
    family.rawValue.prefix(1).uppercased() + family.rawValue.dropFirst()
  }

  /// The text with troff's special characters escaped.
  private static func escaped(_ text: String) -> String {
    let signs = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return signs.hasPrefix(".") || signs.hasPrefix("'") ? "\\&" + signs : signs
  }
}
