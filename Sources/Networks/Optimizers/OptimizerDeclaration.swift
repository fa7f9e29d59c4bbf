// An optimizer declares its word, its options and its texts once, in its own file. The command table
// with its help and completion, the reading of a line, the printed line and the names of tensors in
// files all come from that declaration.

/// The texts of an optimizer: the word that chooses it, and what help says of it.
package struct OptimizerDeclaration: Sendable {
  /// The word behind `optimizer`, such as `adam`.
  package let word: String
  /// One line of help.
  package let summary: String
  /// The rule in letters, and what the options do.
  package let details: String
  /// Lines that choose it.
  package let examples: [String]
  /// The names of related commands.
  package let seeAlso: [String]
  /// The names of the tensors that the rule may keep for each parameter.
  package let kept: [String]

  init(
    _ word: String, summary: String, details: String, examples: [String], seeAlso: [String],
    kept: [String]
  ) {
    (self.word, self.summary, self.details) = (word, summary, details)
    (self.examples, self.seeAlso, self.kept) = (examples, seeAlso, kept)
  }
}

/// An option of an optimizer's line, such as `beta1=0.9`, and the property of the rule that holds it.
///
/// The default is the property's value in a rule that was just made.
package struct OptimizerOption<Rule: Optimizer>: Sendable {
  /// The property that holds the value, and the values that it may have.
  package enum Storage: Sendable {
    case number(any WritableKeyPath<Rule, Double> & Sendable, NumberRange)
    /// One of two words; `on` stands for true.
    case words(any WritableKeyPath<Rule, Bool> & Sendable, off: String, on: String)
  }

  package let name: String
  package let storage: Storage
  /// A few words about the meaning.
  package let help: String
  /// Whether the printed line leaves the option out while it has its default.
  private let isBriefAtDefault: Bool

  private init(_ name: String, _ storage: Storage, _ help: String, isBrief: Bool) {
    (self.name, self.storage, self.help, isBriefAtDefault) = (name, storage, help, isBrief)
  }

  /// Declares an option that takes a number.
  static func number(
    _ name: String, _ path: any WritableKeyPath<Rule, Double> & Sendable, _ range: NumberRange,
    _ help: String, isBriefAtDefault: Bool = false
  ) -> Self {
    Self(name, .number(path, range), help, isBrief: isBriefAtDefault)
  }

  /// Declares an option that takes one of two words.
  static func words(
    _ name: String, _ path: any WritableKeyPath<Rule, Bool> & Sendable, off: String, on: String,
    _ help: String
  ) -> Self {
    Self(name, .words(path, off: off, on: on), help, isBrief: false)
  }

  /// Returns `name=value` as a line has it; nil where the line leaves it out.
  func words(of rule: Rule) -> String? {
    switch storage {
    case .number(let path, _):
      let value = rule[keyPath: path]
      if isBriefAtDefault, value == Rule()[keyPath: path] { return nil }
      return "\(name)=\(value)"
    case .words(let path, let off, let on):
      return "\(name)=\(rule[keyPath: path] ? on : off)"
    }
  }
}

/// The numbers that an optimizer's option may have.
package enum NumberRange: Hashable, Sendable {
  /// 0 and above.
  case notNegative
  /// 0 to 1, both included.
  case part
  /// 0 to below 1: the share of a running mean that stays.
  case meanDecay
}

extension Optimizer {
  /// The command line that chooses the rule with its options.
  package var line: String {
    (["optimizer \(Self.declaration.word)"] + Self.options.compactMap { $0.words(of: self) })
      .joined(separator: " ")
  }

  /// The word that chooses the rule.
  package var word: String { Self.declaration.word }

  /// The learning rate of the rule without options.
  package static var usualLearningRate: Double { Self().learningRate }
}
