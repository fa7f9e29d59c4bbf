import Operations
import Tensors
import TestSupport
import Testing
import Tomography

/// Every operation against central differences, and its letters and terms against its arithmetic.
struct OperationTests {
  /// An operation with operands to try it on.
  struct Sample: Sendable, CustomTestStringConvertible {
    let operation: any Operation
    let shapes: [Shape]
    /// Whether operand number `index` is a tensor, as weights are, and not a map.
    var tensors: Set<Int> = []
    /// Whether operand number `index` has no negative numbers, as variances have none.
    var positive: Set<Int> = []

    var testDescription: String { "\(operation.word) of \(shapes)" }

    /// Numbers between 0.2 and 1.2 in magnitude, so that no corner and no pole is near.
    var operands: [Tensor<Double>] {
      shapes.enumerated().map { number, shape in
        let stream = RandomStream(seed: 7, name: "operand\(number)")
        return Tensor(
          shape: shape,
          scalars: (0..<shape.count).map { i in
            let isNegative = stream.uniform(at: 2 * i + 1, in: 0...1) < 0.5
            let sign = isNegative && !positive.contains(number) ? -1.0 : 1
            return Double(Float(sign * stream.uniform(at: 2 * i, in: 0.2...1.2)))
          })
      }
    }

    func value<Element: Scalar>(_ tensor: Tensor<Element>, _ number: Int) -> Value<Element> {
      tensors.contains(number) ? .tensor(tensor) : .map(FeatureMap(tensor))
    }

    func values<Element: Scalar>(_ operands: [Tensor<Element>]) -> [Value<Element>] {
      operands.enumerated().map { value($1, $0) }
    }
  }

  static let image: Shape = [2, 3, 4, 5]

  /// Geometries of convolutions, each with the side of a kernel.
  static let geometries: [(ConvolutionGeometry, Int)] = [
    (.init(stride: 2), 3), (.init(stride: 2), 2), (.init(stride: 3), 4), (.init(dilation: 2), 3),
    (.init(groups: 2), 3), (.init(padding: .none), 3), (.init(padding: .none), 2),
    (.init(stride: 2, dilation: 2, groups: 2, padding: .none), 2), (.init(isTransposed: true), 3),
    (.init(stride: 2, padding: .none, isTransposed: true), 2),
    (.init(stride: 2, isTransposed: true), 4),
    (.init(stride: 3, dilation: 2, groups: 2, padding: .none, isTransposed: true), 2),
  ]

  /// A convolution with two channels read, or written, in each group.
  static func sample(_ geometry: ConvolutionGeometry, _ side: Int) -> Sample {
    let (inputs, outputs) = (2 * geometry.groups, 3 * geometry.groups)
    return Sample(
      operation: Convolution2D(geometry),
      shapes: [
        [2, inputs, 4, 5],
        geometry.isTransposed ? [inputs, 3, side, side] : [outputs, 2, side, side], [outputs],
      ], tensors: [1, 2])
  }

  static let samples: [Sample] =
    [
      Sample(operation: Copy(), shapes: [image]),
      Sample(operation: Sum(), shapes: [image, image]),
      Sample(operation: Difference(), shapes: [image, image]),
      Sample(operation: Negation(), shapes: [image]),
      Sample(operation: Product(), shapes: [image, image]),
      Sample(operation: Quotient(), shapes: [image, image]),
      Sample(operation: Spread(to: image), shapes: [[1, 1, 1, 1]]),
      Sample(operation: Total(), shapes: [image]),
      Sample(operation: Total(meanOf: image.count), shapes: [image]),
      Sample(operation: SmoothMagnitude(epsilon: 0.5), shapes: [image]),
      Sample(operation: SumOfPowers(.squares, dividedBy: 7), shapes: [image]),
      Sample(operation: SumOfPowers(.magnitudes, dividedBy: 7), shapes: [image]),
      Sample(operation: Convolution2D(), shapes: [image, [2, 3, 3, 3]], tensors: [1]),
      Sample(operation: Convolution2D(), shapes: [image, [2, 3, 5, 5], [2]], tensors: [1, 2]),
      Sample(operation: Convolution2D(), shapes: [image, [4, 3, 1, 1]]),
    ] + geometries.map(sample)
    + Activation.allCases.map { Sample(operation: Activate($0), shapes: [image]) } + sampling
    + norms + scans

  private static let sampling: [Sample] = [
    Sample(operation: Pool(.max, size: 2), shapes: [[2, 3, 4, 6]]),
    Sample(operation: Pool(.mean, size: 2), shapes: [[2, 9, 4, 2]]),
    Sample(operation: Upsample(.nearest, factor: 2), shapes: [image]),
    Sample(operation: Upsample(.bilinear, factor: 2), shapes: [image]),
    Sample(operation: Upsample(.bilinear, factor: 3), shapes: [[1, 9, 1, 2]]),
    Sample(operation: PixelShuffle(factor: 2), shapes: [[2, 12, 2, 3]]),
    Sample(operation: Concat(first: 3), shapes: [image, [2, 5, 4, 5]]),
    Sample(
      operation: Dense(input: [3, 4, 5]), shapes: [image, [4, 60], [4]], tensors: [1, 2]),
  ]

  private static let norms: [Sample] = [
    Sample(operation: BatchNorm(), shapes: [image, [3], [3]], tensors: [1, 2]),
    Sample(
      operation: FixedBatchNorm(), shapes: [image, [3], [3], [3], [3]], tensors: [1, 2, 3, 4],
      positive: [4]),
    Sample(operation: GroupNorm(groups: 4), shapes: [[2, 8, 2, 3], [8], [8]], tensors: [1, 2]),
    Sample(operation: RunningMean(), shapes: [[3], image], tensors: [0]),
    Sample(operation: RunningVariance(momentum: 0.3), shapes: [[3], image], tensors: [0]),
    Sample(operation: ChannelMean(.batch), shapes: [image]),
    Sample(operation: ChannelMean(.groups(4), ofSquares: true), shapes: [[2, 8, 2, 3]]),
    Sample(operation: Center(.batch), shapes: [image, [3]], tensors: [1]),
    Sample(operation: Center(.groups(2)), shapes: [[2, 8, 2, 3], [2, 2]], tensors: [1]),
    Sample(operation: InverseRoot(epsilon: 1e-3), shapes: [[3]], tensors: [0], positive: [0]),
    Sample(operation: ScaleChannels(), shapes: [image, [3], [3]], tensors: [1, 2]),
    Sample(operation: ScaleChannels(.groups(2)), shapes: [[2, 8, 2, 3], [2, 2]], tensors: [1]),
  ]

  /// A projection and a reconstruction for each beam; so much water that a unit counts.
  static var scans: [Sample] {
    ScanGeometry.Beam.allCases.flatMap { beam -> [Sample] in
      let grid = ImageGrid(rows: 5, columns: 6, rowSpacing: 1.1, columnSpacing: 1)
      guard
        let geometry = try? ScanGeometry(
          beam: beam, coverage: .short, views: 4, detectors: 7, pitch: 2, sourceToCenter: 20,
          sourceToDetector: 33)
      else { preconditionFailure("There is such a scan.") }
      let scan = SliceScan(geometry, grid, .hann, Attenuation(water: 10))
      return [
        Sample(operation: Projection(scan), shapes: [[1, 1, 5, 6]]),
        Sample(operation: Reconstruction(scan), shapes: [[1, 1, 4, 7]]),
      ]
    }
  }

  @Test(arguments: samples)
  func `a pullback is what central differences give`(_ sample: Sample) throws {
    let operands = sample.operands
    let values = sample.values(operands)
    let result = sample.operation.forward(values)
    let gradient = Self.gradient(of: result)
    // Large results round more.
    let tolerance = 2e-7 + 5e-10 * result.tensor.largestMagnitude()
    for (number, operand) in operands.enumerated() where sample.operation.hasPullback(to: number) {
      let pulled = sample.operation.pullback(
        gradient, to: number, OperationValues(operands: values, result: result)
      ).tensor
      #expect(pulled.shape == operand.shape)
      for place in 0..<operand.shape.count {
        func weighted(_ shift: Double) -> Double {
          var moved = operands
          moved[number].scalars[place] += shift
          return zip(
            sample.operation.forward(sample.values(moved)).tensor.scalars, gradient.tensor.scalars
          ).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let h = 1e-5
        let difference = (weighted(h) - weighted(-h)) / (2 * h)
        #expect(
          abs(pulled.scalars[place] - difference) < tolerance, "operand \(number) at \(place)")
      }
    }
  }

  @Test(arguments: samples)
  func `the terms of an element sum to it, forward and backward`(_ sample: Sample) throws {
    let operands = sample.operands.map { $0.floats() }
    let values = sample.values(operands)
    let result = sample.operation.forward(values)
    let gradient = Self.gradient(of: result)
    let grids = OperationGrids(
      operands: operands.enumerated().map { NamedGrid(name: "u\($0)", .tensor($1)) },
      result: Self.grid("v", result))
    func expectSum(_ terms: TermList, _ stored: Float, _ place: [Int]) {
      let sum = (0..<terms.count).reduce(0) { $0 + terms.product($1) }
      #expect(abs(sum - Double(stored)) < 2e-5 * max(1, abs(sum)), "\(place)")
      for i in 0..<min(3, terms.count) {
        let product = terms.term(i).factors.reduce(1) { $0 * $1.value }
        #expect(abs(product - terms.product(i)) < 1e-9, "term \(i) at \(place)")
      }
    }
    let shape = grids.result.shape
    for offset in 0..<shape.count {
      let place = shape.position(of: offset)
      expectSum(
        sample.operation.terms(at: place, grids), result.tensor.scalars[offset], place)
    }
    for number in operands.indices where sample.operation.hasPullback(to: number) {
      let pulled = sample.operation.pullback(
        gradient, to: number, OperationValues(operands: values, result: result)
      ).tensor
      for offset in 0..<pulled.shape.count {
        let place = pulled.shape.position(of: offset)
        expectSum(
          sample.operation.pullbackTerms(
            at: place, to: number, Self.grid("v.grad", gradient), grids),
          pulled.scalars[offset], place)
      }
    }
  }

  @Test(arguments: samples)
  func `letters name all operands, and every value that a pullback reads`(_ sample: Sample) {
    let names = OperationNames(operands: sample.shapes.indices.map { "u\($0)" }, result: "v")
    let formula = sample.operation.formula(names)
    for name in names.operands { #expect(formula.contains(name)) }
    for number in sample.shapes.indices where sample.operation.hasPullback(to: number) {
      let pulled = sample.operation.pullbackFormula("v.grad", to: number, names)
      #expect(pulled.text.contains("v.grad"))
      for name in pulled.reads where !(sample.operation is Activate) {
        #expect(pulled.text.contains(name))
      }
    }
  }

  @Test(arguments: samples)
  func `a pullback reads no values but those that its letters name`(_ sample: Sample) {
    let values = sample.values(sample.operands)
    let result = sample.operation.forward(values)
    let gradient = Self.gradient(of: result)
    let names = OperationNames(operands: values.indices.map { "u\($0)" }, result: "v")
    for number in values.indices where sample.operation.hasPullback(to: number) {
      // A kernel among typed numbers is a map, but never let go of.
      if sample.operation is Convolution2D && !sample.tensors.contains(1) { continue }
      let reads = sample.operation.pullbackFormula("v.grad", to: number, names).reads
      func kept(_ name: String, _ value: Value<Double>) -> Value<Double> {
        if case .tensor = value { return value }
        return reads.contains(name) ? value : .released(value.shape)
      }
      let pulled = sample.operation.pullback(
        gradient, to: number,
        OperationValues(
          operands: zip(names.operands, values).map { kept($0, $1) }, result: kept("v", result)))
      let whole = sample.operation.pullback(
        gradient, to: number, OperationValues(operands: values, result: result))
      #expect(pulled.tensor.scalars == whole.tensor.scalars)
    }
  }

  @Test(arguments: samples)
  func `the shape of the result is known before it is computed`(_ sample: Sample) throws {
    let result = sample.operation.forward(sample.values(sample.operands))
    let shape = try sample.operation.resultShape(sample.shapes)
    #expect(shape.asImage == result.tensor.shape.asImage)
  }

  @Test func `one channel that serves several gets the sum over them`() {
    let values = OperationValues<Double>(
      operands: [.map(FeatureMap(shape: [1, 1, 2, 2], number: 3))],
      result: .map(FeatureMap(shape: [1, 1, 2, 2], number: 3)))
    let gradient = Value<Double>.map(FeatureMap(shape: [1, 4, 2, 2], number: 0.5))
    let pulled = Broadcast().pullback(gradient, to: 0, values).tensor
    #expect(pulled.scalars == [2, 2, 2, 2])
    let grids = OperationGrids(
      operands: [NamedGrid(image: "s", pulled.floats())],
      result: NamedGrid(image: "s", pulled.floats()))
    let terms = Broadcast().pullbackTerms(
      at: [0, 0, 1, 1], to: 0, NamedGrid(image: "g", gradient.tensor.floats()), grids)
    #expect(terms.count == 4 && (0..<4).allSatisfy { terms.product($0) == 0.5 })
  }

  @Test func `operands that do not fit are refused with a cure`() {
    for (operation, shapes) in [
      (Sum() as any Operation, [[2, 2], [3, 3]] as [Shape]), (Product(), [[2], [3]]),
      (Convolution2D(), [[4, 4], [2, 2]]), (Convolution2D(), [[1, 3, 4, 4], [1, 2, 3, 3]]),
      (Convolution2D(), [[4, 4], [3, 5]]),
      (Convolution2D(.init(groups: 3)), [[1, 4, 4, 4], [3, 1, 3, 3]]),
      (Convolution2D(.init(groups: 2)), [[1, 4, 4, 4], [3, 2, 3, 3]]),
      (Convolution2D(.init(groups: 2)), [[1, 4, 4, 4], [4, 4, 3, 3]]),
      (Convolution2D(.init(padding: .none)), [[1, 1, 4, 4], [1, 1, 5, 5]]),
      (Convolution2D(.init(dilation: 2, padding: .none)), [[1, 1, 4, 4], [1, 1, 3, 3]]),
      (Convolution2D(.init(stride: 2)), [[1, 1, 1, 4], [1, 1, 2, 2]]),
      (Convolution2D(.init(isTransposed: true)), [[1, 3, 4, 4], [2, 3, 3, 3]]),
      (Convolution2D(.init(isTransposed: true)), [[1, 2, 4, 4], [2, 3, 2, 2]]),
      (Pool(.max, size: 2), [[1, 3, 4, 5]]), (Pool(.mean, size: 4), [[2, 8]]),
      (PixelShuffle(factor: 2), [[1, 6, 4, 4]]), (Concat(first: 1), [[4, 4], [4, 5]]),
      (BatchNorm(), [[1, 3, 1, 1], [3], [3]]), (BatchNorm(), [[2, 3, 4, 4], [3], [2]]),
      (FixedBatchNorm(), [[2, 3, 4, 4], [3], [3], [3], [2]]),
      (GroupNorm(groups: 2), [[2, 3, 4, 4], [3], [3]]), (RunningMean(), [[2], [2, 3, 4, 4]]),
      (Dense(input: [1, 4, 4]), [[2, 1, 4, 5], [3, 16]]),
    ] {
      let error = #expect(throws: OperationError.self) { try operation.resultShape(shapes) }
      #expect(error?.message.isEmpty == false && error?.hint.isEmpty == false)
    }
  }

  @Test func `what keeps a convolution from fitting is told in its own words`() {
    func message(_ geometry: ConvolutionGeometry, _ shapes: [Shape]) -> String? {
      #expect(throws: OperationError.self) {
        try Convolution2D(geometry).resultShape(shapes)
      }.map { "\($0.message): \($0.hint)" }
    }
    #expect(
      message(.init(groups: 3), [[1, 8, 4, 4], [3, 1, 3, 3]])
        == "8 channels of the image cannot be divided into 3 groups: groups divide the channels that "
        + "are read and those that are written: 1, 2, 4, 8")
    #expect(
      message(.init(dilation: 2, padding: .none), [[1, 1, 4, 9], [1, 1, 3, 3]])
        == "the image [1,1,4,9] is too small for a kernel of side 3, which spans 5 rows with "
        + "dilation=2, without zeros around it: give images of at least 5×5, or pad=same")
    #expect(
      message(.init(stride: 2), [[1, 1, 1, 4], [1, 1, 2, 2]])
        == "the image [1,1,1,4] is too small for a kernel of side 2 and stride=2: "
        + "give images of at least 2×2")
  }

  @Test func `formulas tell what is not plain, and nothing else`() {
    let names = OperationNames(operands: ["x", "w", "b"], result: "z", areLetters: true)
    func letters(_ geometry: ConvolutionGeometry) -> [String] {
      let operation = Convolution2D(geometry)
      return [operation.formula(names)]
        + (0..<3).map { operation.pullbackFormula("z.grad", to: $0, names).text }
    }
    #expect(letters(.plain) == ["w ∗ x + b", "wᵀ ∗ z.grad", "z.grad ⋆ x", "Σ z.grad"])
    #expect(
      letters(.init(stride: 2, dilation: 3, groups: 4, padding: .none))[0]
        == "w ∗[stride=2 dilation=3 groups=4 pad=none] x + b")
    #expect(
      letters(.init(stride: 2, isTransposed: true)) == [
        "wᵀ ∗[stride=2] x + b", "w ∗[stride=2] z.grad", "x ⋆[stride=2] z.grad", "Σ z.grad",
      ])
  }

  @Test func `a refused size names those that fit`() throws {
    let error = #expect(throws: OperationError.self) {
      try Pool(.max, size: 4).resultShape([[1, 8, 126, 128]])
    }
    #expect(error?.hint == "a height of 124 or 128 fits")
    let groups = #expect(throws: OperationError.self) {
      try GroupNorm(groups: 4).resultShape([[1, 6, 8, 8], [6], [6]])
    }
    #expect(groups?.hint == "groups of 6 channels: 1, 2, 3, 6")
  }

  /// A gradient of the result that is not the same everywhere.
  private static func gradient<Element: Scalar>(of result: Value<Element>) -> Value<Element> {
    func numbers(_ shape: Shape) -> Tensor<Element> {
      Tensor(
        shape: shape, scalars: (0..<shape.count).map { Element(0.3 + 0.1 * Double($0 % 7)) })
    }
    return switch result {
    case .map(let map): .map(FeatureMap(numbers(map.shape)))
    case .tensor(let tensor): .tensor(numbers(tensor.shape))
    case .number, .released: .number(0.75)
    }
  }

  /// A value with a name: maps with all axes, tensors with their own.
  private static func grid(_ name: String, _ value: Value<Float>) -> NamedGrid {
    if case .tensor = value {
      NamedGrid(name: name, value)
    } else {
      NamedGrid(image: name, value.tensor)
    }
  }
}
