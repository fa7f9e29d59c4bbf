import Tensors
import TestSupport
import Testing

/// A case of `Tests/Fixtures/geometries`, with PyTorch's results.
struct GeometryCase: CustomStringConvertible {
  private struct Record: Decodable {
    let stride: Int, dilation: Int, groups: Int
    let padding: String, transposed: Bool
    let input: [Int], weight: [Int], bias: Bool, output: [Int]
  }

  let geometry: ConvolutionGeometry
  private let x: Tensor<Double>, w: Tensor<Double>, b: Tensor<Double>?, gradient: Tensor<Double>
  private let output: Tensor<Double>, dx: Tensor<Double>, dw: Tensor<Double>, db: Tensor<Double>?

  var description: String { "\(geometry) \(x.shape) \(w.shape)" }

  static func all() throws -> [GeometryCase] {
    let folder = Fixture("geometries")
    let records = try folder.json("cases.json", as: [Record].self)
    var rest = try folder.tensor("results").scalars[...]
    return try records.enumerated().map { number, record in
      func next(_ shape: Shape) -> Tensor<Double> {
        defer { rest = rest.dropFirst(shape.count) }
        return Tensor(shape: shape, scalars: rest.prefix(shape.count).map { $0 / 256 })
      }
      let (x, w, z) = (Shape(record.input), Shape(record.weight), Shape(record.output))
      let padding = try #require(ConvolutionGeometry.Padding(rawValue: record.padding))
      let bias: Shape? = record.bias ? [z.channels] : nil
      return GeometryCase(
        geometry: ConvolutionGeometry(
          stride: record.stride, dilation: record.dilation, groups: record.groups,
          padding: padding, isTransposed: record.transposed),
        x: numbers(4 * number, x), w: numbers(4 * number + 1, w),
        b: bias.map { numbers(4 * number + 2, $0) }, gradient: numbers(4 * number + 3, z),
        output: next(z), dx: next(x), dw: next(w), db: bias.map(next))
    }
  }

  /// The operand with this salt: see `making/geometries.py`.
  private static func numbers(_ salt: Int, _ shape: Shape) -> Tensor<Double> {
    Tensor(
      shape: shape,
      scalars: (0..<shape.count).map { i in
        var h = UInt32(truncatingIfNeeded: (i + 1) * 2_654_435_761 + salt * 40503)
        h = (h ^ h >> 16) &* 2_246_822_519
        return (Double(h >> 27) - 16) / 16
      })
  }

  func check<Element: Scalar>(
    within tolerance: Double, _ convert: (Tensor<Double>) -> Tensor<Element>
  ) {
    let (x, dz, kernel) = (FeatureMap(convert(x)), FeatureMap(convert(gradient)), convert(w))
    #expect(geometry.outputShape(of: x.shape, kernel: w.shape) == output.shape, "\(self)")
    let z = Convolution.forward(x, kernel: kernel, bias: b.map(convert), geometry: geometry)
    expectClose(z.tensor, output, within: tolerance, "\(self) output")
    #expect(!z.foundNonFinite)
    expectClose(
      Convolution.inputGradient(dz, kernel: kernel, geometry: geometry, inputShape: x.shape).tensor,
      dx, within: tolerance, "\(self) input gradient")
    let parameters = Convolution.parameterGradients(
      x, dz, kernelShape: w.shape, geometry: geometry, hasBias: db != nil)
    expectClose(parameters.kernel, dw, within: tolerance, "\(self) kernel gradient")
    if let found = parameters.bias, let db {
      expectClose(found, db, within: tolerance, "\(self) bias gradient")
    }
  }
}

extension ConvolutionGeometry {
  /// Geometries of all kinds.
  static let samples: [ConvolutionGeometry] = [1, 2, 3].flatMap { stride in
    [1, 2, 3].flatMap { dilation in
      Padding.allCases.flatMap { padding in
        [false, true].map {
          ConvolutionGeometry(
            stride: stride, dilation: dilation, padding: padding, isTransposed: $0)
        }
      }
    }
  }
}

/// One convolution of random operands that is large enough for several strips, bands and threads.
struct GeometryPass: CustomStringConvertible {
  let geometry: ConvolutionGeometry
  let x: Tensor<Double>, w: Tensor<Double>, b: Tensor<Double>, gradient: Tensor<Double>
  var description: String { "\(geometry) \(x.shape) \(w.shape)" }

  init(
    _ geometry: ConvolutionGeometry, _ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int,
    _ kernel: Int, images: Int = 1
  ) {
    func numbers(_ name: String, _ shape: Shape) -> Tensor<Double> {
      let stream = RandomStream(seed: 9, name: name)
      return Tensor<Float>(shape: shape) { stream.fillNormals($0) }.doubles()
    }
    let groups = geometry.groups
    self.geometry = geometry
    x = numbers("x", [images, inputs, height, width])
    w = numbers(
      "w",
      geometry.isTransposed
        ? [inputs, outputs / groups, kernel, kernel] : [outputs, inputs / groups, kernel, kernel])
    b = numbers("b", [outputs])
    gradient = numbers(
      "g",
      [
        images, outputs, geometry.outputExtent(of: height, kernel: kernel) ?? 0,
        geometry.outputExtent(of: width, kernel: kernel) ?? 0,
      ])
  }

  static let large: [GeometryPass] = [
    .init(.init(stride: 2), 3, 16, 71, 50, 3),
    .init(.init(stride: 2), 16, 12, 66, 70, 4, images: 2),
    .init(.init(stride: 2), 8, 16, 64, 30, 2), .init(.init(stride: 3, groups: 2), 4, 6, 100, 67, 5),
    .init(.init(dilation: 2), 16, 16, 37, 41, 3), .init(.init(dilation: 3), 8, 3, 40, 35, 5),
    .init(.init(dilation: 4), 2, 3, 33, 90, 3, images: 2),
    .init(.init(groups: 4), 32, 64, 31, 29, 3),
    .init(.init(groups: 2), 32, 32, 30, 53, 3, images: 2),
    .init(.init(groups: 3, isTransposed: true), 24, 48, 29, 33, 3),
    .init(.init(groups: 4), 8, 4, 31, 60, 3), .init(.init(groups: 16), 16, 16, 20, 60, 3),
    .init(.init(padding: .none), 16, 32, 21, 26, 5, images: 2),
    .init(.init(padding: .none), 40, 24, 26, 31, 5), .init(.init(padding: .none), 16, 16, 5, 6, 5),
    .init(.init(padding: .none, isTransposed: true), 17, 20, 30, 33, 5),
    .init(.init(isTransposed: true), 24, 16, 30, 33, 5),
    .init(.init(padding: .none, isTransposed: true), 16, 16, 1, 2, 5),
    .init(.init(padding: .none), 24, 16, 31, 35, 5), .init(.init(padding: .none), 1, 16, 31, 35, 7),
    .init(.init(padding: .none), 16, 1, 40, 35, 3), .init(.init(padding: .none), 5, 3, 30, 41, 2),
    .init(.init(padding: .none, isTransposed: true), 24, 16, 31, 35, 5),
    .init(.init(padding: .none, isTransposed: true), 16, 1, 30, 33, 3),
    .init(.init(isTransposed: true), 8, 16, 30, 33, 3),
    .init(.init(stride: 2, padding: .none, isTransposed: true), 16, 8, 40, 30, 2),
    .init(.init(stride: 2, isTransposed: true), 12, 2, 35, 40, 4, images: 2),
    .init(.init(stride: 2, groups: 2, isTransposed: true), 6, 4, 45, 40, 3),
    .init(.init(stride: 3, dilation: 2, padding: .none, isTransposed: true), 4, 8, 30, 21, 3),
    .init(.init(stride: 2, dilation: 2, groups: 2), 16, 16, 50, 41, 3),
  ]

  struct Result {
    let name: String
    let tensor: Tensor<Double>
  }

  func results<Element: Scalar>(_ convert: (Tensor<Double>) -> Tensor<Element>) -> [Result] {
    let (x, dz, w) = (FeatureMap(convert(x)), FeatureMap(convert(gradient)), convert(w))
    let z = Convolution.forward(x, kernel: w, bias: convert(b), geometry: geometry)
    let dx = Convolution.inputGradient(dz, kernel: w, geometry: geometry, inputShape: x.shape)
    let parameters = Convolution.parameterGradients(
      x, dz, kernelShape: w.shape, geometry: geometry, hasBias: true)
    return [
      Result(name: "output", tensor: z.tensor.doubles()),
      Result(name: "input", tensor: dx.tensor.doubles()),
      Result(name: "kernel", tensor: parameters.kernel.doubles()),
      Result(name: "bias", tensor: (parameters.bias ?? parameters.kernel).doubles()),
    ]
  }

  /// The same, term by term: weight [o,c,u,v] joins place y of the smaller image with place
  /// s·y + d·u − p of the larger one.
  var definition: [Tensor<Double>] {
    let isTransposed = geometry.isTransposed
    let (large, small) = isTransposed ? (gradient.shape, x.shape) : (x.shape, gradient.shape)
    var z = Tensor<Double>(shape: gradient.shape, repeating: 0)
    var (dx, dw) = (
      Tensor<Double>(shape: x.shape, repeating: 0), Tensor<Double>(shape: w.shape, repeating: 0)
    )
    var db = Tensor<Double>(shape: b.shape, repeating: 0)
    let (perGroup, side) = (w.shape[0] / geometry.groups, w.shape[2])
    let zeros = geometry.zeros(kernel: side)
    let (stride, dilation, perKernel) = (geometry.stride, geometry.dilation, w.shape[1])
    let (rows, columns, channels) = (small.height, small.width, small.channels)
    let (largeRows, largeColumns, largeChannels) = (large.height, large.width, large.channels)
    for n in 0..<large.batch {
      for tap in 0..<w.shape.count {
        let index = w.shape.position(of: tap)
        let (smallChannel, u, v) = (index[0], index[2], index[3])
        let channel = smallChannel / perGroup * perKernel + index[1]
        let weight = w.scalars[tap]
        var sum = 0.0
        for y in 0..<rows {
          let row = stride * y + dilation * u - zeros
          guard row >= 0, row < largeRows else { continue }
          for column in 0..<columns {
            let across = stride * column + dilation * v - zeros
            guard across >= 0, across < largeColumns else { continue }
            let inSmall = ((n * channels + smallChannel) * rows + y) * columns + column
            let inLarge = ((n * largeChannels + channel) * largeRows + row) * largeColumns + across
            let (inX, inZ) = isTransposed ? (inSmall, inLarge) : (inLarge, inSmall)
            z.scalars[inZ] += x.scalars[inX] * weight
            dx.scalars[inX] += gradient.scalars[inZ] * weight
            sum += gradient.scalars[inZ] * x.scalars[inX]
          }
        }
        dw.scalars[tap] += sum
      }
    }
    let (pixels, outputs) = (z.shape.planeCount, z.shape.channels)
    for offset in 0..<z.shape.count {
      let channel = offset / pixels % outputs
      z.scalars[offset] += b.scalars[channel]
      db.scalars[channel] += gradient.scalars[offset]
    }
    return [z, dx, dw, db]
  }
}
