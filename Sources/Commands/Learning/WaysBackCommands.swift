import CommandLanguage
import GradientFlows
import Networks

/// Commands that choose a way back in which something else takes the place of the exact gradient, or of its memory.
extension Command<Workspace> {
  private static let seed = Parameter.key(
    "seed", .integer(0...Int.max), "the seed of the random numbers",
    default: .absent("the session's seed"))

  static let flowFeedback = Command(
    CommandSpec(
      "flow feedback", family: .learning,
      summary: "Let gradients go back through random kernels in place of the weights.",
      details: """
        Feedback alignment: on the way back, every convolution and dense layer has a random kernel B of \
        its own, x.grad = Bᵀ ∗ z.grad; all else is exact. signs=fixed gives B the signs of the weight, \
        signs=redrawn draws its magnitudes anew for every step. mirror=yes trains B by the gradient of \
        the weight with the session's optimizer: with a decay of weights, as in 'optimizer sgd \
        weight-decay=1e-3', the two come together. B is called NAME.weight.feedback and saved with the \
        network. It is no gradient of the loss.
        """,
      parameters: [
        .key(
          "signs", .choice(FeedbackFlow.Signs.allCases.map(\.rawValue)),
          "whether B has the signs of the weight", default: .value("none")),
        .key(
          "mirror", .yesNo, "whether B gets the weight's updates", default: .value("no")),
        seed, keptName,
      ],
      examples: [
        CommandExample("flow feedback", after: flowExample),
        CommandExample("flow feedback signs=fixed as=signs", after: flowExample),
      ], seeAlso: ["flow direct", "flow standard", "compare", "gradcheck", "race"],
      recipe: .network, runsInPass: true)
  ) { arguments, workspace, _ in
    var flow = FeedbackFlow(seed: workspace.flowSeed(arguments))
    flow.signs = try arguments.choice("signs", as: FeedbackFlow.Signs.self)
    flow.mirrors = try arguments.flag("mirror")
    guard flow.signs == .none || !flow.mirrors else {
      throw arguments.error(
        at: "mirror", .wrongValue,
        "kernels with the signs of the weights get no updates of their own",
        hint: "mirror=yes with signs=none, or signs= alone")
    }
    return try workspace.choose(flow, arguments)
  }

  static let flowDirect = Command(
    CommandSpec(
      "flow direct", family: .learning,
      summary: "Tell every layer the output's error through a random kernel of its own.",
      details: """
        Direct feedback alignment: layer k is fed with G_k = B_kᵀ ∗ e, where e is the gradient of the \
        network's output and B_k a fixed random kernel 3×3; the last layer with weights gets the exact \
        gradient. B_k is called LAYER.out.feedback and saved with the network. In smaller images, \
        a pixel gets the sum over the pixels of the output that it covers. It is no gradient of the loss.
        """,
      parameters: [seed, keptName],
      examples: [CommandExample("flow direct", after: flowExample)],
      seeAlso: ["flow feedback", "flow standard", "compare", "gradcheck", "race"],
      recipe: .network, runsInPass: true)
  ) { arguments, workspace, _ in
    try workspace.choose(DirectFlow(seed: workspace.flowSeed(arguments)), arguments)
  }

  static let flowSynthetic = Command(
    CommandSpec(
      "flow synthetic", family: .learning,
      summary: "Feed each block with a prediction of its gradient.",
      details: """
        Decoupled blocks: between blocks, a small convolution predicts the gradient from what the block hands \
        on, Ĝ = (S ∗ h + c)/M, M pixels, and learns from what the block above passes on. Its weight and \
        bias are called LAYER.out.synthetic.weight and .bias, begin with 0, are trained by the session's \
        optimizer at the rate predictor-lr, and are saved with the network. It is no gradient of the loss.
        """,
      parameters: [
        .key(
          "kernel", .integer(1...63, odd: true), "the side of the predictors' kernels, odd",
          default: .value("3")),
        .key(
          "predictor-lr", .number(units: [], .positive), "the learning rate of the predictors",
          default: .value("1e-3")), keptName,
      ],
      examples: [CommandExample("flow synthetic predictor-lr=0.01", after: flowExample)],
      seeAlso: ["flow local", "flow feedback", "compare", "race"], recipe: .network,
      runsInPass: true)
  ) { arguments, workspace, _ in
    let kernel = try arguments.integer("kernel")
    let rate = try arguments.number("predictor-lr").value
    return try workspace.choose(
      SyntheticFlow(kernel: kernel, predictorRate: rate), arguments)
  }

  static let flowLocal = Command(
    CommandSpec(
      "flow local", family: .learning,
      summary: "Train each block by a head and a loss of its own, nothing between.",
      details: """
        A 1×1 convolution makes an output of what each block but the last hands on; the session's loss \
        compares it with the target, and its gradient ends at the block's input. Heads are called \
        LAYER.local.weight and .bias, are trained by the session's optimizer and saved with the network. \
        Where a block's images are smaller than the output, each pixel of the head's image stands for those \
        that it covers. It is no gradient of the network's loss.
        """,
      parameters: [seed, keptName],
      examples: [CommandExample("flow local", after: flowExample)],
      seeAlso: ["flow synthetic", "flow truncated", "compare", "race"], recipe: .network,
      runsInPass: true)
  ) { arguments, workspace, _ in
    try workspace.choose(LocalFlow(seed: workspace.flowSeed(arguments)), arguments)
  }

  static let flowForward = Command(
    CommandSpec(
      "flow forward", family: .learning,
      summary: "Estimate the gradient from slopes along random directions.",
      details: """
        Derivatives go forward with the values along a random direction v of all weights; the slope of the \
        loss times v is the gradient on average. With D directions, the mean of as many. Of P weights its cosine \
        to the gradient is about √(D/P). Directions are drawn anew for every step. Values have no \
        gradient under it.
        """,
      parameters: [
        .key(
          "directions", .integer(1...1_000_000), "D, the number of directions",
          default: .value("1")), seed, keptName,
      ],
      examples: [CommandExample("flow forward directions=4", after: flowExample)],
      seeAlso: ["flow standard", "compare", "gradcheck", "race"], recipe: .network,
      runsInPass: true)
  ) { arguments, workspace, _ in
    try workspace.choose(
      ForwardFlow(
        directions: try arguments.integer("directions"), seed: workspace.flowSeed(arguments)),
      arguments)
  }

  static let flowTruncated = Command(
    CommandSpec(
      "flow truncated", family: .learning,
      summary: "Let the gradient go back through the last blocks alone.",
      details: """
        The topmost K blocks, with the plain layers before each, get the exact gradient, all below get \
        0 and never change. Without blocks, layers with weights are counted. The way further back costs \
        neither time nor memory.
        """,
      parameters: [
        .key("depth", .integer(1...1_000_000), "K, the number of blocks", default: .required),
        keptName,
      ],
      examples: [CommandExample("flow truncated depth=2", after: flowExample)],
      seeAlso: ["flow standard", "compare", "race"], recipe: .network, runsInPass: true)
  ) { arguments, workspace, _ in
    try workspace.choose(TruncatedFlow(depth: try arguments.integer("depth")), arguments)
  }

  static let flowCheckpointed = Command(
    CommandSpec(
      "flow checkpointed", family: .learning,
      summary: "Compute the standard gradient with less memory and more time.",
      details: """
        Only what every N-th block hands on is kept; values between are computed again when the gradient \
        comes there. The gradient has the bits of 'flow standard'. 'net show' tells what it takes.
        """,
      parameters: [
        .key(
          "every", .integer(1...1_000_000), "N, the number of blocks in a part",
          default: .absent("√L for L blocks")), keptName,
      ],
      examples: [CommandExample("flow checkpointed every=2", after: flowExample)],
      seeAlso: ["flow standard", "net show"], recipe: .network, runsInPass: true)
  ) { arguments, workspace, _ in
    try workspace.choose(
      CheckpointedFlow(every: arguments.integerIfGiven("every")), arguments)
  }
}

extension Workspace {
  /// The seed of a flow's random numbers: that of its line, or the session's.
  fileprivate func flowSeed(_ arguments: Arguments) -> UInt64 {
    arguments.integerIfGiven("seed").map { UInt64($0) } ?? settings.seed
  }
}
