import CT
import CommandLanguage
import Networks
import Tensors

/// Layers that change an image's size, join earlier ones, or normalize.
extension Command<Workspace> {
  static let pool = Command(
    CommandSpec(
      "pool", family: .network,
      summary: "Add a pool: the largest or the mean number of each window.",
      details: """
        out = the largest, or the mean, of size × size pixels; an image of H×W becomes one of \
        H/size × W/size. 'up' makes it larger again.
        """,
      parameters: [
        .word("rule", .choice(PoolRule.allCases.map(\.rawValue)), "what stays of a window"),
        .key("size", .integer(2...16), "rows and columns of a window", default: .value("2")),
      ],
      examples: [CommandExample("pool max", after: ["conv channels=8 act=relu"])],
      seeAlso: ["up", "conv", "net show"], recipe: .layer(letter: PoolLayer<Float>.letter))
  ) { arguments, workspace, _ in
    workspace.append(
      PoolLayer<Float>(
        try arguments.choice("rule", as: PoolRule.self), size: try arguments.integer("size"),
        channels: workspace.network.channels))
  }

  static let up = Command(
    CommandSpec(
      "up", family: .network,
      summary: "Add up-sampling: an image whose sides are some times as large.",
      details: """
        nearest repeats each pixel, bilinear interpolates between them, shuffle takes factor² \
        channels for one. A transposed convolution (conv transpose=yes stride=2) learns its rule.
        """,
      parameters: [
        .key("factor", .integer(2...64), "how many times as large", default: .value("2")),
        .key(
          "by", .choice(UpLayer<Float>.Rule.allCases.map(\.rawValue)), "the rule for new pixels",
          default: .value("nearest")),
      ],
      examples: [CommandExample("up", after: ["conv channels=8", "pool mean"])],
      seeAlso: ["pool", "conv", "join"], recipe: .layer(letter: UpLayer<Float>.letter))
  ) { arguments, workspace, _ in
    let rule = try arguments.choice("by", as: UpLayer<Float>.Rule.self)
    let factor = try arguments.integer("factor")
    do throws(NetworkError) {
      return workspace.append(
        try UpLayer(rule, factor: factor, channels: workspace.network.channels))
    } catch {
      throw arguments.error(error, at: "by")
    }
  }

  static let join = Command(
    CommandSpec(
      "join", family: .network,
      summary: "Join the value so far with what an earlier layer hands on.",
      details: """
        z = in + NAME, in · NAME, in · NAME + NAME, or the channels of both; then the activation. \
        NAME is a layer such as c1, or net.in. Channels and sizes must be equal; one channel serves \
        all, and concat takes any number.
        """,
      parameters: [
        .word("name", .thing, "the earlier layer, or net.in"),
        .key(
          "how", .choice(JoinOptions.Rule.allCases.map(\.rawValue)), "how two values become one",
          default: .value("add")),
        .key(
          "act", .choice(Activation.allCases.map(\.rawValue)), "the activation",
          default: .value("linear")),
      ],
      examples: [
        CommandExample("join c1", after: ["conv channels=8 act=relu", "conv channels=8"]),
        CommandExample(
          "join c1 how=concat", after: ["conv channels=8 act=relu", "conv channels=4"]),
      ],
      seeAlso: ["block", "conv", "net show"], recipe: .layer(letter: JoinLayer<Float>.letter))
  ) { arguments, workspace, _ in
    var options = JoinOptions(try arguments.text("name"))
    options.rule = try arguments.choice("how", as: JoinOptions.Rule.self)
    options.activation = try arguments.choice("act", as: Activation.self)
    do throws(NetworkError) {
      let layer = try JoinLayer<Float>(
        options, inputs: workspace.network.channels,
        others: workspace.network.channels(of: options.other))
      try workspace.requireSizes(of: layer)
      return workspace.append(layer)
    } catch {
      throw arguments.error(error, at: error.code == "channels" ? "how" : "name")
    }
  }

  static let dense = Command(
    CommandSpec(
      "dense", family: .network,
      summary: "Add a dense layer: every unit reads every number of an image.",
      details: """
        z = weight · in + bias, with one row of weights for each unit, then the activation. It is for \
        encoders and discriminators; its weights fix the size of the image that it reads, which is \
        that of the slices unless rows= and columns= say otherwise.
        """,
      parameters: [
        .key("units", .integer(1...65536), "how many numbers it makes", default: .required),
        .key(
          "act", .choice(Activation.allCases.map(\.rawValue)), "the activation",
          default: .value("linear")),
        .key("bias", .yesNo, "whether each unit gets a number added", default: .value("yes")),
        .key(
          "rows", .integer(1...4096), "rows of the layer's input",
          default: .absent("those that the slices have there")),
        .key(
          "columns", .integer(1...4096), "columns of the layer's input",
          default: .absent("those that the slices have there")),
      ],
      examples: ["dense units=4 rows=8 columns=8"], seeAlso: ["conv", "pool"],
      recipe: .layer(letter: DenseLayer<Float>.letter))
  ) { arguments, workspace, _ in
    var options = DenseOptions()
    options.units = try arguments.integer("units")
    options.activation = try arguments.choice("act", as: Activation.self)
    options.hasBias = try arguments.flag("bias")
    let here = workspace.slices.flatMap { workspace.network.size(behind: ($0.height, $0.width)) }
    guard let rows = arguments.integerIfGiven("rows") ?? here?.height,
      let columns = arguments.integerIfGiven("columns") ?? here?.width
    else {
      throw arguments.error(
        at: "units", .state, "the size of the images is not known without slices",
        hint: "give rows= and columns=, or load slices first")
    }
    (options.rows, options.columns) = (rows, columns)
    let channels = workspace.network.channels
    try workspace.requireMemory(dense: options.units, channels * rows * columns)
    return workspace.append(
      DenseLayer(
        options, inputs: channels, named: workspace.network.nextName(DenseLayer<Float>.letter),
        workspace.initializer,
        seed: workspace.weightSeed))
  }

  static let norm = Command(
    CommandSpec(
      "norm", family: .network,
      summary: "Add a normalization as a layer of its own.",
      details: """
        n = weight · (x − μ)/√(σ² + ε) + bias for each channel. batch: μ and σ² of the batch in \
        training, running ones in denoise, evaluate and validation. group: μ and σ² of groups of \
        channels of each image. Most nets have norms within a line: conv norm=batch.
        """,
      parameters: [
        .word("rule", .choice(["batch", "group"]), "what shares a mean"),
        .key(
          "momentum", .number(units: [], .above(0, upTo: 1)),
          "how far a batch moves the running statistics",
          default: .value("0.1")),
        .key("epsilon", .number(units: [], .above(0, upTo: 1)), "ε", default: .value("1e-5")),
        .key(
          "groups", .integer(1...1024), "groups of channels", default: .absent("needed by group")),
      ],
      examples: [
        CommandExample("norm batch", after: ["conv channels=8"]),
        CommandExample("norm group groups=4", after: ["conv channels=8"]),
      ],
      seeAlso: ["conv", "net fold"], recipe: .layer(letter: NormLayer<Float>.letter))
  ) { arguments, workspace, _ in
    let epsilon = try arguments.number("epsilon").value
    let isBatch = try arguments.choice("rule") == "batch"
    let rule: NormRule
    if isBatch {
      if arguments.has("groups") {
        throw arguments.error(
          at: "groups", .surplusArgument, "batch norm has no groups", hint: "norm group groups=4")
      }
      rule = .batch(momentum: try arguments.number("momentum").value, epsilon: epsilon)
    } else {
      guard let groups = arguments.integerIfGiven("groups") else {
        throw arguments.error(
          at: "rule", .missingArgument, "group norm needs the number of groups",
          hint: "norm group groups=4")
      }
      if arguments.has("momentum") {
        throw arguments.error(
          at: "momentum", .surplusArgument, "group norm has no running statistics",
          hint: "leave momentum= out")
      }
      rule = .group(groups, epsilon: epsilon)
    }
    do throws(NetworkError) {
      return workspace.append(
        try NormLayer<Float>(rule, channels: workspace.network.channels))
    } catch {
      throw arguments.error(error, at: "groups")
    }
  }
}

extension Workspace {
  /// Throws when the slices, if there are any, cannot pass through the network with a further layer, whatever
  /// they are padded to.
  func requireSizes(of layer: any Layer<Float>) throws(NetworkError) {
    guard let slices else { return }
    var trial = network
    trial.append(layer)
    try trial.requireLayersFit(height: slices.height, width: slices.width)
  }
}

extension Arguments {
  /// The error of a layer that does not fit, at an argument.
  func error(_ error: NetworkError, at name: String) -> CommandError {
    self.error(
      at: has(name) ? name : "", .init(rawValue: error.code), error.message, hint: error.hint)
  }

  /// The geometry that a line of a convolution tells.
  ///
  /// A transposed convolution has no padding: it grows an image as PyTorch's does.
  func geometry() throws -> ConvolutionGeometry {
    let isTransposed = try spec.has("transpose") ? flag("transpose") : false
    if isTransposed, has("pad"), try choice("pad") != "none" {
      throw error(
        at: "pad", .surplusArgument, "a transposed convolution has no zeros around the image",
        hint: "leave pad= out")
    }
    return ConvolutionGeometry(
      stride: try spec.has("stride") ? integer("stride") : 1, dilation: try integer("dilation"),
      groups: try integer("groups"),
      padding: isTransposed
        ? .none
        : try spec.has("pad") ? choice("pad", as: ConvolutionGeometry.Padding.self) : .same,
      isTransposed: isTransposed)
  }

  /// The normalization that a line of a convolution tells; nil for none.
  func normRule() throws -> NormRule? {
    let text = try self.text("norm")
    if text == "none" { return nil }
    guard let rule = NormRule(text) else {
      throw error(
        at: "norm", .wrongValue, "'\(text)' is no normalization", hint: "none, batch or group:4")
    }
    return rule
  }
}

extension CommandSpec {
  fileprivate func has(_ name: String) -> Bool { parameters.contains { $0.name == name } }
}
