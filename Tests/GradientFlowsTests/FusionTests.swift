import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// Training fuses operations that the stepper computes one by one.
struct FusionTests {
  static let networks: [[String]] = [
    ["conv channels=16 act=relu", "block channels=16 convs=2", "block channels=16", "conv"],
    ["conv channels=8 act=relu", "block channels=8 convs=3", "conv act=relu", "output subtract"],
    ["block channels=12 kernel=5 skip=project", "block channels=12 merge=multiply", "conv"],
    ["block channels=20 skip=input", "block channels=16 merge=none kernel=7", "conv kernel=5"],
    ["conv channels=16 act=tanh", "block channels=16 merge=multiply-add act=arctan", "conv"],
    ["block channels=4 convs=2", "block channels=4 act=sigmoid", "conv channels=24", "conv"],
    ["block channels=24 act=elu convs=2 bias=no", "block channels=24 act=leaky-relu", "conv"],
    [
      "conv channels=16 act=relu", "conv channels=16 act=relu kernel=5",
      "conv channels=16 act=relu", "block channels=16 skip=project",
      "block channels=16 merge=none convs=2", "block channels=16 merge=multiply",
      "conv channels=8 act=relu", "block channels=8 skip=input convs=2", "conv",
    ],
    [
      "block channels=3 kernel=13 act=sigmoid merge=multiply skip=input",
      "block channels=5 act=arctan merge=multiply-add skip=input convs=2",
      "block channels=7 act=relu merge=multiply skip=input", "block channels=7 act=relu",
      "block channels=7 act=leaky-relu merge=multiply", "conv act=elu",
    ],
    [
      "conv channels=16 act=relu", "conv channels=16 kernel=1", "join c1",
      "conv channels=16 act=relu", "conv channels=16 kernel=1", "join j1", "conv channels=16",
      "join j1 how=multiply", "block channels=16 act=linear", "join net.in how=multiply-add",
      "conv",
    ],
    [
      "conv channels=3 kernel=5", "join net.in", "conv channels=3 act=tanh", "join j1 act=elu",
      "conv channels=3 bias=no", "join c1 how=multiply", "conv",
    ],
  ]

  /// Networks with normalizations, of which ReLU follows some.
  static let normalized: [[String]] = [
    [
      "conv channels=16 act=relu norm=batch", "conv channels=16 act=relu norm=group:4",
      "block channels=16 convs=2 act=relu norm=batch", "conv channels=8 act=relu norm=batch",
      "join c1 how=concat", "conv channels=16 act=relu kernel=5 norm=batch", "conv",
    ],
    [
      "conv channels=5 act=relu norm=batch", "conv channels=5 act=relu norm=group:5",
      "conv channels=24 act=tanh norm=batch", "conv channels=24 act=relu norm=group:3 groups=4",
      "block channels=24 act=relu norm=batch merge=multiply", "conv norm=batch act=relu",
    ],
  ]

  @Test(arguments: [ReLUNaN.keep, .zero], [1, 3, 5, 13])
  func `planes without a bias are pulled back in one pass, to the same bits`(
    reluNaN: ReLUNaN, kernel: Int
  ) throws {
    let ending = "kernel=\(kernel) bias=no"
    try expectSameBits(
      [
        "conv channels=3 act=tanh \(ending)",
        "block channels=5 act=sigmoid merge=multiply skip=input \(ending)",
        "block channels=5 act=arctan merge=multiply-add convs=2 \(ending)",
        "block channels=7 act=elu merge=multiply skip=project \(ending)",
        "block channels=7 act=relu \(ending)",
        "block channels=9 act=leaky-relu merge=none convs=2 \(ending)",
        "block channels=1 act=linear merge=multiply skip=input \(ending)", "conv \(ending)",
      ], reluNaN)
  }

  @Test(arguments: networks + normalized, [ReLUNaN.keep, .zero])
  func `a fused step has the bits of separate operations`(
    _ lines: [String], reluNaN: ReLUNaN
  ) throws {
    try expectSameBits(lines, reluNaN)
  }

  @Test func `a network goes on after the precision was changed`() throws {
    let network = try Network(lines: Self.networks[0])
    let stream = RandomStream(seed: 2, name: "fusion")
    let input = Tensor<Float>(shape: [1, 1, 12, 12]) { stream.fillNormals($0) }
    let pass = TrainingPass(network: network, input: input, target: input, loss: .meanSquaredError)
    for precision in [Precision.fast, .strict, .fast] {
      Precision.$current.withValue(precision) {
        let fused = pass.run(StandardFlow(), retention: .training)
        let separate = pass.run(StandardFlow(), retention: .everything)
        for (a, b) in zip(fused.parameterGradients, separate.parameterGradients) {
          #expect(a.fingerprint == b.fingerprint)
        }
      }
    }
  }

  /// Where a flow looks at what layers pass on, none may leave a derivative to the layer above.
  @Test(arguments: [0, 1], DilatedFlow.Insertion.allCases)
  func `a fused step has them under a dilated flow`(
    rate: Double, insertion: DilatedFlow.Insertion
  ) throws {
    var flow = DilatedFlow()
    (flow.rate, flow.insertion) = (rate, insertion)
    try expectSameBits(
      ["conv channels=16 act=relu"]
        + Array(repeating: "block channels=16 merge=none convs=2", count: 4) + ["conv"],
      .keep, flow)
  }

  private func expectSameBits(
    _ lines: [String], _ reluNaN: ReLUNaN, _ flow: some GradientFlow = StandardFlow()
  ) throws {
    var network = try Network(lines: lines)
    network.reluNaN = reluNaN
    let stream = RandomStream(seed: 2, name: "fusion")
    let input = Tensor<Float>(shape: [2, 1, 23, 30]) { stream.fillNormals($0) }
    let target = Tensor<Float>(shape: input.shape) { stream.fillNormals($0, from: 1 << 30) }
    let pass = TrainingPass(network: network, input: input, target: target, loss: .meanSquaredError)
    let fused = pass.run(flow, retention: .training)
    let separate = pass.run(flow, retention: .everything)
    let plain = network.output(of: FeatureMap(input))
    #expect(fused.loss == separate.loss)
    #expect(fused.output.tensor.fingerprint == separate.output.tensor.fingerprint)
    // Batch normalization judges by other statistics than it trains with.
    if network.buffers.isEmpty {
      #expect(plain.tensor.fingerprint == separate.output.tensor.fingerprint)
    }
    for (name, (a, b)) in zip(
      network.parameterNames, zip(fused.parameterGradients, separate.parameterGradients))
    {
      #expect(a.fingerprint == b.fingerprint, "\(name)")
    }
  }

  @Test(arguments: networks)
  func `Float gradients are close to those of the reference engine`(_ lines: [String]) throws {
    let network = try Network(lines: lines)
    let stream = RandomStream(seed: 3, name: "fusion")
    let input = Tensor<Float>(shape: [1, 1, 37, 41]) { stream.fillNormals($0) }
    let target = Tensor<Float>(shape: input.shape, repeating: 0)
    let pass = TrainingPass(network: network, input: input, target: target, loss: .meanSquaredError)
    let found = pass.run(StandardFlow(), retention: .training)
    let exact = pass.doubles.run(StandardFlow(), retention: .training)
    #expect(abs(found.loss - exact.loss) <= 1e-5 * exact.loss)
    for (name, (a, b)) in zip(
      network.parameterNames, zip(found.parameterGradients, exact.parameterGradients))
    {
      expectClose(a, b, within: 2e-3, name)
    }
  }
}
