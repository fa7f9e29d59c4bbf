import Operations
package import Tensors

/// The computation of the network's output from the last layer's result.
package enum OutputRule: String, CaseIterable, Sendable {
  /// The output is the result.
  case plain
  /// The output is the input minus the result: the layers learn the noise.
  case subtract
  /// The output is the result; a finished slice is scaled to 0…1 by its own minimum and maximum
  /// when it is shown or judged, never in training.
  case normalize
}

/// A network of layers in sequence, from one channel to one channel.
package struct Network<Element: Scalar>: Sendable {
  package private(set) var layers: [any Layer<Element>] = []
  package var outputRule = OutputRule.plain { didSet { plans = PlanCache() } }
  package var reluNaN = ReLUNaN.keep { didSet { plans = PlanCache() } }
  /// The tensors that a gradient flow trained beside the parameters; nil for none.
  package var flowState: FlowState<Element>?
  /// How passes are run, as long as the lines stay as they are; new tensors change nothing.
  private(set) var plans = PlanCache<Element>()

  package init() {}

  init(layers: [any Layer<Element>], outputRule: OutputRule, reluNaN: ReLUNaN) {
    (self.layers, self.outputRule, self.reluNaN) = (layers, outputRule, reluNaN)
  }

  /// Computes the network's output, without anything that a backward pass needs.
  ///
  /// - Parameters:
  ///   - input: `[N, 1, H, W]`.
  ///   - mode: Whether layers behave as in training or as in judging.
  /// - Returns: The output, `[N, 1, H, W]`.
  package func output(
    of input: FeatureMap<Element>, mode: PassMode = .judging
  ) -> FeatureMap<Element> {
    var execution = Execution(plan(PassKey(mode: mode, goesBack: false)))
    let program = execution.plan.program
    execution.giveTensors()
    execution.give(.map(input), at: program.input)
    execution.forward(0..<program.output + 1, keepsRecords: false)
    guard let output = execution.value(at: program.output) else {
      preconditionFailure("A pass ends with its output.")
    }
    return output.map
  }

  /// The same network in Double.
  package var doubles: Network<Double> {
    var network = Network<Double>(
      layers: layers.map(\.doubles), outputRule: outputRule, reluNaN: reluNaN)
    network.flowState = flowState?.doubles
    return network
  }
}

// MARK: - Names and parameters

extension Network {
  /// The names of the layers: `b1`, `b2` for blocks, `c1`, `c2` for plain convolutions.
  package var layerNames: [String] {
    var counts: [String: Int] = [:]
    return layers.map { layer in
      counts[layer.letter, default: 0] += 1
      return "\(layer.letter)\(counts[layer.letter] ?? 0)"
    }
  }

  /// The names of all parameters in order, such as `b1.conv1.weight`.
  package var parameterNames: [String] {
    zip(layerNames, layers).flatMap { name, layer in layer.parameterNames.map { "\(name).\($0)" } }
  }

  /// All parameters, in the order of ``parameterNames``.
  package var parameters: [Tensor<Element>] {
    get { layers.flatMap { $0.parameters } }
    set {
      var rest = newValue[...]
      for i in layers.indices { layers[i].takeParameters(from: &rest) }
      precondition(rest.isEmpty, "One tensor for each parameter.")
    }
  }

  /// The names of all tensors that training changes, parameters first, in the order of ``state``.
  package var stateNames: [String] { parameterNames + bufferNames }

  /// All tensors that training changes.
  package var state: [Tensor<Element>] {
    get { parameters + buffers }
    set {
      let count = parameters.count
      (parameters, buffers) = (Array(newValue.prefix(count)), Array(newValue.dropFirst(count)))
    }
  }

  /// The names of the tensors that training updates without a gradient, in order.
  package var bufferNames: [String] {
    zip(layerNames, layers).flatMap { name, layer in layer.bufferNames.map { "\(name).\($0)" } }
  }

  /// These tensors, in the order of ``bufferNames``.
  package var buffers: [Tensor<Element>] {
    get { layers.flatMap { $0.buffers } }
    set {
      var rest = newValue[...]
      for i in layers.indices { layers[i].takeBuffers(from: &rest) }
      precondition(rest.isEmpty, "One tensor for each buffer.")
    }
  }

  package var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }

  /// The side of the square of input pixels that one output pixel depends on.
  package var receptiveField: Int { receptiveFields.last?.side ?? 1 }

  /// The input pixels that one pixel of each layer depends on, and the layer's scale.
  package var receptiveFields: [ReceptiveField] {
    var fields = ["net.in": ReceptiveField()]
    var last = ReceptiveField()
    return zip(layerNames, layers).map { name, layer in
      let below = layer.source.flatMap { fields[$0] } ?? last
      last = layer.joined.compactMap { fields[$0] }.reduce(
        below.behind(growth: layer.receptiveGrowth, layer.scaling)
      ) { $0.joined($1) }
      fields[name] = last
      return last
    }
  }
}

// MARK: - Building

extension Network<Float> {
  /// The number of channels that the next layer reads.
  package var channels: Int { layers.last?.outputChannels ?? 1 }

  /// Returns the number of channels that the layer called `name` hands on, or `net.in`; those of the last
  /// layer if nil.
  ///
  /// - Throws: `NetworkError` when there is no such layer.
  package func channels(of name: String?) throws(NetworkError) -> Int {
    guard let name else { return channels }
    if name == "net.in" { return 1 }
    guard let index = layerNames.firstIndex(of: name) else {
      throw NetworkError(
        code: "unknown-name", "the network has no layer '\(name)'",
        hint: "it has \((["net.in"] + layerNames).joined(separator: " "))")
    }
    return layers[index].outputChannels
  }

  /// Appends a layer.
  package mutating func append(_ layer: any Layer<Float>) {
    layers.append(layer)
    plans = PlanCache()
  }

  /// Appends a residual block with weights drawn by `initializer`.
  ///
  /// - Throws: `NetworkError` when the skip value cannot join the block's channels.
  package mutating func append(
    block options: BlockOptions, initializer: Initializer, seed: UInt64
  ) throws(NetworkError) {
    append(
      try ResidualBlock(
        options, inputs: channels(of: options.source), named: nextName(ResidualBlock<Float>.letter),
        initializer,
        seed: seed))
  }

  /// Appends a plain convolution with weights drawn by `initializer`.
  package mutating func append(
    convolution options: ConvolutionOptions, initializer: Initializer, seed: UInt64
  ) throws(NetworkError) {
    append(
      try PlainConvolution(
        options, inputs: channels(of: options.source),
        named: nextName(PlainConvolution<Float>.letter), initializer,
        seed: seed))
  }

  /// Returns the network of the same lines with weights drawn anew.
  package func rebuilt(
    _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> Network {
    var network = Network()
    (network.outputRule, network.reluNaN) = (outputRule, reluNaN)
    for layer in layers {
      network.append(
        try layer.redrawn(
          inputs: network.channels(of: layer.source), named: network.nextName(layer.letter),
          initializer, seed: seed))
    }
    return network
  }

  /// Removes the layer called `name`; those behind it are numbered anew.
  ///
  /// - Throws: `NetworkError` when there is no such layer or the rest does not fit together.
  package mutating func remove(_ name: String) throws(NetworkError) {
    guard let index = layerNames.firstIndex(of: name) else {
      throw NetworkError(
        code: "no-such-layer", "the network has no layer '\(name)'",
        hint: layers.isEmpty ? "it is empty" : "it has \(layerNames.joined(separator: " "))")
    }
    let names = layerNames
    if let reader = layers.indices.first(where: {
      layers[$0].source == name || layers[$0].joined.contains(name)
    }) {
      throw NetworkError(
        code: "state", "\(names[reader]) reads \(name)",
        hint: "remove \(names[reader]) first, or give it another layer")
    }
    let before = index == 0 ? 1 : layers[index - 1].outputChannels
    if index + 1 < layers.count, layers[index + 1].source == nil,
      layers[index].outputChannels != before
    {
      throw NetworkError(
        code: "channels",
        "without \(name) the layer \(names[index + 1]) would read \(before) \(before == 1 ? "channel" : "channels"); "
          + "its weights read \(layers[index].outputChannels)",
        hint: "remove the layers from the end: 'remove' takes the last one")
    }
    removeHandingOn(index)
  }

  /// Removes the layer in place `index`; what named it names the layer above, and others their new names.
  mutating func removeHandingOn(_ index: Int) {
    flowState = nil
    let names = layerNames
    let above = index == 0 ? "net.in" : names[index - 1]
    layers.remove(at: index)
    var renames = Dictionary(
      uniqueKeysWithValues: zip(names[..<index] + names[(index + 1)...], layerNames))
    renames[names[index]] = renames[above] ?? above
    layers = layers.map { $0.renamed(renames) }
    plans = PlanCache()
  }

  /// Puts a layer in the place of another that reads and makes as many channels.
  mutating func replaceLayer(_ index: Int, with layer: any Layer<Float>) {
    layers[index] = layer
    plans = PlanCache()
  }

  /// Throws the reason why the network cannot be trained: no layers, or not one output channel.
  package func requireTrainable() throws(NetworkError) {
    guard !layers.isEmpty else {
      throw NetworkError(
        code: "no-network", "there is no network",
        hint: "build one, for example 'block channels=8 convs=2', then 'conv'")
    }
    guard channels == 1 else {
      throw NetworkError(
        code: "channels",
        "the last layer \(layerNames.last ?? "") has \(channels) channels, an image has one",
        hint: "add 'conv channels=1'")
    }
  }

  /// The name that the next layer of a kind gets, such as `b3`.
  package func nextName(_ letter: String) -> String {
    let others = Dictionary(grouping: layers, by: \.letter)[letter] ?? []
    return "\(letter)\(others.count + 1)"
  }
}
