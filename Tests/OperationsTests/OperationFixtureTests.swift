import Operations
import Tensors
import TestSupport
import Testing

/// Operations and their gradients against PyTorch in double precision.
struct OperationFixtureTests {
  /// One application of an operation, as `making/operations.py` wrote it.
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let operation: String
    var number: Int?
    var epsilon: Double?
    var momentum: Double?
    let names: [String]
    let shapes: [[Int]]

    var testDescription: String { name }

    /// The tensors of the case by name.
    func tensors() throws -> [String: Tensor<Double>] {
      let all = try Fixture("operations").tensor(name).scalars
      var (result, start): ([String: Tensor<Double>], Int) = ([:], 0)
      for (name, extents) in zip(names, shapes) {
        let shape = Shape(extents)
        result[name] = Tensor(
          shape: shape, scalars: Array(all[start..<start + shape.count]))
        start += shape.count
      }
      return result
    }

    /// The operation; nil for a case that is none.
    var applied: (any Operation)? {
      let (number, epsilon) = (number ?? 1, epsilon ?? 0)
      return switch operation {
      case "max-pool": Pool(.max, size: number)
      case "mean-pool": Pool(.mean, size: number)
      case "nearest-up": Upsample(.nearest, factor: number)
      case "bilinear-up": Upsample(.bilinear, factor: number)
      case "shuffle": PixelShuffle(factor: number)
      case "concat": Concat(first: number)
      case "batch-norm": BatchNorm(epsilon: epsilon)
      case "fixed-batch-norm": FixedBatchNorm(epsilon: epsilon)
      case "group-norm": GroupNorm(groups: number, epsilon: epsilon)
      case "dense": Dense(input: Shape(Array(shapes[0].dropFirst())))
      default: nil
      }
    }
  }

  static let all = (try? Fixture("operations").json("cases.json", as: [Case].self)) ?? []
  static let cases = all.filter { $0.applied != nil }

  @Test func `there are as many cases as were written`() {
    #expect(Self.cases.count == 76)
    #expect(Self.all.count == 78)
  }

  @Test(arguments: cases)
  func `results and gradients equal PyTorch's in Double`(_ sample: Case) throws {
    try check(sample, within: 1e-10) { $0 }
  }

  @Test(arguments: cases)
  func `results and gradients equal PyTorch's in Float`(_ sample: Case) throws {
    try check(sample, within: 2e-5) { $0.floats() }
  }

  private func check<Element: Scalar>(
    _ sample: Case, within tolerance: Double, _ convert: (Tensor<Double>) -> Tensor<Element>
  ) throws {
    let tensors = try sample.tensors()
    let operation = try #require(sample.applied)
    let operands: [Value<Element>] = tensors.keys.filter {
      $0.hasPrefix("u") && !$0.hasSuffix(".grad")
    }.sorted().compactMap { tensors[$0] }.map { tensor in
      tensor.shape.rank == 4 ? .map(FeatureMap(convert(tensor))) : .tensor(convert(tensor))
    }
    let result = operation.forward(operands)
    #expect(try operation.resultShape(operands.map(\.shape)) == result.shape)
    let expected = try #require(tensors["v"])
    #expect(result.shape == expected.shape)
    expectClose(result.tensor, expected, within: tolerance, "v")
    let gradient = Value.map(FeatureMap(convert(try #require(tensors["v.grad"]))))
    let values = OperationValues(operands: operands, result: result)
    let wanted = operands.indices.filter(operation.hasPullback(to:))
    let together = operation.pullbacks(gradient, to: wanted, values)
    for (number, pulled) in zip(wanted, together) {
      let expected = try #require(tensors["u\(number).grad"])
      #expect(pulled.shape == expected.shape)
      expectClose(pulled.tensor, expected, within: tolerance, "u\(number).grad")
      // One alone has the same bits.
      let alone = operation.pullback(gradient, to: number, values).tensor
      #expect(alone.scalars == pulled.tensor.scalars)
    }
  }

  @Test(arguments: cases)
  func `the parts of an operation give its result and its gradients`(_ sample: Case) throws {
    let operation = try #require(sample.applied)
    let tensors = try sample.tensors()
    let operands: [Value<Double>] = (0..<5).compactMap { tensors["u\($0)"] }.map {
      $0.shape.rank == 4 ? .map(FeatureMap($0)) : .tensor($0)
    }
    guard let parts = operation.parts(operands: operands.count, pixels: 1) else { return }
    var values = operands
    func places(_ part: OperationPart) -> [Int] {
      part.sources.map { source in
        switch source {
        case .operand(let number): number
        case .part(let number): operands.count + number
        }
      }
    }
    for part in parts {
      let result = part.operation.forward(places(part).map { values[$0] })
      let shape = try part.operation.resultShape(places(part).map { values[$0].shape })
      #expect(shape == result.shape)
      values.append(result)
    }
    expectClose(values[values.count - 1].tensor, try #require(tensors["v"]), within: 1e-10)
    var gradients = [Value<Double>?](repeating: nil, count: values.count)
    gradients[values.count - 1] = .map(FeatureMap(try #require(tensors["v.grad"])))
    for (number, part) in parts.enumerated().reversed() {
      let place = operands.count + number
      guard let gradient = gradients[place] else { continue }
      let application = OperationValues(
        operands: places(part).map { values[$0] }, result: values[place])
      for (operand, source) in places(part).enumerated() {
        let share = part.operation.pullback(gradient, to: operand, application)
        gradients[source] = gradients[source]?.adding(share) ?? share
      }
    }
    for number in operands.indices where operation.hasPullback(to: number) {
      let found = try #require(gradients[number])
      expectClose(
        found.tensor, try #require(tensors["u\(number).grad"]), within: 1e-10, "u\(number).grad")
    }
  }

  @Test(arguments: all.filter { $0.operation == "running" })
  func `running statistics of ten batches equal PyTorch's`(_ sample: Case) throws {
    let tensors = try sample.tensors()
    let momentum = try #require(sample.momentum)
    let channels = try #require(tensors["mean"]).shape
    func check<Element: Scalar>(
      _ tolerance: Double, _ convert: (Tensor<Double>) -> Tensor<Element>
    ) throws {
      var mean = Value<Element>.tensor(Tensor(shape: channels, repeating: 0))
      var variance = Value<Element>.tensor(Tensor(shape: channels, repeating: 1))
      for step in 0..<10 {
        let x = Value.map(FeatureMap(convert(try #require(tensors["x\(step)"]))))
        mean = RunningMean(momentum: momentum).forward([mean, x])
        variance = RunningVariance(momentum: momentum).forward([variance, x])
      }
      expectClose(mean.tensor, try #require(tensors["mean"]), within: tolerance, "mean")
      expectClose(
        variance.tensor, try #require(tensors["variance"]), within: tolerance, "variance")
    }
    try check(1e-12) { $0 }
    try check(1e-6) { $0.floats() }
  }
}
