import CommandLanguage
import Networks

extension Command<Workspace> {
  static let optimizerAdam = Command(
    CommandSpec(
      "optimizer adam", family: .learning,
      summary: "Update weights by Adam.",
      details: """
        m ← β₁m+(1−β₁)g, v ← β₂v+(1−β₂)g², w ← w − lr·m̂/(√v̂+ε). correction=step divides by 1−βᵗ, \
        as Adam does; constant divides by 1−β at every step, as the article's code did. \
        update=incremental writes m ← m+(1−β₁)(g−m), as TensorFlow did.
        """,
      parameters: [
        .key("lr", .number(units: [], .atLeast(0)), "learning rate", default: .value("0.001")),
        .key("beta1", .number(units: [], .between(0, 1)), "decay of m", default: .value("0.9")),
        .key("beta2", .number(units: [], .between(0, 1)), "decay of v", default: .value("0.999")),
        .key("epsilon", .number(units: [], .atLeast(0)), "added to √v̂", default: .value("1e-8")),
        .key(
          "correction", .choice(["step", "constant"]), "of the bias towards 0",
          default: .value("step")),
        .key(
          "update", .choice(["direct", "incremental"]), "how the means are written",
          default: .value("direct")),
      ] + optimizerKeys,
      examples: [
        "optimizer adam lr=0.001", "optimizer adam lr=1e-9 correction=constant",
        "optimizer adam lr=0.002 schedule=cosine",
        "optimizer adam lr=0.01 schedule=one-cycle as=fast",
      ],
      seeAlso: ["optimizer sgd", "optimizer", "gradient-noise", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    var adam = Adam()
    adam.learningRate = try arguments.number("lr").value
    adam.beta1 = try arguments.number("beta1").value
    adam.beta2 = try arguments.number("beta2").value
    adam.epsilon = try arguments.number("epsilon").value
    for name in ["beta1", "beta2"] { try requireBelowOne(name, arguments) }
    adam.isCorrectionConstant = try arguments.choice("correction") == "constant"
    adam.isIncremental = try arguments.choice("update") == "incremental"
    return try workspace.choose(adam, arguments)
  }

  static let optimizerSGD = Command(
    CommandSpec(
      "optimizer sgd", family: .learning,
      summary: "Update weights by stochastic gradient descent.",
      details: """
        m ← momentum·m + g, w ← w − lr·m; with nesterov=yes, w ← w − lr·(g + momentum·m).
        """,
      parameters: [
        .key("lr", .number(units: [], .atLeast(0)), "learning rate", default: .value("0.01")),
        .key(
          "momentum", .number(units: [], .between(0, 1)), "how much of m stays",
          default: .value("0")),
        .key("nesterov", .yesNo, "looks ahead along m", default: .value("no")),
      ] + optimizerKeys,
      examples: [
        "optimizer sgd lr=0.01", "optimizer sgd lr=0.01 momentum=0.9 nesterov=yes",
        "optimizer sgd lr=0.1 schedule=step decay-every=30 decay-factor=0.1",
        "optimizer sgd lr=0.1 clip=norm:1",
      ],
      seeAlso: ["optimizer adam", "optimizer", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    var sgd = SGD()
    sgd.learningRate = try arguments.number("lr").value
    sgd.momentum = try arguments.number("momentum").value
    sgd.isNesterov = try arguments.flag("nesterov")
    return try workspace.choose(sgd, arguments)
  }

  static let optimizerRMSProp = Command(
    CommandSpec(
      "optimizer rmsprop", family: .learning,
      summary: "Update weights by RMSProp.",
      details: """
        v ← decay·v + (1−decay)·g², m ← momentum·m + g/(√v+ε), w ← w − lr·m.
        """,
      parameters: [
        .key("lr", .number(units: [], .atLeast(0)), "learning rate", default: .value("0.01")),
        .key("decay", .number(units: [], .between(0, 1)), "decay of v", default: .value("0.99")),
        .key(
          "momentum", .number(units: [], .between(0, 1)), "how much of m stays",
          default: .value("0")),
        .key("epsilon", .number(units: [], .atLeast(0)), "added to √v", default: .value("1e-8")),
      ] + optimizerKeys,
      examples: ["optimizer rmsprop lr=0.001", "optimizer rmsprop lr=0.001 momentum=0.9"],
      seeAlso: ["optimizer adam", "optimizer adagrad", "optimizer", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    var rule = RMSProp()
    rule.learningRate = try arguments.number("lr").value
    rule.decay = try arguments.number("decay").value
    rule.momentum = try arguments.number("momentum").value
    rule.epsilon = try arguments.number("epsilon").value
    try requireBelowOne("decay", arguments)
    return try workspace.choose(rule, arguments)
  }

  static let optimizerAdagrad = Command(
    CommandSpec(
      "optimizer adagrad", family: .learning,
      summary: "Update weights by Adagrad.",
      details: """
        v ← v + g², w ← w − lr/(1+(t−1)·decay)·g/(√v+ε), t the number of the update. v only grows, \
        so steps get ever shorter.
        """,
      parameters: [
        .key("lr", .number(units: [], .atLeast(0)), "learning rate", default: .value("0.01")),
        .key(
          "decay", .number(units: [], .atLeast(0)), "how fast lr falls", default: .value("0")),
        .key("initial", .number(units: [], .atLeast(0)), "v at first", default: .value("0")),
        .key("epsilon", .number(units: [], .atLeast(0)), "added to √v", default: .value("1e-10")),
      ] + optimizerKeys,
      examples: ["optimizer adagrad lr=0.01"],
      seeAlso: ["optimizer adadelta", "optimizer rmsprop", "optimizer", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    var rule = Adagrad()
    rule.learningRate = try arguments.number("lr").value
    rule.decay = try arguments.number("decay").value
    rule.initial = try arguments.number("initial").value
    rule.epsilon = try arguments.number("epsilon").value
    return try workspace.choose(rule, arguments)
  }

  static let optimizerAdadelta = Command(
    CommandSpec(
      "optimizer adadelta", family: .learning,
      summary: "Update weights by Adadelta.",
      details: """
        v ← decay·v + (1−decay)·g², Δ = √(m+ε)/√(v+ε)·g, m ← decay·m + (1−decay)·Δ², w ← w − lr·Δ. \
        m is the mean of squared steps: it gives a step its size, so lr is mostly 1.
        """,
      parameters: [
        .key("lr", .number(units: [], .atLeast(0)), "learning rate", default: .value("1")),
        .key(
          "decay", .number(units: [], .between(0, 1)), "decay of v and m", default: .value("0.9")),
        .key(
          "epsilon", .number(units: [], .atLeast(0)), "added under the roots",
          default: .value("1e-6")),
      ] + optimizerKeys,
      examples: ["optimizer adadelta"],
      seeAlso: ["optimizer adagrad", "optimizer", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    var rule = Adadelta()
    rule.learningRate = try arguments.number("lr").value
    rule.decay = try arguments.number("decay").value
    rule.epsilon = try arguments.number("epsilon").value
    try requireBelowOne("decay", arguments)
    return try workspace.choose(rule, arguments)
  }

  /// Throws when a decay is 1, with which a running mean would never change.
  private static func requireBelowOne(
    _ name: String, _ arguments: Arguments
  ) throws(CommandError) {
    guard try arguments.number(name).value == 1 else { return }
    throw arguments.error(
      at: name, .outOfRange, "\(name) must be below 1", hint: "with 1 the mean never moves")
  }
}
