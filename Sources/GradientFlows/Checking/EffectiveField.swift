// The effective receptive field: how much each pixel of the network's input moves one pixel of a layer.
//
//     f(y, x) = mean over images of | ∂ Σ_c v[c, y₀, x₀] / ∂in[y, x] |        (y₀, x₀) in the middle
//
// The theoretical field is the square of pixels from which any way leads to that pixel. Few ways lead from its
// borders and many from its middle, so that f falls off like a bell whose width grows with the root of the
// depth only; a skip keeps it narrow, training widens it. As in the paper, a pixel belongs to the effective
// field if it moves the value at least 4.55 % as much as the pixel that moves it most, the part of a normal
// distribution that lies two deviations from its middle. Layers behave as in judging.
//
// Source: Luo, Li, Urtasun and Zemel, "Understanding the effective receptive field in deep convolutional
// neural networks" (2016).

package import Networks
import Operations
package import Tensors

/// The mean size of the gradient of a layer's middle pixel by each pixel of the network's input.
package struct EffectiveField: Sendable {
  /// The part of the largest gradient that a pixel of the field has at least.
  package static let threshold = 0.0455
  /// f, `[1, 1, H, W]`, each number ≥ 0.
  package let gradients: Tensor<Float>
  /// The number of pixels of the effective field.
  package let pixels: Int

  /// The side of a square with as many pixels as the effective field.
  package var side: Double { Double(pixels).squareRoot() }

  /// The row and column of the input at which the layer's middle pixel lies.
  private let middle: (row: Int, column: Int)

  /// Returns the rows and columns of a square of `side` around the middle, within the image.
  package func square(side: Int) -> (rows: ClosedRange<Int>, columns: ClosedRange<Int>) {
    func range(_ middle: Int, _ extent: Int) -> ClosedRange<Int> {
      max(0, middle - side / 2)...min(extent - 1, middle + side / 2)
    }
    return (
      range(middle.row, gradients.shape.height), range(middle.column, gradients.shape.width)
    )
  }

  /// Measures the field of a layer.
  ///
  /// - Parameters:
  ///   - index: The number of the layer.
  ///   - network: The network; images of the size of `inputs` must fit it.
  ///   - inputs: Images in network range, `[N, 1, H, W]`, at least one.
  package init(ofLayer index: Int, in network: Network<Float>, inputs: Tensor<Float>) {
    let images = (0..<inputs.shape.batch).map { image in
      Self.gradient(ofLayer: index, in: network, inputs.image(image))
    }
    var sum = [Float](repeating: 0, count: inputs.shape.planeCount)
    for image in images {
      for place in sum.indices { sum[place] += abs(image.scalars[place]) }
    }
    let share = 1 / Float(inputs.shape.batch)
    // Fast convolutions leave rounding where no way leads.
    let rounding = 1e-6 * (sum.max() ?? 0)
    gradients = Tensor(
      shape: [1, 1, inputs.shape.height, inputs.shape.width],
      scalars: sum.map { $0 > rounding ? $0 * share : 0 })
    let scale = network.receptiveFields[index].scaling.value
    func place(_ extent: Int) -> Int { Int(Double(Int(Double(extent) * scale) / 2) / scale) }
    middle = (place(inputs.shape.height), place(inputs.shape.width))
    let least = Self.threshold * Double(gradients.scalars.max() ?? 0)
    pixels = gradients.scalars.count { $0 > 0 && Double($0) >= least }
  }

  /// Returns the gradient of the layer's middle pixel by the input, `[1, 1, H, W]`.
  private static func gradient(
    ofLayer index: Int, in network: Network<Float>, _ image: Tensor<Float>
  ) -> Tensor<Float> {
    let names = network.plan(PassKey(mode: .judging)).program
    let place = names.layers[index].output
    let key = PassKey(mode: .judging, watched: [names.input, place])
    var execution = Execution(network.plan(key))
    execution.giveTensors()
    execution.give(.map(FeatureMap(image)), at: names.input)
    execution.forward(0..<place + 1)
    guard let output = execution.value(at: place)?.map else {
      preconditionFailure("A layer has an output.")
    }
    let shape = output.shape
    var seed = [Float](repeating: 0, count: shape.count)
    let middle = shape.height / 2 * shape.width + shape.width / 2
    for channel in 0..<shape.channels { seed[channel * shape.planeCount + middle] = 1 }
    execution.backward(
      0..<place + 1, seed: .map(FeatureMap(Tensor(shape: shape, scalars: seed))),
      keeping: [names.input])
    return execution.gradient(at: names.input)?.tensor
      ?? Tensor(shape: image.shape, scalars: [Float](repeating: 0, count: image.shape.count))
  }
}
