import Foundation
import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// Flows that are no gradient, or only a part of one, against PyTorch: `Tests/Fixtures/ways`.
struct WaysBackTests {
  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    let lines: [String]
    let size: [Int]
    let flow: String
    let decay: Double
    let rate: Double
    let losses: [Double]
    let gradients: [String: [Double]]
    /// The shapes of the flow's own tensors, in the order in which they were made.
    let own: [String: [Int]]
    let after: [Double]
    let ownAfter: [Double]

    var testDescription: String { "\(flow): " + lines.joined(separator: "; ") }
  }

  static let cases = (try? Fixture("ways").json("cases.json", as: [Case].self)) ?? []

  @Test func `there are at least 30 networks for each way`() {
    let counts = Dictionary(grouping: Self.cases, by: \.flow).mapValues(\.count)
    #expect(counts.count >= 9)
    #expect(counts.values.allSatisfy { $0 >= 30 })
    // Some of several scales for each.
    let scaled = Set(Self.cases.filter { $0.lines.contains("pool mean") }.map(\.flow))
    #expect(scaled.count == counts.count)
  }

  /// The flow that a line names.
  static func flow(_ line: String) throws -> any GradientFlow {
    let words = line.split(separator: " ")
    let values = Dictionary(
      uniqueKeysWithValues: words.dropFirst().map { word in
        let parts = word.split(separator: "=").map(String.init)
        return (parts[0], parts[1])
      })
    switch words[0] {
    case "feedback":
      var flow = FeedbackFlow()
      flow.signs = try #require(FeedbackFlow.Signs(rawValue: values["signs"] ?? ""))
      flow.mirrors = values["mirror"] == "yes"
      return flow
    case "direct": return DirectFlow()
    case "local": return LocalFlow()
    case "synthetic": return SyntheticFlow(kernel: 3, predictorRate: 0.05)
    default: return TruncatedFlow(depth: try #require(Int(values["depth"] ?? "")))
    }
  }

  @Test(arguments: cases)
  func `gradients, and weights after ten steps, equal PyTorch's`(_ expected: Case) throws {
    try check(
      expected, try Network<Float>(lines: expected.lines).doubles, within: 1e-10, later: 1e-10)
  }

  @Test(arguments: cases)
  func `in Float gradients, and weights after ten steps, equal them within 1e-5`(
    _ expected: Case
  ) throws {
    try check(expected, try Network<Float>(lines: expected.lines), within: 1e-5, later: 1e-5)
  }

  /// Trains a network with the fixture's numbers for ten steps of SGD and compares what comes of it.
  private func check<Element: Scalar>(
    _ expected: Case, _ network: Network<Element>, within allowed: Double, later: Double
  ) throws {
    let flow = try Self.flow(expected.flow)
    var (pass, kernels) = try Self.pass(expected, flow, network)
    #expect(Set(kernels.keys) == Set(expected.own.keys))
    let names = pass.network.parameterNames
    for step in 0..<expected.losses.count {
      let result = pass.run(flow, retention: .training)
      let loss = expected.losses[step]
      let error = abs(result.loss - loss) / max(1, abs(loss))
      #expect(error <= (step == 0 ? allowed : later), "loss of step \(step)")
      if step == 0 {
        #expect(Set(names) == Set(expected.gradients.keys))
        for (name, gradient) in zip(names, result.parameterGradients) {
          Self.expect(
            [gradient], try #require(expected.gradients[name]), name, within: allowed)
        }
      }
      func stepped(_ tensor: Tensor<Element>, _ gradient: Tensor<Element>) -> Tensor<Element> {
        Tensor(
          shape: tensor.shape,
          scalars: zip(tensor.scalars, gradient.scalars).map {
            $0 - Element(expected.rate) * ($1 + Element(expected.decay) * $0)
          })
      }
      for item in flow.tensors(for: pass.network, step: step) {
        let gradient: Tensor<Element>? =
          switch item.learning {
          case .fixed: nil
          case .own: result.flowGradients[item.name]
          case .with(let parameter):
            names.firstIndex(of: parameter).map { result.parameterGradients[$0] }
          }
        kernels[item.name] = gradient.map { stepped(item.tensor, $0) } ?? kernels[item.name]
      }
      var network = pass.network
      network.parameters = zip(network.parameters, result.parameterGradients).map(stepped)
      network.flowState = FlowState(flow: flow.line, tensors: kernels)
      pass = TrainingPass(
        network: network, input: pass.input, target: pass.target, loss: pass.loss, step: step + 1)
    }
    Self.expect(pass.network.parameters, expected.after, "weights", within: later)
    // What is drawn for every step is that of the next one.
    let own = Self.order(flow, pass.network).map { name in
      Self.isRedrawn(flow)
        ? flow.tensors(for: pass.network, step: pass.step).first { $0.name == name }?.tensor
        : kernels[name]
    }
    Self.expect(own.compactMap(\.self), expected.ownAfter, "kernels", within: later)
  }

  private static func isRedrawn(_ flow: any GradientFlow) -> Bool {
    (flow as? FeedbackFlow)?.signs == .redrawn
  }

  /// The names of a flow's own tensors in the order in which PyTorch made them: predictors from the last on.
  private static func order<Element: Scalar>(
    _ flow: any GradientFlow, _ network: Network<Element>
  ) -> [String] {
    let names = flow.tensors(for: network, step: 0).map(\.name)
    guard flow is SyntheticFlow else { return names }
    return stride(from: names.count - 2, through: 0, by: -2).flatMap { [names[$0], names[$0 + 1]] }
  }

  /// The pass of a case, and the flow's own tensors with the fixture's numbers.
  private static func pass<Element: Scalar>(
    _ expected: Case, _ flow: any GradientFlow, _ network: Network<Element>
  ) throws -> (TrainingPass<Element>, [String: Tensor<Element>]) {
    func numbers(_ shape: Shape, _ j: Int, _ scale: Double, shift: Double = 0) -> Tensor<Element> {
      let exact = NetworkShapeTests.numbers(shape, j, scale, shift: shift)
      return Tensor(shape: shape, scalars: exact.scalars.map { Element($0) })
    }
    var network = network
    try flow.requireFit(network)
    network.parameters = zip(network.parameterNames, network.parameters).enumerated().map {
      index, entry in
      numbers(entry.1.shape, index + 1, 0.3, shift: entry.0.hasSuffix("norm.weight") ? 1 : 0)
    }
    let shapes = Dictionary(
      uniqueKeysWithValues: flow.tensors(for: network, step: 0).map { ($0.name, $0.tensor.shape) })
    let kernels = Dictionary(
      uniqueKeysWithValues: order(flow, network).enumerated().map { index, name in
        (name, numbers(shapes[name] ?? [], 200 + index, 0.3))
      })
    network.flowState = FlowState(flow: flow.line, tensors: kernels)
    let shape: Shape = [expected.size[0], 1, expected.size[1], expected.size[2]]
    let pass = TrainingPass(
      network: network, input: numbers(shape, 91, 1), target: numbers(shape, 57, 0.5),
      loss: .meanSquaredError)
    return (pass, kernels)
  }

  private static func expect<Element: Scalar>(
    _ found: [Tensor<Element>], _ wanted: [Double], _ name: String, within allowed: Double
  ) {
    let scalars = found.flatMap { $0.doubles().scalars }
    NetworkShapeTests.expect(
      Tensor(shape: [scalars.count], scalars: scalars), wanted, name, within: allowed)
  }

  // MARK: - Fused and alone

  static let flows: [any GradientFlow] = {
    var (fixed, redrawn, mirror) = (FeedbackFlow(), FeedbackFlow(seed: 3), FeedbackFlow())
    (fixed.signs, redrawn.signs, mirror.mirrors) = (.fixed, .redrawn, true)
    return [
      FeedbackFlow(), fixed, redrawn, mirror, DirectFlow(), LocalFlow(), SyntheticFlow(),
      TruncatedFlow(depth: 1),
      TruncatedFlow(depth: 2), CheckpointedFlow(), CheckpointedFlow(every: 1),
    ]
  }()

  @Test(arguments: flows.map(\.line), FusionTests.networks)
  func `a fused step has the bits of separate operations`(_ line: String, _ lines: [String]) throws
  {
    let flow = try #require(Self.flows.first { $0.line == line })
    let pass = try Self.pass(lines)
    let fused = pass.run(flow, retention: .training)
    let separate = pass.run(flow, retention: .everything)
    #expect(fused.loss == separate.loss)
    #expect(fused.loss == pass.run(StandardFlow(), retention: .training).loss)
    for (name, (a, b)) in zip(
      pass.network.parameterNames, zip(fused.parameterGradients, separate.parameterGradients))
    {
      #expect(a.scalars == b.scalars, "\(name)")
    }
    // A layer alone.
    let layer = pass.network.layers.count / 2
    let watched = pass.run(flow, retention: .layer(layer))
    let prefix = pass.network.layerNames[layer] + "."
    for name in pass.network.parameterNames where name.hasPrefix(prefix) {
      #expect(watched.gradient(name)?.scalars == separate.gradient(name)?.scalars, "\(name)")
    }
  }

  private static func pass(_ lines: [String]) throws -> TrainingPass<Float> {
    let network = try Network(lines: lines)
    let stream = RandomStream(seed: 2, name: "fusion")
    let input = Tensor<Float>(shape: [2, 1, 11, 14]) { stream.fillNormals($0) }
    let target = Tensor<Float>(shape: input.shape) { stream.fillNormals($0, from: 1 << 30) }
    return TrainingPass(network: network, input: input, target: target, loss: .meanSquaredError)
  }

  @Test(arguments: flows.map(\.line))
  func `one, two and three threads give the same bits`(_ line: String) throws {
    let flow = try #require(Self.flows.first { $0.line == line })
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    for lines in [FusionTests.networks[0], FusionTests.networks[2]] {
      let pass = try Self.pass(lines)
      let found = [1, 2, 3].map { threads in
        Parallelism.threads = threads
        let result = pass.run(flow, retention: .training)
        let own = result.flowGradients.sorted { $0.key < $1.key }.map(\.value)
        return (result.parameterGradients + own).map(\.fingerprint)
      }
      #expect(Set(found).count == 1, "\(lines)")
    }
  }

  // MARK: - Checkpointed

  @Test(
    arguments: NetworkShapeTests.cases.enumerated().filter { $0.offset % 5 == 0 }.map(\.element))
  func `checkpointed has the bits of standard in networks of any shape`(
    _ shape: NetworkShapeTests.Case
  ) throws {
    let pass = try NetworkShapeTests.pass(shape)
    let standard = pass.run(StandardFlow(), retention: .training)
    for flow in [CheckpointedFlow(), CheckpointedFlow(every: 1), CheckpointedFlow(every: 2)] {
      let found = pass.run(flow, retention: .training)
      #expect(found.loss == standard.loss)
      #expect(
        found.parameterGradients.map(\.fingerprint)
          == standard.parameterGradients.map(\.fingerprint))
      #expect(found.buffers.map(\.fingerprint) == standard.buffers.map(\.fingerprint))
    }
  }

  @Test func `checkpointed halves the memory of sixteen blocks, as the standard flow keeps it`()
    throws
  {
    let network = try Network<Float>(
      lines: ["conv channels=16 act=relu"]
        + Array(repeating: "block channels=16 convs=2", count: 16) + ["conv"])
    let size = BatchSize(batch: 1, height: 128, width: 128)
    func bytes(_ flow: some GradientFlow) -> Int {
      flow.mapBytes(of: network, size, retention: .training)
    }
    let standard = bytes(StandardFlow())
    #expect(bytes(CheckpointedFlow()) * 2 <= standard)
    #expect(bytes(CheckpointedFlow(every: 16)) == standard)
    #expect(bytes(TruncatedFlow(depth: 2)) * 4 <= standard)
  }

  // MARK: - Kernels

  @Test func `redrawn kernels have the weights' signs and other magnitudes in every step`() throws {
    let network = try Network<Float>(lines: FusionTests.networks[0])
    var flow = FeedbackFlow(seed: 4)
    flow.signs = .redrawn
    let (first, second) = (
      flow.tensors(for: network, step: 0), flow.tensors(for: network, step: 1)
    )
    #expect(first.count == 4)
    for (a, b) in zip(first, second) {
      let weight = try #require(
        network.parameterNames.firstIndex { "\($0).feedback" == a.name })
      let w = network.parameters[weight].scalars
      #expect(zip(a.tensor.scalars, w).allSatisfy { $0 * $1 > 0 })
      #expect(zip(b.tensor.scalars, w).allSatisfy { $0 * $1 > 0 })
      #expect(a.tensor.scalars != b.tensor.scalars)
    }
    #expect(
      flow.tensors(for: network, step: 1).map(\.tensor.fingerprint)
        == second.map(\.tensor.fingerprint))
  }

  @Test func `images without a whole factor are refused by direct feedback, with the way out`()
    throws
  {
    let network = try Network<Float>(
      lines: [
        "conv channels=4 pad=none", "conv channels=4 kernel=3 transpose=yes pad=none", "conv",
      ])
    let error = #expect(throws: NetworkError.self) { try DirectFlow().requireFit(network) }
    #expect(
      error?.message.contains("the images of c1 have 62 rows where the output has 64") == true)
    #expect(error?.hint.contains("flow feedback") == true)
    try FeedbackFlow().requireFit(network)
    try SyntheticFlow().requireFit(network)
    let smaller = try Network<Float>(
      lines: ["conv channels=4 stride=2", "block channels=4", "block channels=4", "up", "conv"])
    try DirectFlow().requireFit(smaller)
    try LocalFlow().requireFit(smaller)
  }

  // MARK: - Forward

  struct SlopeCase: Decodable, CustomTestStringConvertible, Sendable {
    let lines: [String]
    let size: [Int]
    let slope: Double

    var testDescription: String { lines.joined(separator: "; ") }
  }

  static let slopes = (try? Fixture("ways").json("slopes.json", as: [SlopeCase].self)) ?? []

  @Test func `there are at least 60 slopes`() { #expect(Self.slopes.count >= 60) }

  @Test(arguments: slopes)
  func `the slope along a direction equals that of PyTorch's forward mode`(
    _ expected: SlopeCase
  ) throws {
    let pass = try Self.pass(expected.lines, size: expected.size)
    let direction = pass.network.parameters.enumerated().map {
      NetworkShapeTests.numbers($1.shape, 301 + $0, 0.3)
    }
    let slope = ForwardPass(pass).slope(along: direction)
    #expect(abs(slope - expected.slope) <= 1e-10 * max(1, abs(expected.slope)))
    // The standard gradient gives the same by a scalar product.
    let gradients = pass.run(StandardFlow(), retention: .training).parameterGradients
    let product = zip(gradients, direction).reduce(0) { sum, pair in
      zip(pair.0.scalars, pair.1.scalars).reduce(sum) { $0 + $1.0 * $1.1 }
    }
    #expect(abs(slope - product) <= 1e-9 * max(1, abs(product)))
  }

  /// A pass in which all numbers come from the formula of the fixtures.
  static func pass(_ lines: [String], size: [Int]) throws -> TrainingPass<Double> {
    var network = try Network<Float>(lines: lines).doubles
    network.parameters = zip(network.parameterNames, network.parameters).enumerated().map {
      index, entry in
      NetworkShapeTests.numbers(
        entry.1.shape, index + 1, 0.3, shift: entry.0.hasSuffix("norm.weight") ? 1 : 0)
    }
    let shape: Shape = [size[0], 1, size[1], size[2]]
    return TrainingPass(
      network: network, input: NetworkShapeTests.numbers(shape, 91, 1),
      target: NetworkShapeTests.numbers(shape, 57, 0.5), loss: .meanSquaredError)
  }

  @Test func `forward is the gradient on average, and 1/√P of it in one direction`() throws {
    let network = try Network<Float>(lines: ["block channels=2 act=tanh", "conv"]).doubles
    let count = Double(network.parameterCount)
    let shape: Shape = [1, 1, 5, 5]
    func pass(_ step: Int) -> TrainingPass<Double> {
      TrainingPass(
        network: network, input: NetworkShapeTests.numbers(shape, 91, 1),
        target: NetworkShapeTests.numbers(shape, 57, 0.5), loss: .meanSquaredError, step: step)
    }
    let truth = pass(0).run(StandardFlow(), retention: .training).parameterGradients.flatMap(
      \.scalars)
    let flow = ForwardFlow(seed: 7)
    var (sums, squares, cosines) = (
      [Double](repeating: 0, count: truth.count), [Double](repeating: 0, count: truth.count), 0.0
    )
    let size = truth.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let draws = 2000
    for step in 0..<draws {
      let found = pass(step).run(flow, retention: .training).parameterGradients.flatMap(\.scalars)
      var (dot, norm) = (0.0, 0.0)
      for (place, g) in found.enumerated() {
        sums[place] += g
        squares[place] += g * g
        dot += g * truth[place]
        norm += g * g
      }
      cosines += dot / (norm.squareRoot() * size)
    }
    let n = Double(draws)
    // Of many numbers some lie beyond three standard errors by chance; none beyond five.
    var beyond = 0
    for (place, g) in truth.enumerated() {
      let mean = sums[place] / n
      let error = ((squares[place] / n - mean * mean) / n).squareRoot()
      if abs(mean - g) > 3 * error { beyond += 1 }
      #expect(abs(mean - g) <= 5 * error)
    }
    #expect(beyond <= 1 + truth.count / 100)
    // E |cos| of a random direction is √(2/πP), and slope·v always points the gradient's way.
    let expected = (2 / (.pi * count)).squareRoot()
    #expect(abs(cosines / n - expected) < 0.1 * expected)
  }
}
