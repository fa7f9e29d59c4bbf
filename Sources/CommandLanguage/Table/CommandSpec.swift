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
    (self.line, self.setup, self.note) = (line, setup, note)
  }

  package init(stringLiteral value: String) { self.init(value) }
}

/// The part of a session that a command builds, so that its lines, kept in a file, build it again.
package enum LineRecipe: Hashable, Sendable {
  /// Slices that are loaded or computed, in place of others or as their counterpart.
  case slices
  /// Clean and noisy slices of two series, in place of others.
  case pairs
  /// Noisy slices made of the clean ones.
  case noise
  /// A change of all slices.
  case change
  /// The scale, split and window of the slices; the last line of each counts.
  case scale, split, window
  /// The network, and how it is trained.
  case network
  /// A layer of the network, whose name begins with the letter.
  case layer(letter: String)

  /// Whether the lines belong to a network, not to data.
  package var isOfNetwork: Bool {
    switch self {
    case .network, .layer: true
    default: false
    }
  }
}

/// The part that a command plays in the questions of `quiz`.
package enum QuizRole: Hashable, Sendable {
  /// It asks for a value, its first argument.
  case asks
  case answers
  /// It tells all about the value that its first argument names.
  case explains
  /// It runs the commands of a file, which its output shows.
  case runsFile
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
  /// Whether its work may be left out at any point once it is asked to stop: it looks at things, or
  /// makes something that is whole or absent.
  package let isAllOrNothing: Bool
  /// Its part in a quiz; nil for none.
  package let quizRole: QuizRole?
  /// Whether it reads the results of earlier commands.
  package let readsResults: Bool
  /// The parts of the session that it reads and changes.
  package let effect: SessionEffect

  package init(
    _ name: String, family: CommandFamily, summary: String, details: String = "",
    parameters: [Parameter] = [], examples: [CommandExample], seeAlso: [String] = [],
    isRecorded: Bool = true, trains: Bool = false, recipe: LineRecipe? = nil,
    runsInPass: Bool? = nil, isAllOrNothing: Bool? = nil, quizRole: QuizRole? = nil,
    readsResults: Bool = false, effect: SessionEffect? = nil
  ) {
    self.readsResults = readsResults
    self.effect = effect ?? SessionEffect(family, recipe, trains: trains)
    (self.name, self.family, self.summary, self.details) = (name, family, summary, details)
    (self.parameters, self.examples, self.seeAlso) = (parameters, examples, seeAlso)
    (self.isRecorded, self.trains, self.recipe) = (isRecorded, trains, recipe)
    self.runsInPass = runsInPass ?? ![.data, .network, .learning].contains(family)
    self.isAllOrNothing = isAllOrNothing ?? [.looking, .keeping].contains(family)
    self.quizRole = quizRole
  }

  /// Whether it only shows things and leaves all values of the session as they are.
  package var looksOnly: Bool { isRecorded && family == .looking && recipe == nil }

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
