import Networks
import Tensors

/// The memory of a training step layer by layer, followed from map to map.
///
/// The forward pass adds what each layer keeps. The backward pass lets go of it layer by layer, and
/// the gradients use its memory; so the most is needed near the last layer. Bits are counted for each
/// fused ReLU, also where the convolution that reads its activation sees to the derivative: 1/32 of a map.
struct TrainingMemory<Element: Scalar> {
  /// Pixels of all images of a batch.
  private let pixels: Int
  private var live = 0
  private var peak = 0

  /// The bytes of what links still read, by the place of the layer that passed it on.
  private var linked: [Int: Int] = [:]
  /// Of these, the one that the next layer is fed with, too.
  private var linkedIncoming: Int?

  /// The most bytes of maps that are alive at once while a network of `layers` makes a step.
  ///
  /// - Parameters:
  ///   - layers: The layers.
  ///   - pixels: Those of all images of a batch.
  ///   - joins: How links join each layer; none under a flow that has no links.
  /// - Returns: The bytes, about.
  static func maps(of layers: [any Layer<Element>], pixels: Int, joins: [LinkJoin?]) -> Int {
    var memory = TrainingMemory(pixels: pixels)
    // Input, target and mask as tensors and as maps, the error and its gradient.
    memory.take(8 * memory.map(1))
    for layer in layers { memory.forward(layer) }
    if let last = layers.last { memory.take(memory.map(last.outputChannels)) }
    for (index, layer) in layers.enumerated().reversed() {
      let insertion = memory.join(joins[index], channels: layer.outputChannels)
      // What links still read outlives the layer that it is fed to.
      memory.release(unreadBy: joins[..<index])
      if let plan = layer.memoryPlan {
        memory.backward(
          plan, below: index > 0 ? layers[index - 1] : nil, insertion: insertion)
      } else {
        memory.backward(layer, insertion: insertion)
      }
      if joins[..<index].contains(where: { $0?.sources.contains(index) ?? false }) {
        memory.linked[index] = memory.map(layer.inputChannels)
        memory.linkedIncoming = index
      }
    }
    return memory.peak
  }

  /// Forms what links add to the gradient of a layer; gives back the bytes that wait for dz.
  private mutating func join(_ join: LinkJoin?, channels: Int) -> Int {
    guard let join else { return 0 }
    let map = map(channels)
    // Of more than one source, a sum; beside it the scaled sum.
    let parts = min(join.sources.count - 1, 2)
    take(max(parts, (parts > 0 ? 1 : 0) + 1) * map)
    free((max(parts, (parts > 0 ? 1 : 0) + 1) - 1) * map)
    guard !join.isBehindDerivative else { return map }
    // The new sum; then the scaled one goes, and the old one if no link reads it.
    take(map)
    free(linkedIncoming == nil ? 2 * map : map)
    linkedIncoming = nil
    return 0
  }

  private mutating func release(unreadBy rest: ArraySlice<LinkJoin?>) {
    for (place, bytes) in linked
    where !rest.contains(where: { $0?.sources.contains(place) ?? false }) {
      linked[place] = nil
      if linkedIncoming == place { linkedIncoming = nil } else { free(bytes) }
    }
  }

  /// The bytes that the forward pass keeps of `layer` until its backward pass.
  static func kept(of layer: any Layer<Element>, pixels: Int) -> Int {
    var memory = TrainingMemory(pixels: pixels)
    memory.forward(layer)
    return memory.live
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

  private mutating func forward(_ layer: any Layer<Element>) {
    if let plan = layer.memoryPlan { forward(plan) } else { take(values(of: layer)) }
  }

  /// The bytes of all values of a layer that trains through its operations.
  private func values(of layer: any Layer<Element>) -> Int {
    PassMemory(layer.program(reluNaN: .keep), pixels: pixels).values(ofLayer: 0)
  }

  /// Goes back through a layer's operations, of which every value and gradient is kept meanwhile.
  private mutating func backward(_ layer: any Layer<Element>, insertion: Int) {
    let values = values(of: layer)
    let all = PassMemory(layer.program(reluNaN: .keep), pixels: pixels).plain(layer: 0)
    take(max(0, all - values))
    free(max(values, all) + insertion - map(layer.inputChannels))
    if linkedIncoming == nil { free(map(layer.outputChannels)) }
    linkedIncoming = nil
  }

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
  ///
  /// `insertion` is the size in bytes of the term that a flow adds behind the last derivative.
  private mutating func backward(
    _ layer: LayerPlan<Element>, below: (any Layer<Element>)?, insertion: Int
  ) {
    let map = map(layer.channels)
    if layer.multiplies {
      // ds where it goes on; with bits kept for the derivative, a has served.
      if !layer.skipsFromNetworkInput { take(map) }
      if layer.isFused(layer.convolutions - 1) { free(map) }
    }
    for i in (0..<layer.convolutions).reversed() {
      let isLastOfAll = i == layer.convolutions - 1
      let isPulledBack = layer.isPulledBack(i) && !(insertion > 0 && isLastOfAll)
      // dz is a map where the engine does not form it on its way; s is multiplied to it.
      let makesGradient =
        !isPulledBack
        && (layer.multiplies && isLastOfAll || !layer.isFused(i) && !layer.isLinear)
      if makesGradient { take(map) }
      if insertion > 0, i == layer.convolutions - 1 {
        // The sum with dz takes the place of dz, or its own where dz is no map.
        take(map)
        if makesGradient { free(map) }
      }
      let record = layer.isFused(i) ? 0 : layer.keepsPreactivations ? 2 * map : map
      if !isPulledBack { free(record) }
      let inputs = self.map(i == 0 ? layer.inputs : layer.channels)
      // What an activation's derivative still needs goes with it.
      let isLast =
        i > 0 ? layer.isFused(i - 1) : !layer.projects && below.map(handsOn) ?? false
      let needsInput = i > 0 || below != nil
      let staysLonger = needsInput && (layer.keepsInput(i) || isPulledBack)
      if isLast, !staysLonger { free(inputs) }
      if needsInput {
        take(inputs)
        if isLast, staysLonger { free(inputs) }
        if i == 0, layer.addsBehind {
          take(inputs)
          free(inputs)
        }
      }
      free(layer.isFused(i) ? mask(layer.channels) : isPulledBack ? record : 0)
      if makesGradient { free(map) }
      // Above the last convolution stands the gradient of the output, which ends with the layer.
      if !isLastOfAll { free(map) }
    }
    if layer.projects { backwardThroughProjection(layer, below: below) }
    if layer.multiplies, !layer.skipsFromNetworkInput { free(map) }
    if insertion > 0 {
      let last = layer.convolutions - 1
      free(insertion + (!layer.isFused(last) && !layer.isLinear ? 0 : map))
    }
    if linkedIncoming == nil { free(map) }
    linkedIncoming = nil
  }

  /// Whether nothing but the layer above keeps the layer's output.
  private func handsOn(_ layer: any Layer<Element>) -> Bool {
    layer.memoryPlan.map { !$0.keepsOutput } ?? false
  }

  private mutating func backwardThroughProjection(
    _ layer: LayerPlan<Element>, below: (any Layer<Element>)?
  ) {
    let (map, inputs) = (map(layer.channels), map(layer.inputs))
    take(map)
    if let below {
      // The gradient through the skip, and the sum of both.
      take(2 * inputs)
      free(2 * inputs)
      if handsOn(below) { free(inputs) }
    }
    free(2 * map)
  }
}
