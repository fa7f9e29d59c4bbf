import CommandLanguage
import Networks
import Training

extension Command<Workspace> {
  /// The parameters that all optimizers share: schedule, clipping, and a name.
  static let optimizerKeys: [Parameter] = [
    .key(
      "schedule", .choice(["constant", "step", "cosine", "one-cycle", "warm-up"]),
      "how the rate changes over a training", default: .value("constant")),
    .key(
      "decay-every", .integer(1...1_000_000_000), "epochs between falls of schedule=step",
      default: .value("30")),
    .key(
      "decay-factor", .number(units: [], .atLeast(0)), "what a fall multiplies the rate by",
      default: .value("0.1")),
    .key(
      "initial-lr", .number(units: [], .atLeast(0)), "the first rate of one-cycle and warm-up",
      default: .absent("lr/25")),
    .key(
      "final-lr", .number(units: [], .atLeast(0)), "the last rate of cosine and one-cycle",
      default: .absent("0, or initial-lr/10000")),
    .key(
      "warmup", .number(units: [.percent], .positive),
      "how long the rate rises: a part of the training (30%, 0.3) or updates (500)",
      default: .absent("30% of one-cycle, 10% of warm-up")),
    .key(
      "clip", .choice(["norm:N", "value:N", "none"]),
      "largest norm of all gradients together, or largest number in them",
      default: .value("none")),
    .key(
      "as", .text(placeholder: "NAME"), "keep the setting under this name, too",
      default: .absent("no name")),
  ]

  static let optimizer = Command(
    CommandSpec(
      "optimizer", family: .learning,
      summary: "Change the optimizer in use, choose one kept under a name, or list them.",
      details: """
        With keys, only these change: what the optimizer remembers of a training and the number of its \
        updates stay, and 'continue' goes on with the new setting. 'optimizer adam …' begins anew. \
        Every optimizer takes schedule=, which spans the updates of a 'train' line: constant; step \
        multiplies lr by decay-factor every decay-every epochs; cosine goes from lr to final-lr along \
        half a cosine; one-cycle rises from initial-lr to lr, then falls to final-lr; warm-up rises \
        from initial-lr to lr and stays. clip=norm:1 scales all gradients together so that their norm \
        is at most 1; clip=value:0.1 cuts each number off at ±0.1. NAME.grad shows gradients \
        before clipping.
        """,
      parameters: [
        .word(
          "name", .text(placeholder: "NAME"), "the name of 'optimizer … as=NAME'",
          default: .absent("show the optimizer and all names"))
      ] + changeableKeys,
      examples: [
        "optimizer", "optimizer lr=0.0005",
        CommandExample(
          "optimizer fast", after: ["optimizer adam lr=0.01 as=fast", "optimizer sgd"]),
      ], seeAlso: ["optimizer adam", "optimizer sgd", "gradient-noise", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    if let name = arguments.textIfGiven("name") {
      workspace.optimizer = try workspace.knownOptimizer(name, at: "name", arguments)
    }
    let changed = changeableKeys.map(\.name).filter(arguments.has)
    if !changed.isEmpty { try workspace.changeOptimizer(changed, arguments) }
    var outcome = Outcome(OutputLine(workspace.optimizer.line))
    let kept = workspace.trainer?.step ?? 0
    if !changed.isEmpty, kept > 0 {
      outcome.say(
        "goes on after \(kept, "update"), with what it remembers")
    }
    if !arguments.has("name"), changed.isEmpty, !workspace.namedOptimizers.isEmpty {
      outcome.add(
        OutputTable(
          [.words("name"), .words("setting")],
          rows: workspace.namedOptimizers.sorted { $0.key < $1.key }.map {
            [OutputLine($0.key), OutputLine($0.value.line)]
          }))
    }
    outcome.result = ["line": .string(workspace.optimizer.line), "updates": .integer(kept)]
    return outcome
  }

  /// The parameters of all optimizers, without defaults.
  ///
  /// Of options with one name, that with the widest bounds is taken; the resulting line is checked again.
  private static let changeableKeys: [Parameter] =
    optimizers.flatMap(\.spec.parameters).reduce(into: []) { keys, parameter in
      let key = Parameter.key(
        parameter.name, parameter.kind, parameter.help, default: .absent("as it is"))
      guard let known = keys.firstIndex(where: { $0.name == parameter.name }) else {
        return keys.append(key)
      }
      if case .number(_, let bounds) = key.kind, case .number(_, let others) = keys[known].kind,
        bounds.upper > others.upper
      {
        keys[known] = key
      }
    }
}

extension Workspace {
  /// The setting called `name`: one that was kept, or the one in use or one with defaults for the
  /// word of a rule.
  func knownOptimizer(
    _ name: String, at argument: String, _ arguments: Arguments
  ) throws(CommandError) -> OptimizerSetting {
    if let kept = namedOptimizers[name] { return kept }
    if optimizer.rule.word == name { return optimizer }
    if let rule = Self.rules[name] { return OptimizerSetting(rule.init()) }
    let known = Self.rules.keys.sorted() + namedOptimizers.keys.sorted()
    throw arguments.error(
      at: argument, .unknownName, "there is no optimizer called '\(name)'",
      hint: NearestNames.question(for: name, among: known)
        ?? "there are \(known.joined(separator: ", "))")
  }

  /// The rules by the words that choose them.
  private static let rules = Dictionary(
    uniqueKeysWithValues: allOptimizers.map { ($0.declaration.word, $0) })

  /// Chooses an optimizer with the schedule and clipping of its line, and keeps it under the name
  /// that `as=` gives.
  mutating func choose(
    _ rule: any Optimizer, _ arguments: Arguments
  ) throws(CommandError) -> Outcome {
    var setting = OptimizerSetting(rule)
    setting.schedule = try schedule(lr: rule.learningRate, arguments)
    setting.clipping = try clipping(arguments)
    if let name = arguments.textIfGiven("as") {
      guard Variables.isName(name), Self.rules[name] == nil else {
        throw arguments.error(
          at: "as", .wrongValue, "'\(name)' cannot name an optimizer",
          hint: "use letters, digits and _, a letter first, but no word of an optimizer")
      }
      namedOptimizers[name] = setting
    }
    optimizer = setting
    return Outcome()
  }

  /// Changes `keys` of the optimizer in use; its state stays.
  fileprivate mutating func changeOptimizer(
    _ keys: [String], _ arguments: Arguments
  ) throws(CommandError) {
    var words = optimizer.line.split(separator: " ").map(String.init)
    let name = optimizer.rule.word
    guard let command = commands.first(where: { $0.spec.name == "optimizer \(name)" }) else {
      preconditionFailure("\(optimizer.line) has a command.")
    }
    let known = command.spec.parameters.map(\.name)
    if let foreign = keys.first(where: { !known.contains($0) }) {
      throw arguments.error(
        at: foreign, .surplusArgument, "\(name) has no \(foreign)=",
        hint: "it has \(known.map { "\($0)=" }.joined(separator: " "))")
    }
    // A new schedule brings its own keys, so those of the old one are dropped.
    let replaced =
      keys + (keys.contains("schedule") ? Self.scheduleKeys : [])
    words.removeAll { word in replaced.contains { word.hasPrefix("\($0)=") } }
    words += keys.map { "\($0)=\(arguments.textIfGiven($0) ?? "")" }
    let runner = CommandRunner(commands: [command], workspace: self, describe: commandError)
    if let error = runner.run(words.joined(separator: " "), line: 1)?.error {
      let blamed = keys.first { error.message.contains($0) } ?? keys[0]
      throw arguments.error(at: blamed, error.code, error.message, hint: error.hint)
    }
    let weights = weightsInUse
    var kept = trainer
    kept?.optimizer = runner.workspace.optimizer
    (optimizer, namedOptimizers) = (runner.workspace.optimizer, runner.workspace.namedOptimizers)
    trainer = kept
    weightsInUse = weights
  }

  private static let scheduleKeys = [
    "decay-every", "decay-factor", "initial-lr", "final-lr", "warmup",
  ]

  private func schedule(
    lr: Double, _ arguments: Arguments
  ) throws(CommandError) -> LearningRateSchedule {
    let kind = try arguments.choice("schedule")
    let uses = [
      "decay-every": ["step"], "decay-factor": ["step"], "initial-lr": ["one-cycle", "warm-up"],
      "final-lr": ["cosine", "one-cycle"], "warmup": ["one-cycle", "warm-up"],
    ]
    for (key, kinds) in uses.sorted(by: { $0.key < $1.key })
    where arguments.has(key) && !kinds.contains(kind) {
      throw arguments.error(
        at: key, .surplusArgument, "\(key)= has no use with schedule=\(kind)",
        hint: "it belongs to \(kinds.map { "schedule=\($0)" }.joined(separator: " and "))")
    }
    let initial = arguments.numberIfGiven("initial-lr")?.value ?? lr / 25
    let final = arguments.numberIfGiven("final-lr")?.value
    switch kind {
    case "step":
      return .step(
        every: try arguments.integer("decay-every"),
        factor: try arguments.number("decay-factor").value)
    case "cosine": return .cosine(final: final ?? 0)
    case "one-cycle":
      return .oneCycle(
        initial: initial, final: final ?? initial / 10_000, rise: try rise(0.3, arguments))
    case "warm-up": return .warmUp(initial: initial, rise: try rise(0.1, arguments))
    default: return .constant
    }
  }

  /// The number of updates in which the rate rises, or their part: numbers below 1 and percentages
  /// are a part.
  private func rise(
    _ part: Double, _ arguments: Arguments
  ) throws(CommandError) -> LearningRateSchedule.Rise {
    guard let quantity = arguments.numberIfGiven("warmup") else { return .part(part) }
    if quantity.unit == .percent || quantity.value < 1 {
      guard quantity.value <= 1 else {
        throw arguments.error(
          at: "warmup", .outOfRange, "the rate cannot rise for longer than the training",
          hint: "at most 100%")
      }
      return .part(quantity.value)
    }
    guard let updates = Int(exactly: quantity.value), updates <= 1_000_000_000 else {
      throw arguments.error(
        at: "warmup", .outOfRange, "updates are a whole number up to 1000000000",
        hint: "for example warmup=500, or a part such as warmup=30%")
    }
    return .updates(updates)
  }

  private func clipping(_ arguments: Arguments) throws(CommandError) -> GradientClipping? {
    let (kind, limit) = try arguments.taggedChoice("clip")
    if kind == "none" { return nil }
    guard let limit, limit > 0, limit.isFinite else {
      throw arguments.error(
        at: "clip", .outOfRange, "the limit must be above 0 and finite",
        hint: "for example clip=norm:1 or clip=value:0.1")
    }
    return kind == "norm" ? .norm(limit) : .value(limit)
  }
}
