/// The reference page of all commands.
package enum Reference {
  /// The page in Markdown, made from the table alone.
  package static func markdown(_ specs: [CommandSpec]) -> String {
    var blocks = [
      "# Commands",
      """
      This page is made from the command table: `backflow reference` prints it. `[…]` is optional \
      and shows the default where it holds a value; `…` means one or more. At the prompt, \
      `help COMMAND` says the same.
      """,
    ]
    let overview = CommandFamily.allCases.compactMap { family -> String? in
      let links = specs.filter { $0.family == family }
        .map { "[`\($0.name)`](#\(anchor($0.name)))" }
      return links.isEmpty
        ? nil : "- **\(family.rawValue)**: \(links.joined(separator: " · "))"
    }
    blocks.append(overview.joined(separator: "\n"))
    for family in CommandFamily.allCases {
      let members = specs.filter { $0.family == family }
      guard !members.isEmpty else { continue }
      blocks.append("## \(heading(family))")
      blocks += members.flatMap(section)
    }
    return blocks.joined(separator: "\n\n") + "\n"
  }

  /// Everything about one command.
  private static func section(of spec: CommandSpec) -> [String] {
    var blocks = ["### \(spec.name)", spec.summary, "    " + spec.syntax]
    if !spec.parameters.isEmpty {
      let rows = spec.parameters.map { parameter in
        let cells = [
          "`\(parameter.name)`", parameter.kind.expectation, parameter.help, fallback(parameter),
        ]
        return "| \(cells.map(escaped).joined(separator: " | ")) |"
      }
      blocks.append(
        (["| parameter | takes | meaning | default |", "|---|---|---|---|"] + rows)
          .joined(separator: "\n"))
    }
    if !spec.details.isEmpty { blocks.append(spec.details) }
    let examples = spec.examples.flatMap { example in
      example.setup.map { "    " + $0 } + ["    " + example.line + note(example)]
    }
    blocks.append("Example\(spec.examples.count == 1 ? "" : "s"):")
    blocks.append(examples.joined(separator: "\n"))
    if !spec.seeAlso.isEmpty {
      let links = spec.seeAlso.map { "[`\($0)`](#\(anchor($0)))" }
      blocks.append("See also \(links.joined(separator: ", ")).")
    }
    return blocks
  }

  private static func note(_ example: CommandExample) -> String {
    example.note.map { "  # \($0)" } ?? ""
  }

  private static func fallback(_ parameter: Parameter) -> String {
    switch parameter.fallback {
    case .required: "required"
    case .absent(let otherwise): otherwise
    case .value(let value): "`\(value)`"
    }
  }

  private static func heading(_ family: CommandFamily) -> String {
    family.rawValue.prefix(1).uppercased() + family.rawValue.dropFirst()
  }

  private static func anchor(_ name: String) -> String {
    name.replacing(" ", with: "-")
  }

  /// A cell of a table, in which a bar would end it.
  private static func escaped(_ cell: String) -> String { cell.replacing("|", with: "\\|") }
}
