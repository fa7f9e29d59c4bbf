import Tensors

/// The memory of a training step under the standard flow, followed from map to map.
///
/// The forward pass adds what each layer keeps. The backward pass lets go of it layer by layer, and
/// the gradients use its memory; so the most is needed near the last layer. Bits are counted for each
/// fused ReLU, also where the convolution that reads its activation sees to the derivative: 1/32 of a map.
struct TrainingMemory<Element: Scalar> {
  /// Pixels of all images of a batch.
  private let pixels: Int
  private var live = 0
  private var peak = 0

  /// The most bytes of maps that are alive at once while a network of `layers` makes a step.
  static func maps(of layers: [Layer<Element>], pixels: Int) -> Int {
    var memory = TrainingMemory(pixels: pixels)
    // Input, target and mask as tensors and as maps, the error and its gradient.
    memory.take(8 * memory.map(1))
    for layer in layers { memory.forward(LayerPlan(layer)) }
    if let last = layers.last { memory.take(memory.map(last.outputChannels)) }
    for (index, layer) in layers.enumerated().reversed() {
      memory.backward(
        LayerPlan(layer), below: index > 0 ? LayerPlan(layers[index - 1]) : nil)
    }
    return memory.peak
  }

  /// The bytes that the forward pass keeps of `layer` until its backward pass.
  static func kept(of layer: Layer<Element>, pixels: Int) -> Int {
    var memory = TrainingMemory(pixels: pixels)
    memory.forward(LayerPlan(layer))
    return memory.live
  }

  /// The bytes of all named values of `layers` and of their gradients.
  static func named(of layers: [Layer<Element>], pixels: Int) -> Int {
    let memory = TrainingMemory(pixels: pixels)
    return layers.map(LayerPlan.init).reduce(8 * memory.map(1)) {
      $0 + (4 * $1.convolutions + ($1.merges ? 3 : 0) + 1) * memory.map($1.channels)
    }
  }

  private init(pixels: Int) { self.pixels = pixels }

  private mutating func take(_ bytes: Int) {
    live += bytes
    peak = max(peak, live)
  }

  private mutating func free(_ bytes: Int) { live -= bytes }

  private func map(_ channels: Int) -> Int {
    ConvolutionMemory.map(channels: channels, pixels: pixels, Element.self)
  }

  private func mask(_ channels: Int) -> Int {
    ConvolutionMemory.mask(channels: channels, pixels: pixels)
  }

  // MARK: - Layers

  /// As ``ResidualBlock/forward(_:networkInput:retention:reluNaN:)`` goes.
  private mutating func forward(_ layer: LayerPlan<Element>) {
    let map = map(layer.channels)
    if layer.projects { take(map) }
    for i in 0..<layer.convolutions {
      take(map)
      if layer.isFused(i) {
        take(mask(layer.channels))
        continue
      }
      if !layer.isLinear { take(map) }
      if layer.adds(i) { take(map) }
      if !layer.isLinear && !layer.keepsPreactivations { free(map) }
    }
    if layer.multiplies { take(map) }
  }

  /// As ``ResidualBlock/backward(_:_:retention:needsInput:insertion:)`` goes; the gradient of the
  /// layer's output is alive, its output no longer.
  private mutating func backward(_ layer: LayerPlan<Element>, below: LayerPlan<Element>?) {
    let map = map(layer.channels)
    if layer.multiplies {
      // da, and ds where it goes on; with bits kept for the derivative, a has served.
      take(layer.skipsFromNetworkInput ? map : 2 * map)
      if layer.isFused(layer.convolutions - 1) { free(map) }
    }
    for i in (0..<layer.convolutions).reversed() {
      let makesGradient = !layer.isFused(i) && !layer.isLinear
      if makesGradient { take(map) }
      if !layer.isFused(i) { free(layer.keepsPreactivations ? 2 * map : map) }
      let inputs = self.map(i == 0 ? layer.inputs : layer.channels)
      // What an activation's derivative still needs goes with it.
      let isLast =
        i > 0 ? layer.isFused(i - 1) : !layer.projects && below.map({ !$0.keepsOutput }) ?? false
      let needsInput = i > 0 || below != nil
      let staysLonger = needsInput && layer.keepsInput(i)
      if isLast, !staysLonger { free(inputs) }
      if needsInput {
        take(inputs)
        if isLast, staysLonger { free(inputs) }
        if i == 0, layer.addsBehind {
          take(inputs)
          free(inputs)
        }
      }
      free(layer.isFused(i) ? mask(layer.channels) : makesGradient ? map : 0)
      // Above the last convolution stands the gradient of the output, which ends with the layer.
      if i < layer.convolutions - 1 || layer.multiplies { free(map) }
    }
    if layer.projects { backwardThroughProjection(layer, below: below) }
    if layer.multiplies, !layer.skipsFromNetworkInput { free(map) }
    free(map)
  }

  private mutating func backwardThroughProjection(
    _ layer: LayerPlan<Element>, below: LayerPlan<Element>?
  ) {
    let (map, inputs) = (map(layer.channels), map(layer.inputs))
    take(map)
    if let below {
      // The gradient through the skip, and the sum of both.
      take(2 * inputs)
      free(2 * inputs)
      if !below.keepsOutput { free(inputs) }
    }
    free(2 * map)
  }
}

/// What decides the memory of a layer.
private struct LayerPlan<Element: Scalar> {
  let inputs: Int, channels: Int, convolutions: Int
  private let activation: Activation
  private let merge: Merge
  private let skip: Skip
  private let kernels: [Shape]

  init(_ layer: Layer<Element>) {
    (inputs, channels) = (layer.inputChannels, layer.outputChannels)
    activation = layer.activation
    switch layer {
    case .block(let block):
      kernels = block.convolutions.map(\.weight.shape)
      convolutions = block.options.convolutions
      (merge, skip) = (block.options.merge, block.options.skip)
    case .convolution(let plain):
      kernels = [plain.convolution.weight.shape]
      (convolutions, merge, skip) = (1, .none, .block)
    }
  }

  var isLinear: Bool { activation == .linear }
  var keepsPreactivations: Bool { activation.needsPreactivation }
  var merges: Bool { merge != .none }
  var multiplies: Bool { merge == .multiply || merge == .multiplyAdd }
  var projects: Bool { skip == .project && merges }
  var skipsFromNetworkInput: Bool { skip == .input }

  /// Whether the skip value is added to the activation of convolution `i`.
  func adds(_ i: Int) -> Bool { merge == .add && i == convolutions - 1 }

  /// Whether convolution `i` ends with its ReLU and sum, and keeps bits for the derivative.
  func isFused(_ i: Int) -> Bool {
    let joinsOneChannel = skip == .input || skip == .block && inputs != channels
    return activation == .relu && ConvolutionMemory.takesEnding(channels: channels, Element.self)
      && !(adds(i) && joinsOneChannel)
  }

  /// Whether the input of convolution `i` stays until its gradient is there.
  func keepsInput(_ i: Int) -> Bool { ConvolutionMemory.keepsInput(kernels[i], Element.self) }

  /// Whether the derivative of the last activation is computed from the layer's output.
  var keepsOutput: Bool { merge == .none && !isFused(convolutions - 1) }

  /// Whether the gradient of the skip is added to that of the input in a map of its own.
  var addsBehind: Bool {
    merges && skip == .block
      && !ConvolutionMemory.takesEnding(channels: inputs, Element.self)
  }
}
