/// A family of commands, in the order of help.
package enum CommandFamily: String, CaseIterable, Sendable {
  case data
  case network
  case learning
  case stepping
  case checking
  case looking
  case keeping
  case rest = "the rest"
}

/// An example of a command, and the lines that must run before it.
package struct CommandExample: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The line to type.
  package let line: String
  /// The lines that come before it, so that it can run.
  package let setup: [String]
  /// The effect of the line, when that is not plain; else nil.
  package let note: String?

  package init(_ line: String, after setup: [String] = [], note: String? = nil) {
    self.line = line
    self.setup = setup
    self.note = note
  }

  package init(stringLiteral value: String) { self.init(value) }
}

/// A list of lines that makes something again: files hold them.
package enum LineRecipe: Hashable, Sendable {
  /// The lines that make the slices.
  case data
  /// The lines that build a network and choose how it is trained.
  case network
}

/// The declaration of a command: its name, parameters, help and examples.
package struct CommandSpec: Hashable, Sendable {
  /// One or two words: `noise gaussian`.
  package let name: String
  package let family: CommandFamily
  /// One line of at most 72 columns.
  package let summary: String
  /// Details in paragraphs; may be empty.
  package let details: String
  package let parameters: [Parameter]
  package let examples: [CommandExample]
  /// The names of related commands.
  package let seeAlso: [String]
  /// Whether a transcript holds the command.
  package let isRecorded: Bool
  /// Whether the command trains: after it, numbers may differ a lot on other machines.
  package let trains: Bool
  /// The recipe that its lines belong to; nil for none.
  package let recipe: LineRecipe?
  /// Whether it leaves alone what an open pass was made of, so that it may run in one.
  package let runsInPass: Bool

  package init(
    _ name: String, family: CommandFamily, summary: String, details: String = "",
    parameters: [Parameter] = [], examples: [CommandExample], seeAlso: [String] = [],
    isRecorded: Bool = true, trains: Bool = false, recipe: LineRecipe? = nil,
    runsInPass: Bool? = nil
  ) {
    self.name = name
    self.family = family
    self.summary = summary
    self.details = details
    self.parameters = parameters
    self.examples = examples
    self.seeAlso = seeAlso
    self.isRecorded = isRecorded
    self.trains = trains
    self.recipe = recipe
    self.runsInPass = runsInPass ?? ![.data, .network, .learning].contains(family)
  }

  /// The syntax in one line, defaults shown: `noise gaussian [sigma=40HU] [fixed|fresh]`.
  package var syntax: String {
    ([name] + parameters.map(\.syntax)).joined(separator: " ")
  }

  /// The parameter called `name`; nil if there is none.
  package func parameter(named name: String) -> Parameter? {
    parameters.first { $0.name == name }
  }

  /// The keys of `key=value` parameters.
  var keys: [String] {
    parameters.filter { $0.position == .key }.map(\.name)
  }
}
