import Networks
import Tensors

/// The memory of a pass of which every value is kept, followed from map to map.
///
/// Nothing is let go but what stands between two values with names.
struct InspectionMemory<Element: Scalar> {
  private let pixels: Int
  private var kept = 0
  /// The most that one operation takes beside what is kept then.
  private var peak = 0

  /// The most bytes of maps that are alive at once; `joins` tells how links join each layer.
  static func maps(of layers: [Layer<Element>], pixels: Int, joins: [LinkJoin?]) -> Int {
    var memory = InspectionMemory(pixels: pixels)
    // Input, target and mask as tensors and as maps, the error, its gradient, that of the input.
    memory.keep(9 * memory.map(1))
    let plans = layers.map(LayerPlan.init)
    for plan in plans { memory.forward(plan) }
    for (plan, join) in zip(plans, joins).reversed() { memory.backward(plan, join) }
    return memory.peak
  }

  private init(pixels: Int) { self.pixels = pixels }

  private func map(_ channels: Int) -> Int {
    ConvolutionMemory.map(channels: channels, pixels: pixels, Element.self)
  }

  /// Takes memory that stays, beside some that does not.
  private mutating func keep(_ bytes: Int, beside passing: Int = 0) {
    kept += bytes
    peak = max(peak, kept + passing)
  }

  private mutating func forward(_ layer: LayerPlan<Element>) {
    let map = map(layer.channels)
    if layer.projects { keep(map, beside: layer.activatesProjection ? map : 0) }
    for _ in 0..<layer.convolutions { keep(layer.isLinear ? map : 2 * map) }
    if layer.merges { keep(map) }
  }

  private mutating func backward(_ layer: LayerPlan<Element>, _ join: LinkJoin?) {
    let (map, inputs) = (map(layer.channels), map(layer.inputs))
    if let join {
      // The sum of the links and, beside it, the scaled sum.
      let passing = (join.sources.count > 1 ? 2 : 1) * map
      keep(join.isBehindDerivative ? 0 : map, beside: passing)
    }
    // G·s, and G·a before it is summed over channels.
    if layer.multiplies { keep(2 * map) }
    if layer.sharesSkip {
      keep(self.map(1))
      if layer.multiplies { kept -= map }
    }
    for i in (0..<layer.convolutions).reversed() {
      let isJoined = i == layer.convolutions - 1 && join?.isBehindDerivative ?? false
      keep(layer.isLinear && !isJoined ? 0 : map, beside: isJoined ? 2 * map : 0)
      keep(i == 0 ? inputs : map, beside: i == 0 && layer.addsBehind ? inputs : 0)
    }
    // The gradient through the projection, and the sum that takes the place of the other.
    if layer.projects { keep(0, beside: (layer.activatesProjection ? map : 0) + 2 * inputs) }
  }
}
