import CT
package import CommandLanguage
import GradientFlows
package import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let channels = 1...1024
  private static let kernel = Parameter.key(
    "kernel", .integer(1...13, odd: true), "rows and columns of the kernels, odd, 1 to 13",
    default: .value("3"))
  private static let bias = Parameter.key(
    "bias", .yesNo, "whether each channel gets a number added", default: .value("yes"))
  private static let activations = ParameterKind.choice(Activation.allCases.map(\.rawValue))
  private static let geometry = [
    Parameter.key(
      "norm", .choice(["none", "batch", "group:G"]),
      "the normalization between convolution and activation", default: .value("none")),
    .key("dilation", .integer(1...32), "distance of a kernel's pixels", default: .value("1")),
    .key("groups", .integer(1...1024), "groups of channels", default: .value("1")),
    .key("from", .thing, "the layer that it reads, or net.in", default: .absent("the one above")),
  ]

  static let netNew = Command(
    CommandSpec(
      "net new", family: .network,
      summary: "Begin an empty network.",
      details: """
        init= is how weights of later lines are drawn: he (normal, √(2/inputs)), xavier (uniform), \
        or normal:S with standard deviation S. Biases begin at 0. Each layer draws from a stream of \
        its own name.
        """,
      parameters: [
        .key(
          "seed", .integer(), "replaces the session's seed for the weights",
          default: .absent("the session's seed")),
        .key(
          "init", .choice(["he", "xavier", "normal:S"]), "how weights are drawn",
          default: .value("he")),
      ],
      examples: ["net new", "net new seed=7 init=normal:0.05"],
      seeAlso: ["block", "conv", "net show"], recipe: .network)
  ) { arguments, workspace, _ in
    let text = try arguments.text("init")
    guard let initializer = Initializer(text) else {
      throw arguments.error(
        at: "init", .wrongValue, "'\(text)' is no initializer", hint: "he, xavier or normal:0.05")
    }
    var network = Network<Float>()
    network.reluNaN = workspace.settings.reluNaN
    workspace.replaceNetwork(network)
    workspace.initializer = initializer
    workspace.networkSeed = arguments.integerIfGiven("seed").map { UInt64($0) }
    return Outcome()
  }

  static let block = Command(
    CommandSpec(
      "block", family: .network,
      summary: "Add a residual block: convolutions, then a merge with a skip.",
      details: """
        z1 = conv1(in), a = act(z), and with the last a and the skip value s: add a+s, multiply a·s, \
        multiply-add a·s+s, none a. The skip is the block's input, the network's input (its one \
        channel serves all), or a 1×1 convolution of the block's input (project).
        """,
      parameters: [
        .key("channels", .integer(channels), "channels of the block", default: .value("8")),
        kernel,
        .key("act", activations, "the activation", default: .value("relu")),
        .key(
          "merge", .choice(Merge.allCases.map(\.rawValue)), "how a and s join",
          default: .value("add")),
        .key("skip", .choice(Skip.allCases.map(\.rawValue)), "what s is", default: .value("block")),
        .key(
          "project-act",
          .choice(Activation.allCases.filter { !$0.needsPreactivation }.map(\.rawValue)),
          "the activation of the projection", default: .value("linear")),
        .key("convs", .integer(1...32), "convolutions, one after the other", default: .value("1")),
        bias,
      ] + geometry,
      examples: [
        "block channels=8 convs=2",
        "block channels=3 kernel=13 act=sigmoid merge=multiply skip=input bias=no",
      ], seeAlso: ["conv", "output", "net show"],
      recipe: .layer(letter: ResidualBlock<Float>.letter)), preview: previewBlock
  ) { arguments, workspace, _ in
    let options = try BlockOptions(arguments)
    try workspace.requireMemory(
      convolutions: options.convolutions, channels: options.channels, kernel: options.kernel,
      projects: options.skip == .project, from: options.source)
    do throws(NetworkError) {
      let layer = try ResidualBlock(
        options, inputs: workspace.network.channels(of: options.source),
        named: workspace.network.nextName(ResidualBlock<Float>.letter), workspace.initializer,
        seed: workspace.weightSeed)
      try workspace.requireSizes(of: layer)
      return workspace.append(layer)
    } catch {
      throw arguments.error(
        error,
        at: error.code == "unknown-name" ? "from" : arguments.has("channels") ? "channels" : "skip")
    }
  }

  static let conv = Command(
    CommandSpec(
      "conv", family: .network,
      summary: "Add a plain convolution; one channel makes the image.",
      parameters: [
        .key("channels", .integer(channels), "channels it makes", default: .value("1")),
        .key(
          "kernel", .integer(1...13),
          "rows and columns of the kernels, 1 to 13; even ones with stride=2, pad=none or transpose",
          default: .value("3")),
        .key("act", activations, "the activation", default: .value("linear")),
        bias,
        .key("stride", .integer(1...8), "distance of neighboring sums", default: .value("1")),
        .key(
          "pad", .choice(ConvolutionGeometry.Padding.allCases.map(\.rawValue)),
          "zeros around the image: as many as keep its size, or none", default: .value("same")),
        .key(
          "transpose", .yesNo,
          "whether it spreads each pixel, as the gradient of a convolution does",
          default: .value("no")),
      ] + geometry,
      examples: [
        "conv", "conv channels=16 kernel=5 act=relu", "conv channels=8 norm=batch act=relu",
        CommandExample(
          "conv channels=8 kernel=2 stride=2 transpose=yes pad=none",
          after: ["conv channels=8 stride=2"]),
      ], seeAlso: ["block", "pool", "up", "join", "output"],
      recipe: .layer(letter: PlainConvolution<Float>.letter)), preview: previewConvolution
  ) { arguments, workspace, _ in
    let options = try ConvolutionOptions(arguments)
    try workspace.requireMemory(
      convolutions: 1, channels: options.channels, kernel: options.kernel, from: options.source)
    do throws(NetworkError) {
      return workspace.append(
        try PlainConvolution(
          options, inputs: workspace.network.channels(of: options.source),
          named: workspace.network.nextName(PlainConvolution<Float>.letter), workspace.initializer,
          seed: workspace.weightSeed))
    } catch {
      let place = ["unknown-name": "from", "wrong-value": "kernel"][error.code] ?? "groups"
      throw arguments.error(error, at: place)
    }
  }

  static let output = Command(
    CommandSpec(
      "output", family: .network,
      summary: "Choose what becomes of the last layer's result.",
      details: """
        plain: it is the output. subtract: the output is the network's input minus it, so the layers \
        learn the noise. normalize: plain in training; finished slices are brought to 0…1 by their \
        own minimum and maximum when they are shown or judged.
        """,
      parameters: [
        .word("rule", .choice(OutputRule.allCases.map(\.rawValue)), "the rule")
      ],
      examples: ["output subtract", "output plain"], seeAlso: ["conv", "denoise"], recipe: .network)
  ) { arguments, workspace, _ in
    var network = workspace.network
    network.outputRule = try arguments.choice("rule", as: OutputRule.self)
    workspace.replaceNetwork(network)
    return Outcome()
  }

  static let remove = Command(
    CommandSpec(
      "remove", family: .network,
      summary: "Remove a layer; those behind it are numbered anew.",
      parameters: [
        .word("name", .thing, "the layer, such as b2", default: .absent("the last one"))
      ],
      examples: [
        CommandExample("remove", after: ["block", "conv"]),
        CommandExample("remove b2", after: ["block", "block", "block"]),
      ], seeAlso: ["net show"])
  ) { arguments, workspace, _ in
    var network = workspace.network
    let name = arguments.textIfGiven("name") ?? network.layerNames.last ?? ""
    guard !network.layers.isEmpty else {
      throw arguments.error(.state, "the network has no layers", hint: "add one with block or conv")
    }
    let before = network.layerNames
    do throws(NetworkError) {
      try network.remove(name)
    } catch {
      throw arguments.error(
        at: arguments.has("name") ? "name" : "", .init(rawValue: error.code), error.message,
        hint: NearestNames.question(for: name, among: before) ?? error.hint)
    }
    workspace.replaceNetwork(network)
    let kept = before.filter { $0 != name }
    let renamed = zip(kept, network.layerNames).filter { $0.0 != $0.1 }.map {
      "\($0.0) is now \($0.1)"
    }
    return Outcome(
      OutputLine("removed \(([name] + renamed).joined(separator: " · "))"),
      result: ["removed": .string(name), "layers": .list(network.layerNames) { .string($0) }])
  }

  static let netShow = Command(
    CommandSpec(
      "net show", family: .network,
      summary: "List the layers: shapes, parameters, receptive field, memory.",
      examples: [CommandExample("net show", after: ["block channels=8 convs=2", "conv"])],
      seeAlso: ["block", "conv", "stats"], runsInPass: true)
  ) { _, workspace, _ in
    let network = workspace.network
    guard !network.layers.isEmpty else {
      throw CommandError(
        .state, "the network has no layers", hint: "add one, for example 'block channels=8 convs=2'"
      )
    }
    let side = workspace.slices.map { ($0.height, $0.width) } ?? (256, 256)
    let size = BatchSize(batch: 4, height: side.0, width: side.1)
    func mebibytes(_ bytes: Int) -> Double { Double(bytes) / 1_048_576 }
    let fields = network.receptiveFields
    let hasScales = fields.contains { $0.scaling != .one }
    let shapes = network.layerShapes(size)
    let fits = (try? network.requireLayersFit(height: side.0, width: side.1)) != nil
    let stepBytes = fits ? workspace.flow.stepBytes(of: network, size) : []
    let bytes = fits ? workspace.flow.trainingBytes(of: network, size) : 0
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [.words("layer"), .words("line"), .words("output")]
          + (hasScales ? [.words("scale")] : []) + [
            .numbers("parameters"), .numbers("receptive field"), .numbers("step MiB"),
          ],
        rows: zip(network.layerNames, network.layers).enumerated().map { index, entry in
          let (name, layer) = entry
          let field = fields[index].side
          return [
            OutputLine(name), OutputLine(layer.line),
            fits
              ? "[N,\(layer.outputChannels),\(shapes[index].height),\(shapes[index].width)]"
              : "[N,\(layer.outputChannels),?,?]",
          ] + (hasScales ? ["\(fields[index].scaling.description)"] : []) + [
            "\(layer.parameterCount)", "\(field)×\(field)",
            fits ? "\(mebibytes(stepBytes[index]), digits: 1)" : "?",
          ]
        }))
    outcome.say(
      """
      output \(network.outputRule.rawValue) · \(network.parameterCount, "parameter") · \
      a training step on \(size.batch) slices of \(side.0)×\(side.1) \
      \(fits ? "needs about" : "is not possible: its layers do not fit one another;") \
      \(fits ? "\(mebibytes(bytes), digits: 1) MiB" : "'train' says where")
      """)
    if !workspace.parked.isEmpty {
      let others = workspace.parked.keys.sorted().joined(separator: ", ")
      outcome.say("this is \(workspace.networkName); there are also \(others)")
    }
    outcome.result = [
      "layers": .list(zip(network.layerNames, network.layers).map { $0 }) { name, layer in
        [
          "name": .string(name), "line": .string(layer.line),
          "channels": .integer(layer.outputChannels), "parameters": .integer(layer.parameterCount),
        ]
      },
      "output": .string(network.outputRule.rawValue),
      "parameters": .integer(network.parameterCount),
      "receptive_field": .integer(network.receptiveField),
      "step_bytes": fits ? .integer(bytes) : .null,
    ]
    return outcome
  }
}

extension BlockOptions {
  /// Reads the options of a block from the arguments of `block`.
  init(_ arguments: Arguments) throws {
    self.init()
    channels = try arguments.integer("channels")
    kernel = try arguments.integer("kernel")
    activation = try arguments.choice("act", as: Activation.self)
    merge = try arguments.choice("merge", as: Merge.self)
    skip = try arguments.choice("skip", as: Skip.self)
    projectActivation = try arguments.choice("project-act", as: Activation.self)
    if projectActivation != .linear, skip != .project || merge == .none {
      throw arguments.error(
        at: "project-act", .surplusArgument, "only a projected skip has a project-act",
        hint: "skip=project, or leave it out")
    }
    convolutions = try arguments.integer("convs")
    hasBias = try arguments.flag("bias")
    geometry = try arguments.geometry()
    norm = try arguments.normRule()
    source = arguments.textIfGiven("from")
  }
}

extension ConvolutionOptions {
  /// Reads the options of a convolution from the arguments of `conv`.
  init(_ arguments: Arguments) throws {
    self.init()
    channels = try arguments.integer("channels")
    kernel = try arguments.integer("kernel")
    activation = try arguments.choice("act", as: Activation.self)
    hasBias = try arguments.flag("bias")
    geometry = try arguments.geometry()
    norm = try arguments.normRule()
    source = arguments.textIfGiven("from")
  }
}

extension Workspace {
  /// The seed from which weights are drawn.
  var weightSeed: UInt64 { networkSeed ?? settings.seed }

  /// Appends a layer to the network in use; returns a line about it.
  package mutating func append(_ layer: any Layer<Float>) -> Outcome {
    var changed = network
    changed.append(layer)
    replaceNetwork(changed)
    return describeLastLayer()
  }

  /// One line about the last layer: `b1  1 → 8 channels · 656 parameters · receptive field 5×5`.
  fileprivate func describeLastLayer() -> Outcome {
    guard let layer = network.layers.last, let name = network.layerNames.last else {
      return Outcome()
    }
    let inputs = layer.inputChannels
    let field = network.receptiveField
    return Outcome(
      """
      \(name)  \(inputs) → \(layer.outputChannels, "channel") · \(layer.parameterCount, "parameter") · \
      receptive field \(field)×\(field)
      """,
      result: [
        "name": .string(name), "line": .string(layer.line),
        "channels": .integer(layer.outputChannels),
        "parameters": .integer(layer.parameterCount), "receptive_field": .integer(field),
      ])
  }
}
