import Operations
import Tensors
import TestSupport
import Testing

/// Every operation against central differences, and its letters and terms against its arithmetic.
struct OperationTests {
  /// An operation with operands to try it on.
  struct Sample: Sendable, CustomTestStringConvertible {
    let operation: any Operation
    let shapes: [Shape]
    /// Whether operand number `index` is a tensor, as weights are, and not a map.
    var tensors: Set<Int> = []

    var testDescription: String { "\(operation.word) of \(shapes)" }

    /// Numbers between 0.2 and 1.2 in magnitude, so that no corner and no pole is near.
    var operands: [Tensor<Double>] {
      shapes.enumerated().map { number, shape in
        let stream = RandomStream(seed: 7, name: "operand\(number)")
        return Tensor(
          shape: shape,
          scalars: (0..<shape.count).map { i in
            let sign = stream.uniform(at: 2 * i + 1, in: 0...1) < 0.5 ? -1.0 : 1
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
      Sample(operation: SumOfPowers(.squares, dividedBy: 7), shapes: [image]),
      Sample(operation: SumOfPowers(.magnitudes, dividedBy: 7), shapes: [image]),
      Sample(operation: Convolution2D(), shapes: [image, [2, 3, 3, 3]], tensors: [1]),
      Sample(operation: Convolution2D(), shapes: [image, [2, 3, 5, 5], [2]], tensors: [1, 2]),
      Sample(operation: Convolution2D(), shapes: [image, [4, 3, 1, 1]]),
    ] + Activation.allCases.map { Sample(operation: Activate($0), shapes: [image]) }

  @Test(arguments: samples)
  func `a pullback is what central differences give`(_ sample: Sample) throws {
    let operands = sample.operands
    let values = sample.values(operands)
    let result = sample.operation.forward(values)
    let gradient = Self.gradient(of: result)
    for (number, operand) in operands.enumerated() {
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
        #expect(abs(pulled.scalars[place] - difference) < 1e-7, "operand \(number) at \(place)")
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
      result: NamedGrid(image: "v", result.tensor))
    func expectSum(_ terms: TermList, _ stored: Float, _ place: [Int]) {
      let sum = (0..<terms.count).reduce(0) { $0 + terms.product($1) }
      #expect(abs(sum - Double(stored)) < 2e-5 * max(1, abs(sum)), "\(place)")
      for i in 0..<min(3, terms.count) {
        let product = terms.term(i).factors.reduce(1) { $0 * $1.value }
        #expect(abs(product - terms.product(i)) < 1e-9, "term \(i) at \(place)")
      }
    }
    let shape = result.tensor.shape.asImage
    for offset in 0..<shape.count {
      let place = shape.position(of: offset)
      expectSum(
        sample.operation.terms(at: place, grids), result.tensor.scalars[offset], place)
    }
    for number in operands.indices {
      let pulled = sample.operation.pullback(
        gradient, to: number, OperationValues(operands: values, result: result)
      ).tensor
      for offset in 0..<pulled.shape.count {
        let place = pulled.shape.position(of: offset)
        expectSum(
          sample.operation.pullbackTerms(
            at: place, to: number, NamedGrid(image: "v.grad", gradient.tensor), grids),
          pulled.scalars[offset], place)
      }
    }
  }

  @Test(arguments: samples)
  func `letters name all operands, and every value that a pullback reads`(_ sample: Sample) {
    let names = OperationNames(operands: sample.shapes.indices.map { "u\($0)" }, result: "v")
    let formula = sample.operation.formula(names)
    for name in names.operands { #expect(formula.contains(name)) }
    for number in sample.shapes.indices {
      let pulled = sample.operation.pullbackFormula("v.grad", to: number, names)
      #expect(pulled.text.contains("v.grad"))
      for name in pulled.reads where !(sample.operation is Activate) {
        #expect(pulled.text.contains(name))
      }
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
    ] {
      let error = #expect(throws: OperationError.self) { try operation.resultShape(shapes) }
      #expect(error?.message.isEmpty == false && error?.hint.isEmpty == false)
    }
  }

  /// A gradient of the result that is not the same everywhere.
  private static func gradient<Element: Scalar>(of result: Value<Element>) -> Value<Element> {
    guard case .map(let map) = result else { return .number(0.75) }
    return .map(
      FeatureMap(
        Tensor(
          shape: map.shape,
          scalars: (0..<map.shape.count).map { Element(0.3 + 0.1 * Double($0 % 7)) })))
  }
}
