package import Tensors

/// One layer of a network: a residual block or a plain convolution.
package enum Layer<Element: Scalar>: Sendable {
  case block(ResidualBlock<Element>)
  case convolution(PlainConvolution<Element>)

  @specialized(where Element == Float)
  package func forward(
    _ x: FeatureMap<Element>, networkInput: FeatureMap<Element>, retention: Retention,
    reluNaN: ReLUNaN, reader: Conv2D<Element>?
  ) -> LayerPass<Element> {
    switch self {
    case .block(let block):
      block.forward(
        x, networkInput: networkInput, retention: retention, reluNaN: reluNaN, reader: reader)
    case .convolution(let layer):
      layer.forward(x, retention: retention, reluNaN: reluNaN, reader: reader)
    }
  }

  /// The only convolution that reads the layer's input, so that its gradient, with a skip's added,
  /// is all that the layer passes down; nil if a projection reads it, too.
  var soleReader: Conv2D<Element>? {
    switch self {
    case .block(let block): block.project == nil ? block.convolutions[0] : nil
    case .convolution(let layer): layer.convolution
    }
  }

  /// Computes the layer's gradients from the gradient of its output; see ``ResidualBlock`` and
  /// ``PlainConvolution``.
  @specialized(where Element == Float)
  package func backward(
    _ gradient: FeatureMap<Element>, _ pass: consuming LayerPass<Element>, retention: Retention,
    needsInput: Bool, insertion: FeatureMap<Element>? = nil
  ) -> LayerGradients<Element> {
    switch self {
    case .block(let block):
      block.backward(
        gradient, consume pass, retention: retention, needsInput: needsInput, insertion: insertion)
    case .convolution(let layer):
      layer.backward(gradient, consume pass, retention: retention, needsInput: needsInput)
    }
  }
}

/// The parameters, in a fixed order.
extension Layer {
  /// The convolutions with their names within the layer; a plain convolution's name is empty.
  private var convolutions: [(name: String, convolution: Conv2D<Element>)] {
    switch self {
    case .block(let block):
      block.convolutions.enumerated().map { ("conv\($0 + 1).", $1) }
        + (block.project.map { [("project.", $0)] } ?? [])
    case .convolution(let layer):
      [("", layer.convolution)]
    }
  }

  /// The names of the parameters within the layer, such as `conv1.weight`.
  package var parameterNames: [String] {
    convolutions.flatMap { entry in entry.convolution.parameterNames.map { entry.name + $0 } }
  }

  package var parameters: [Tensor<Element>] {
    switch self {
    case .block(let block):
      block.convolutions.flatMap { $0.parameters } + (block.project?.parameters ?? [])
    case .convolution(let layer):
      layer.convolution.parameters
    }
  }

  /// Takes the parameters' new values from the front of `rest`.
  mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    switch self {
    case .block(var block):
      for i in block.convolutions.indices { block.convolutions[i].takeParameters(from: &rest) }
      block.project?.takeParameters(from: &rest)
      self = .block(block)
    case .convolution(var layer):
      layer.convolution.takeParameters(from: &rest)
      self = .convolution(layer)
    }
  }

  /// The same layer in Double.
  package var doubles: Layer<Double> {
    switch self {
    case .block(let block):
      .block(
        ResidualBlock<Double>(
          options: block.options, convolutions: block.convolutions.map(\.doubles),
          project: block.project?.doubles))
    case .convolution(let layer):
      .convolution(
        PlainConvolution<Double>(
          options: layer.options, convolution: layer.convolution.doubles))
    }
  }
}

/// Facts about a layer for a table.
extension Layer {
  /// The letter of the layer's name: `b1`, `c1`.
  package var letter: String {
    switch self {
    case .block: "b"
    case .convolution: "c"
    }
  }

  /// The line that builds the layer.
  package var line: String {
    switch self {
    case .block(let block): block.options.line
    case .convolution(let layer): layer.options.line
    }
  }

  package var inputChannels: Int {
    switch self {
    case .block(let block): block.convolutions[0].weight.shape[1]
    case .convolution(let layer): layer.convolution.weight.shape[1]
    }
  }

  package var outputChannels: Int {
    switch self {
    case .block(let block): block.options.channels
    case .convolution(let layer): layer.options.channels
    }
  }

  package var activation: Activation {
    switch self {
    case .block(let block): block.options.activation
    case .convolution(let layer): layer.options.activation
    }
  }

  /// The number of trained parameters.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }

  /// The number of pixels that the layer adds to the receptive field: Σ (k − 1).
  package var receptiveGrowth: Int {
    switch self {
    case .block(let block): block.options.convolutions * (block.options.kernel - 1)
    case .convolution(let layer): layer.options.kernel - 1
    }
  }
}
