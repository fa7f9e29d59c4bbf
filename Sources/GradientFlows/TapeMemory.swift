package import Networks
package import Tensors

/// The memory of a pass on a tape, which keeps every value until it was read backwards.
struct TapeMemory<Element: Scalar> {
  private let pixels: Int
  private var kept = 0
  private var peak = 0

  /// The most bytes of maps that are alive at once; with `keepsAll`, gradients stay, too.
  static func maps(of layers: [Layer<Element>], pixels: Int, keepsAll: Bool) -> Int {
    var memory = TapeMemory(pixels: pixels)
    // Input, target and mask as tensors and as maps, the output, the error, and their gradients.
    memory.take(8 * memory.map(1))
    let plans = layers.map(LayerPlan.init)
    for plan in plans { memory.forward(plan) }
    for plan in plans.reversed() { memory.backward(plan, keepsAll: keepsAll) }
    return memory.peak
  }

  /// The bytes that the forward pass writes for `layer`.
  static func kept(of layer: Layer<Element>, pixels: Int) -> Int {
    var memory = TapeMemory(pixels: pixels)
    memory.forward(LayerPlan(layer))
    return memory.kept
  }

  private init(pixels: Int) { self.pixels = pixels }

  private func map(_ channels: Int) -> Int {
    ConvolutionMemory.map(channels: channels, pixels: pixels, Element.self)
  }

  private mutating func take(_ bytes: Int) {
    kept += bytes
    peak = max(peak, kept)
  }

  private mutating func forward(_ layer: LayerPlan<Element>) {
    let map = map(layer.channels)
    if layer.projects { take(layer.activatesProjection ? 2 * map : map) }
    take(layer.convolutions * (layer.isLinear ? map : 2 * map))
    if layer.merges { take(layer.multipliesAndAdds ? 2 * map : map) }
  }

  /// As a reading of the tape goes; the gradient of the layer's output is alive already.
  private mutating func backward(_ layer: LayerPlan<Element>, keepsAll: Bool) {
    let (map, inputs) = (map(layer.channels), map(layer.inputs))
    /// Lets go of what was read for the last time, if nobody is to look at it.
    func release(_ bytes: Int) { if !keepsAll { kept -= bytes } }
    // The way of the skip to the network's input is taken only for inspection.
    let goesBySkip = layer.merges && (keepsAll || !layer.skipsFromNetworkInput)
    // Of a product, the gradients of both factors; of a sum, the same map serves both ways.
    if layer.multiplies {
      take(goesBySkip ? 2 * map : map)
      if goesBySkip && layer.multipliesAndAdds {
        // The two arrivals at the skip give way to their sum.
        take(map)
        kept -= map
      }
      release(map)
    }
    // What the skip passes on until the other way arrives where it leads.
    var waiting = goesBySkip ? map : 0
    let ownsActivation = layer.multiplies || !goesBySkip
    if layer.sharesSkip && goesBySkip {
      take(self.map(1))
      if layer.multiplies { release(map) }
      waiting = ownsActivation ? self.map(1) : map + self.map(1)
    }
    if layer.projects {
      take((layer.activatesProjection ? map : 0) + inputs)
      release((layer.activatesProjection ? map : 0) + (ownsActivation ? map : 0))
      waiting = ownsActivation ? inputs : map + inputs
    }
    for i in (0..<layer.convolutions).reversed() {
      let isFree = i < layer.convolutions - 1 || ownsActivation
      if !layer.isLinear {
        take(map)
        if isFree { release(map) }
      }
      take(i == 0 ? inputs : map)
      if !layer.isLinear || isFree { release(map) }
    }
    if layer.skipMeetsInput {
      // The sum takes the place of what arrived.
      take(inputs)
      kept -= keepsAll && layer.projects ? 2 * inputs : inputs
    }
    // The gradient of the input alone goes on.
    release(waiting)
  }
}

extension TapeFlow {
  package func mapBytes<Element: Scalar>(
    of network: Network<Element>, pixels: Int, retention: Retention
  ) -> Int {
    TapeMemory.maps(
      of: network.layers, pixels: pixels,
      keepsAll: network.layers.indices.contains { retention.ofLayer($0) == .everything })
  }
}
