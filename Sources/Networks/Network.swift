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
  package var outputRule = OutputRule.plain
  package var reluNaN = ReLUNaN.keep

  package init() {}

  init(layers: [any Layer<Element>], outputRule: OutputRule, reluNaN: ReLUNaN) {
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
      // Where a layer is looked into, the one above feeds it with the gradient of its output.
      let above =
        readersDerive && retention != .layer(index) && index + 1 < layers.count
        ? layers[index + 1] : nil
      var pass = layer.forward(
        x, networkInput: input, keepsRecord: retention != .nothing, reluNaN: reluNaN,
        reader: above?.soleReader)
      if let output = pass.output { x = output }
      pass.isInputRectified = passes.last?.leavesDerivative ?? false
      foundNonFinite = foundNonFinite || pass.foundNonFinite
      pass.output = nil
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

  /// Appends a layer.
  package mutating func append(_ layer: any Layer<Float>) { layers.append(layer) }

  /// Appends a residual block with weights drawn by `initializer`.
  ///
  /// - Throws: `NetworkError` when the skip value cannot join the block's channels.
  package mutating func append(
    block options: BlockOptions, initializer: Initializer, seed: UInt64
  ) throws(NetworkError) {
    append(
      try ResidualBlock(
        options, inputs: channels, named: nextName("b"), initializer, seed: seed))
  }

  /// Appends a plain convolution with weights drawn by `initializer`.
  package mutating func append(
    convolution options: ConvolutionOptions, initializer: Initializer, seed: UInt64
  ) {
    append(
      PlainConvolution(options, inputs: channels, named: nextName("c"), initializer, seed: seed))
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
          inputs: network.channels, named: network.nextName(layer.letter), initializer, seed: seed))
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
    let others = Dictionary(grouping: layers, by: \.letter)[letter] ?? []
    return "\(letter)\(others.count + 1)"
  }
}
