/// The text of `help`.
struct Help {
  private let specs: [CommandSpec]
  private let topics: [HelpTopic]

  init(_ specs: [CommandSpec], topics: [HelpTopic] = []) {
    (self.specs, self.topics) = (specs, topics)
  }

  /// The list of all commands by family, or the page of one command or topic.
  func outcome(for arguments: Arguments) throws(CommandError) -> Outcome {
    let words = arguments.words("command")
    guard !words.isEmpty else { return families(CommandFamily.allCases) }
    let name = words.joined(separator: " ").lowercased()
    let topic = topics.first { $0.name.lowercased() == name }
    if let spec = specs.first(where: { $0.name == name }) { return page(of: spec, and: topic) }
    if ["idea", "ideas"].contains(name) { return ideas }
    if let family = CommandFamily.allCases.first(where: { $0.rawValue == name }) {
      return families([family])
    }
    let group = specs.filter { $0.name.hasPrefix(name + " ") }
    guard group.isEmpty else { return list(group, and: topic) }
    if let topic { return page(of: topic) }
    let names =
      specs.map(\.name) + specs.map { String($0.name.prefix { $0 != " " }) }
      + CommandFamily.allCases.map(\.rawValue) + topics.map { $0.name.lowercased() } + ["ideas"]
    throw arguments.error(
      at: "command", .unknownCommand, "there is no help on \"\(name)\"",
      hint: NearestNames.question(for: name, among: names) ?? "type: help")
  }

  /// Each family with its commands and their summaries.
  private func families(_ families: [CommandFamily]) -> Outcome {
    var outcome = Outcome()
    let width = specs.map(\.name.count).max() ?? 0
    for family in families {
      let members = specs.filter { $0.family == family }
      guard !members.isEmpty else { continue }
      outcome.say(OutputLine(family.rawValue))
      for spec in members {
        let name = spec.name + String(repeating: " ", count: width - spec.name.count)
        outcome.say(OutputLine("  \(name)  \(spec.summary)"))
      }
    }
    if families.count > 1, !topics.isEmpty {
      outcome.say("ideas")
      outcome.say(
        lines: Self.wrapped(topics.map(\.name).joined(separator: " · "), columns: 76, indent: "  "))
    }
    outcome.say("help COMMAND explains one: its parameters, units, defaults and examples")
    outcome.result = .list(specs.filter { families.contains($0.family) }) { .string($0.name) }
    return outcome
  }

  /// The commands that share a first word, and the topic of that name.
  private func list(_ members: [CommandSpec], and topic: HelpTopic?) -> Outcome {
    var outcome = Outcome()
    outcome.add(Self.table(members.map { ($0.name, $0.summary) }))
    outcome.result = .list(members) { .string($0.name) }
    add(topic, to: &outcome)
    return outcome
  }

  /// The help page of one command, with the topic of its name under it.
  private func page(of spec: CommandSpec, and topic: HelpTopic?) -> Outcome {
    var outcome = Outcome()
    outcome.say(OutputLine("\(spec.name)  \(spec.summary)"))
    outcome.say(OutputLine("  \(spec.syntax)"))
    if !spec.parameters.isEmpty {
      outcome.add(
        OutputTable(
          [.words(""), .words(""), .words("")],
          rows: spec.parameters.map { parameter in
            [
              OutputLine("  \(parameter.name)"), OutputLine(parameter.kind.expectation),
              OutputLine(parameter.explanation),
            ]
          }))
    }
    if !spec.details.isEmpty { outcome.say(lines: Self.wrapped(spec.details, columns: 78)) }
    for (index, example) in spec.examples.enumerated() {
      let note = example.note.map { "  # \($0)" } ?? ""
      outcome.say(OutputLine("\(index == 0 ? "example " : "        ")  \(example.line)\(note)"))
    }
    if !spec.seeAlso.isEmpty {
      outcome.say(OutputLine("see also  \(spec.seeAlso.joined(separator: ", "))"))
    }
    outcome.result = ["name": .string(spec.name), "syntax": .string(spec.syntax)]
    add(topic, to: &outcome)
    return outcome
  }

  /// The help page of a topic.
  private func page(of topic: HelpTopic) -> Outcome {
    var outcome = Outcome()
    add(topic, to: &outcome)
    outcome.result = ["name": .string(topic.name)]
    return outcome
  }

  private func add(_ topic: HelpTopic?, to outcome: inout Outcome) {
    guard let topic else { return }
    outcome.say(OutputLine("the idea: \(topic.name)  \(topic.summary)"))
    outcome.say(lines: Self.wrapped(topic.text, columns: 76, indent: "  "))
    guard !topic.seeAlso.isEmpty else { return }
    outcome.say(OutputLine("see also  \(topic.seeAlso.joined(separator: ", "))"))
  }

  /// The list of the topics, a line each.
  private var ideas: Outcome {
    var outcome = Outcome()
    outcome.add(Self.table(topics.map { ($0.name, $0.summary) }))
    outcome.result = .list(topics) { .string($0.name) }
    return outcome
  }

  /// The commands and topics whose help contains a word: `apropos`.
  func search(_ arguments: Arguments) throws(CommandError) -> Outcome {
    let word = try arguments.text("word").lowercased()
    let commands = specs.filter { spec in
      let texts = [spec.name, spec.summary, spec.details] + spec.seeAlso
      let parameters = spec.parameters.flatMap { [$0.name, $0.help, $0.kind.expectation] }
      return (texts + parameters).contains { $0.lowercased().contains(word) }
    }.map { ($0.name, $0.summary) }
    let ideas = topics.filter { topic in
      [topic.name, topic.summary, topic.text].contains { $0.lowercased().contains(word) }
    }.map { ("help \($0.name)", $0.summary) }
    guard !(commands + ideas).isEmpty else {
      throw arguments.error(
        at: "word", .unknownName, "nothing speaks of \"\(word)\"", hint: "type: help")
    }
    var outcome = Outcome()
    outcome.add(Self.table(commands + ideas))
    outcome.result = .list(commands + ideas) { .string($0.0) }
    return outcome
  }

  private static func table(_ rows: [(String, String)]) -> OutputTable {
    OutputTable(
      [.words(""), .words("")], rows: rows.map { [OutputLine($0.0), OutputLine($0.1)] })
  }

  /// Breaks text into lines of at most `columns`.
  private static func wrapped(_ text: String, columns: Int, indent: String = "") -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
      var lines: [String] = []
      for word in paragraph.split(separator: " ") {
        if let last = lines.last, last.count + 1 + word.count <= columns {
          lines[lines.count - 1] = "\(last) \(word)"
        } else {
          lines.append(String(word))
        }
      }
      return lines.map { indent + $0 }.joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

extension Parameter {
  /// The help text and the default.
  var explanation: String {
    switch fallback {
    case .required: "\(help); required"
    case .absent(let otherwise): otherwise.isEmpty ? help : "\(help); without it: \(otherwise)"
    case .value(let value): "\(help); default \(value)"
    }
  }
}
