import CommandLanguage
import Networks

extension Command<Workspace> {
  static let loss = Command(
    CommandSpec(
      "loss", family: .learning,
      summary: "Choose what training makes small, in network range.",
      details: """
        mse: the mean of (output−target)². half-squares: Σ(½(output−target))², the article's sum \
        over batch and pixels, whose exact gradient is ½(output−target); gradient=declared takes \
        output−target, as the article's code did. l1: the mean of |output−target|.
        """,
      parameters: [
        .word("kind", .choice(["mse", "half-squares", "l1"]), "the loss"),
        .key(
          "gradient", .choice(["exact", "declared"]), "of half-squares", default: .value("exact")),
      ],
      examples: ["loss mse", "loss half-squares gradient=declared", "loss l1"],
      seeAlso: ["optimizer adam", "train"])
  ) { arguments, workspace, _ in
    let kind = try arguments.choice("kind")
    if arguments.has("gradient"), kind != "half-squares" {
      throw arguments.error(
        at: "gradient", .surplusArgument, "only half-squares has a declared gradient",
        hint: "leave gradient= out")
    }
    workspace.loss =
      switch kind {
      case "half-squares":
        .halfSquares(gradientIsDeclared: try arguments.choice("gradient") == "declared")
      case "l1": .meanAbsoluteError
      default: .meanSquaredError
      }
    return Outcome()
  }

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
      ],
      examples: ["optimizer adam lr=0.001", "optimizer adam lr=1e-9 correction=constant"],
      seeAlso: ["optimizer sgd", "train"])
  ) { arguments, workspace, _ in
    var adam = Adam()
    adam.learningRate = try arguments.number("lr").value
    adam.beta1 = try arguments.number("beta1").value
    adam.beta2 = try arguments.number("beta2").value
    adam.epsilon = try arguments.number("epsilon").value
    for name in ["beta1", "beta2"] where try arguments.number(name).value == 1 {
      throw arguments.error(
        at: name, .outOfRange, "\(name) must be below 1", hint: "with 1 the mean never moves")
    }
    adam.isCorrectionConstant = try arguments.choice("correction") == "constant"
    adam.isIncremental = try arguments.choice("update") == "incremental"
    workspace.optimizer = adam
    return Outcome()
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
      ],
      examples: ["optimizer sgd lr=0.01", "optimizer sgd lr=0.01 momentum=0.9 nesterov=yes"],
      seeAlso: ["optimizer adam", "train"])
  ) { arguments, workspace, _ in
    var sgd = SGD()
    sgd.learningRate = try arguments.number("lr").value
    sgd.momentum = try arguments.number("momentum").value
    sgd.isNesterov = try arguments.flag("nesterov")
    workspace.optimizer = sgd
    return Outcome()
  }
}
