import CommandLanguage
import Networks

extension Command<Workspace> {
  /// The commands `optimizer adam` and so on, one for each optimizer, made from its declaration.
  static let optimizers = allOptimizers.map { optimizer($0) }

  private static func optimizer<Rule: Optimizer>(_ type: Rule.Type) -> Command {
    let declaration = Rule.declaration
    return Command(
      CommandSpec(
        "optimizer \(declaration.word)", family: .learning, summary: declaration.summary,
        details: declaration.details,
        parameters: Rule.options.map(\.parameter) + optimizerKeys,
        examples: declaration.examples.map { CommandExample($0) }, seeAlso: declaration.seeAlso,
        recipe: .network)
    ) { arguments, workspace, _ in
      try workspace.choose(try Rule(arguments), arguments)
    }
  }
}

extension OptimizerOption {
  /// The option as a parameter of the command, with its default.
  fileprivate var parameter: Parameter {
    let usual = Rule()
    switch storage {
    case .number(let path, let range):
      let text = NumberFormat.shortest.string(usual[keyPath: path]).replacing("e-0", with: "e-")
      return .key(name, .number(units: [], range.bounds), help, default: .value(text))
    case .words(let path, let off, let on):
      return .key(
        name, off == "no" && on == "yes" ? .yesNo : .choice([off, on]), help,
        default: .value(usual[keyPath: path] ? on : off))
    }
  }
}

extension NumberRange {
  fileprivate var bounds: Bounds {
    switch self {
    case .notNegative: .atLeast(0)
    case .part, .meanDecay: .between(0, 1)
    }
  }
}

extension Optimizer {
  /// The rule with the options of a line.
  ///
  /// - Throws: `CommandError` when a decay is 1, with which a running mean would never change.
  fileprivate init(_ arguments: Arguments) throws(CommandError) {
    self.init()
    for option in Self.options {
      switch option.storage {
      case .number(let path, let range):
        let value = try arguments.number(option.name).value
        guard range != .meanDecay || value < 1 else {
          throw arguments.error(
            at: option.name, .outOfRange, "\(option.name) must be below 1",
            hint: "with 1 the mean never moves")
        }
        self[keyPath: path] = value
      case .words(let path, _, let on):
        self[keyPath: path] = try arguments.text(option.name).lowercased() == on
      }
    }
  }
}
