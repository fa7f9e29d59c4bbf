import Tensors
import Testing

/// Normalizations of whole maps: bits, digits, and the way through ReLU.
struct NormalizationTests {
  /// Maps of both layouts, of one chunk and of several.
  static let shapes: [Shape] = [[2, 3, 7, 5], [3, 8, 9, 11], [2, 20, 33, 17], [2, 64, 40, 31]]

  private struct Sample {
    let x: FeatureMap<Float>, gradient: FeatureMap<Float>
    let weight: Tensor<Float>, bias: Tensor<Float>

    init(_ shape: Shape, mean: Float = 0) {
      func normals(_ shape: Shape, _ name: String) -> Tensor<Float> {
        let stream = RandomStream(seed: 9, name: name)
        return Tensor(shape: shape) { stream.fillNormals($0) }
      }
      let numbers = normals(shape, "x")
      x = FeatureMap(Tensor(shape: shape, scalars: numbers.scalars.map { $0 + mean }))
      gradient = FeatureMap(normals(shape, "gradient"))
      (weight, bias) = (normals([shape.channels], "weight"), normals([shape.channels], "bias"))
    }

    func norm(_ sharing: ChannelSharing) -> Normalization<Float> {
      Normalization(ChannelMoments(of: x, sharing), weight: weight, epsilon: 1e-5)
    }
  }

  private static func sharings(_ shape: Shape) -> [ChannelSharing] {
    [.batch, .groups(1), .groups(shape.channels)] + (shape.channels % 4 == 0 ? [.groups(4)] : [])
  }

  @Test(arguments: shapes)
  func `all instruction sets and numbers of threads give the same bits`(_ shape: Shape) {
    let sample = Sample(shape)
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    func fingerprints() -> [String] {
      Self.sharings(shape).flatMap { sharing -> [String] in
        let norm = sample.norm(sharing)
        let (n, back) = (
          norm.forward(sample.x, bias: sample.bias), norm.backward(sample.gradient, sample.x)
        )
        return [n.tensor, back.input?.tensor ?? n.tensor, back.weight, back.bias]
          .map { "\($0.fingerprint)" }
      }
    }
    Parallelism.threads = 1
    let expected = fingerprints()
    for set in InstructionSet.available {
      for threads in [1, 2, 3] {
        Parallelism.threads = threads
        let found = InstructionSet.$current.withValue(set) { fingerprints() }
        #expect(found == expected, "\(set), \(threads) threads")
      }
    }
  }

  @Test(arguments: shapes, [ReLUNaN.keep, .zero])
  func `with ReLU in one pass, results and gradients have the bits of one after the other`(
    _ shape: Shape, _ reluNaN: ReLUNaN
  ) throws {
    let sample = Sample(shape)
    for set in InstructionSet.available {
      try InstructionSet.$current.withValue(set) {
        for sharing in Self.sharings(shape) {
          let norm = sample.norm(sharing)
          let a = Activation.relu.forward(
            norm.forward(sample.x, bias: sample.bias), reluNaN: reluNaN)
          let fused = norm.rectified(
            sample.x, bias: sample.bias, reluNaN: reluNaN, keepsRecord: true)
          #expect(fused.map.tensor.scalars == a.tensor.scalars)
          let dn = Activation.relu.backward(
            FeatureMap(sample.gradient.tensor), activation: a, preactivation: nil)
          let apart = norm.backward(FeatureMap(dn.tensor), sample.x)
          let record = try #require(fused.record)
          let together = norm.backward(
            Activation.relu.backward(sample.gradient, record), sample.x)
          #expect(together.input?.tensor.scalars == apart.input?.tensor.scalars)
          #expect(together.weight.scalars == apart.weight.scalars)
          #expect(together.bias.scalars == apart.bias.scalars)
          #expect(apart.weight.scalars != norm.backward(sample.gradient, sample.x).weight.scalars)
        }
      }
    }
  }

  @Test func `a NaN before ReLU keeps or loses its way as without the norm`() throws {
    var x = Sample([1, 16, 4, 4]).x.tensor
    x.scalars[5] = .nan
    let numbers = Tensor<Float>(shape: [16], repeating: 1)
    let norm = Normalization(
      ChannelMoments(means: numbers, variances: numbers), weight: numbers, epsilon: 0)
    for reluNaN in [ReLUNaN.keep, .zero] {
      let out = norm.rectified(
        FeatureMap(x), bias: numbers, reluNaN: reluNaN, keepsRecord: false)
      #expect(out.record == nil)
      #expect(out.map.tensor.scalars[5].isNaN == (reluNaN == .keep))
    }
  }

  @Test(arguments: shapes)
  func `a mean far from zero costs no digits of the variance`(_ shape: Shape) {
    // The numbers are rounded to steps of 2⁻⁷; the oracle sees the same ones.
    let sample = Sample(shape, mean: 1e5)
    let moments = ChannelMoments(of: sample.x, .batch)
    let exact = sample.x.tensor.doubles()
    let pixels = shape.planeCount
    for c in 0..<shape.channels {
      var numbers: [Double] = []
      for n in 0..<shape.batch {
        let start = (n * shape.channels + c) * pixels
        numbers += exact.scalars[start..<start + pixels]
      }
      let count = Double(numbers.count)
      let mean: Double = numbers.reduce(0, +) / count
      let squares: [Double] = numbers.map { ($0 - mean) * ($0 - mean) }
      let variance: Double = squares.reduce(0, +) / count
      #expect(abs(moments.means[c] - mean) < 1e-9)
      #expect(abs(moments.variances[c] - variance) < 1e-10 * variance)
    }
  }

  @Test(arguments: [1, 16])
  func `a constant map becomes the bias`(channels: Int) {
    let x = FeatureMap(Tensor<Float>(shape: [2, channels, 3, 3], repeating: 0.1))
    let numbers = Tensor<Float>(shape: [channels], repeating: 0.25)
    let moments = ChannelMoments(of: x, .batch)
    #expect(moments.variances.allSatisfy { $0 == 0 })
    let n = Normalization(moments, weight: numbers, epsilon: 1e-5).forward(x, bias: numbers)
    #expect(n.tensor.scalars.allSatisfy { abs($0 - 0.25) < 1e-5 })
  }

  @Test func `a NaN reaches the numbers of its channel and no others`() {
    for channels in [2, 16] {
      var x = Tensor<Float>(shape: [2, channels, 4, 4], repeating: 1)
      for i in x.scalars.indices { x.scalars[i] = Float(i % 5) }
      x.scalars[16] = .nan
      let map = FeatureMap(x)
      let numbers = Tensor<Float>(shape: [channels], repeating: 1)
      let n = Normalization(ChannelMoments(of: map, .batch), weight: numbers, epsilon: 1e-5)
        .forward(map, bias: numbers).tensor
      for (offset, value) in n.scalars.enumerated() {
        #expect(value.isNaN == (n.shape.position(of: offset)[1] == 1))
      }
    }
  }
}
