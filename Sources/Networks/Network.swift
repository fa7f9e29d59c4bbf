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
  package private(set) var layers: [Layer<Element>] = []
  package var outputRule = OutputRule.plain
  package var reluNaN = ReLUNaN.keep

  package init() {}

  init(layers: [Layer<Element>], outputRule: OutputRule, reluNaN: ReLUNaN) {
    (self.layers, self.outputRule, self.reluNaN) = (layers, outputRule, reluNaN)
  }

  /// Computes the network.
  ///
  /// - Parameters:
  ///   - input: `[N, 1, H, W]`.
  ///   - retention: What to keep for a backward pass or for inspection.
  ///   - readersDerive: Whether a layer may pass dz to the layer below, in place of the gradient of
  ///     its output; for training, where that gradient is not needed.
  /// - Returns: The output and the kept values.
  @specialized(where Element == Float)
  package func forward(
    _ input: FeatureMap<Element>, retention: Retention, readersDerive: Bool = false
  ) -> NetworkPass<Element> {
    var passes: [LayerPass<Element>] = []
    var x = input
    var foundNonFinite = false
    for (index, layer) in layers.enumerated() {
      let above = readersDerive && index + 1 < layers.count ? layers[index + 1] : nil
      let kept = retention.ofLayer(index)
      var pass = layer.forward(
        x, networkInput: input, retention: kept, reluNaN: reluNaN, reader: above?.soleReader)
      if let output = pass.output { x = output }
      pass.isInputRectified = passes.last?.leavesDerivative ?? false
      foundNonFinite = foundNonFinite || pass.foundNonFinite
      if kept == .training { pass.output = nil }
      if retention != .nothing { passes.append(pass) }
    }
    let output = outputRule == .subtract ? input.subtracting(x) : x
    return NetworkPass(
      input: input, layers: passes, output: output, foundNonFinite: foundNonFinite)
  }

  /// The gradient of the last layer's result from that of the network's output.
  package func lastLayerGradient(_ outputGradient: FeatureMap<Element>) -> FeatureMap<Element> {
    outputRule == .subtract ? outputGradient.negated() : outputGradient
  }

  /// The same network in Double.
  package var doubles: Network<Double> {
    Network<Double>(layers: layers.map(\.doubles), outputRule: outputRule, reluNaN: reluNaN)
  }
}

/// The values of a network in one forward pass.
package struct NetworkPass<Element: Scalar>: Sendable {
  package let input: FeatureMap<Element>
  /// The layers' values, except those that a backward pass removed.
  package private(set) var layers: [LayerPass<Element>]
  package let output: FeatureMap<Element>
  /// Whether a convolution found a NaN or an infinity.
  package let foundNonFinite: Bool

  package init(
    input: FeatureMap<Element>, layers: [LayerPass<Element>], output: FeatureMap<Element>,
    foundNonFinite: Bool
  ) {
    (self.input, self.layers, self.output) = (input, layers, output)
    self.foundNonFinite = foundNonFinite
  }

  /// Removes and returns the values of the last layer; without other references, they are freed
  /// when the backward pass has used them.
  package mutating func takeLast() -> LayerPass<Element> { layers.removeLast() }

  /// The same pass with only the values that `retention` keeps for inspection.
  package func inspectable(_ retention: Retention) -> NetworkPass {
    let kept: [LayerPass<Element>] =
      switch retention {
      case .everything: layers
      case .layer(let wanted):
        layers.enumerated().map { $0 == wanted ? $1 : LayerPass(output: nil) }
      case .training, .nothing: []
      }
    return NetworkPass(
      input: input, layers: kept, output: output, foundNonFinite: foundNonFinite)
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

  package var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }

  /// The side of the square of input pixels that one output pixel depends on.
  package var receptiveField: Int { layers.reduce(1) { $0 + $1.receptiveGrowth } }
}

// MARK: - Building

extension Network<Float> {
  /// The number of channels that the next layer reads.
  package var channels: Int { layers.last?.outputChannels ?? 1 }

  /// Throws when the skip value of a block with these options could not join its channels.
  package func requireFit(_ options: BlockOptions) throws(NetworkError) {
    let inputs = channels
    if options.skip == .block, options.merge != .none, inputs != 1, inputs != options.channels {
      throw NetworkError(
        code: "channels",
        "skip=block joins the block's input, which has \(inputs) \(inputs == 1 ? "channel" : "channels"), with \(options.channels)",
        hint: "channels=\(inputs), or skip=project, or skip=input")
    }
  }

  /// Appends a residual block with weights drawn by `initializer`.
  ///
  /// - Throws: `NetworkError` when the skip value cannot join the block's channels.
  package mutating func append(
    block options: BlockOptions, initializer: Initializer, seed: UInt64
  ) throws(NetworkError) {
    try requireFit(options)
    let inputs = channels
    let name = nextName("b")
    func convolution(_ inputs: Int, kernel: Int, _ suffix: String) -> Conv2D<Float> {
      initializer.convolution(
        inputs: inputs, outputs: options.channels, kernel: kernel, hasBias: options.hasBias,
        seed: seed, name: "\(name).\(suffix)")
    }
    let projects = options.skip == .project && options.merge != .none
    layers.append(
      .block(
        ResidualBlock(
          options: options,
          convolutions: (0..<options.convolutions).map {
            convolution(
              $0 == 0 ? inputs : options.channels, kernel: options.kernel, "conv\($0 + 1)")
          },
          project: projects ? convolution(inputs, kernel: 1, "project") : nil)))
  }

  /// Appends a plain convolution with weights drawn by `initializer`.
  package mutating func append(
    convolution options: ConvolutionOptions, initializer: Initializer, seed: UInt64
  ) {
    layers.append(
      .convolution(
        PlainConvolution(
          options: options,
          convolution: initializer.convolution(
            inputs: channels, outputs: options.channels, kernel: options.kernel,
            hasBias: options.hasBias, seed: seed, name: nextName("c")))))
  }

  /// Returns a network of the same layers with weights drawn anew.
  package func rebuilt(
    _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> Network {
    var network = Network()
    (network.outputRule, network.reluNaN) = (outputRule, reluNaN)
    for layer in layers {
      switch layer {
      case .block(let block):
        try network.append(block: block.options, initializer: initializer, seed: seed)
      case .convolution(let plain):
        network.append(convolution: plain.options, initializer: initializer, seed: seed)
      }
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
    let before = index == 0 ? 1 : layers[index - 1].outputChannels
    if index + 1 < layers.count, layers[index].outputChannels != before {
      throw NetworkError(
        code: "channels",
        "without \(name) the layer \(layerNames[index + 1]) would read \(before) \(before == 1 ? "channel" : "channels"); "
          + "its weights read \(layers[index].outputChannels)",
        hint: "remove the layers from the end: 'remove' takes the last one")
    }
    layers.remove(at: index)
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
    "\(letter)\(layers.count { $0.letter == letter } + 1)"
  }
}
