import Networks
import Synchronization
import Tensors

/// An estimate of the time of a training step, from convolutions timed on this machine.
enum StepEstimate {
  /// The cost of a step in forward passes: the gradients of the input and of the weights take one
  /// each.
  private static let passes = 3.0
  /// Limits for a timed convolution: its operations, and its pixels on a side.
  private static let operations = 30_000_000
  private static let side = 128

  private static let known = Mutex<[ConvolutionSize: Double]>([:])

  /// Seconds for a step of `sizes` on so many pixels of a batch.
  static func seconds(_ sizes: [ConvolutionSize], pixels: Int) -> Double {
    passes * Double(pixels) * sizes.reduce(0) { $0 + secondsPerPixel($1) }
  }

  /// Seconds for a pixel of a forward pass; each size is timed once.
  private static func secondsPerPixel(_ size: ConvolutionSize) -> Double {
    if let seconds = known.withLock({ $0[size] }) { return seconds }
    let seconds = measure(size)
    known.withLock { $0[size] = seconds }
    return seconds
  }

  private static func measure(_ size: ConvolutionSize) -> Double {
    let pixels = operations / size.operationsPerPixel
    // A convolution too large to be timed between two keys is estimated from the rate of a smaller
    // one.
    guard pixels >= 256 else {
      let smaller = ConvolutionSize(inputs: 32, outputs: 32, kernel: 3, hasBias: true)
      return secondsPerPixel(smaller) * Double(size.operationsPerPixel)
        / Double(smaller.operationsPerPixel)
    }
    let side = min(side, Int(Double(pixels).squareRoot()))
    let kernel = Tensor<Float>(
      shape: [size.outputs, size.inputs / size.groups, size.kernel, size.kernel], repeating: 0.01)
    let bias = size.hasBias ? Tensor<Float>(shape: [size.outputs], repeating: 0) : nil
    let geometry = ConvolutionGeometry(groups: size.groups)
    let input = FeatureMap(Tensor<Float>(shape: [1, size.inputs, side, side], repeating: 1))
    // The first call fills caches and is not timed.
    _ = Convolution.forward(input, kernel: kernel, bias: bias, geometry: geometry)
    let start = ContinuousClock.now
    _ = Convolution.forward(input, kernel: kernel, bias: bias, geometry: geometry)
    return (ContinuousClock.now - start) / .seconds(1) / Double(side * side)
  }
}
