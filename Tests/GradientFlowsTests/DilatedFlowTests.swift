import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// The dilated flow against its equations in NumPy: `Tests/Fixtures/flows`.
struct DilatedFlowTests {
  struct Case: Decodable {
    let lines: [String]
    let rate: Double
    let decay: Double
    let epoch: Int
    let links: String
    let combine: String
    let blocks: Set<Int>
    let insert: String
    let weights: [String]
    let gradients: [String]

    func flow() throws -> DilatedFlow {
      var flow = DilatedFlow()
      (flow.rate, flow.decay, flow.combinationBlocks) = (rate, decay, blocks)
      flow.links = try #require(DilatedFlow.Links(rawValue: links))
      flow.combination = try #require(DilatedFlow.Combination(rawValue: combine))
      flow.insertion = try #require(DilatedFlow.Insertion(rawValue: insert))
      return flow
    }
  }

  @Test(arguments: Fixture.folders(in: "flows"))
  func `what blocks are fed with and all gradients follow the equations`(
    _ fixture: Fixture
  ) throws {
    let (pass, expected) = try load(fixture)
    let flow = try expected.flow()
    try flow.requireFit(pass.network)
    let exact = pass.doubles.run(flow, retention: .everything)
    let single = pass.run(flow, retention: .everything)
    expectClose(exact.output.tensor, try fixture.tensor("output"), within: 1e-12, "output")
    for name in expected.gradients {
      let reference = try fixture.tensor("gradients/\(name)")
      expectClose(try #require(exact.gradient(name)), reference, within: 1e-10, name)
      expectClose(try #require(single.gradient(name)), reference, within: 1e-5, name)
    }
  }

  @Test(arguments: Fixture.folders(in: "flows"))
  func `rate 0 is the standard flow, bit by bit`(_ fixture: Fixture) throws {
    let (pass, expected) = try load(fixture)
    var flow = try expected.flow()
    flow.rate = 0
    let (dilated, standard) = (
      pass.run(flow, retention: .everything),
      pass.run(StandardFlow(), retention: .everything)
    )
    for name in pass.network.parameterNames + pass.network.valueNames {
      #expect(dilated.gradient(name)?.scalars == standard.gradient(name)?.scalars, "\(name)")
    }
  }

  @Test func `links name the blocks they join`() throws {
    let network = try Network(
      lines: ["conv channels=2"] + Array(repeating: "block channels=2", count: 4) + ["conv"])
    func links(_ kind: DilatedFlow.Links) -> [[Int]] {
      var flow = DilatedFlow()
      flow.links = kind
      return flow.links(in: network).map { [$0.source, $0.target] }
    }
    // Layers 1…4 are blocks b1…b4.
    #expect(links(.dense) == [[4, 1], [3, 1], [4, 2]])
    #expect(links(.sparse) == [[3, 1], [4, 2]])
    #expect(links(.includeNext) == [[4, 1], [3, 1], [2, 1], [4, 2], [3, 2], [4, 3]])
  }

  @Test func `blocks of other shapes are not linked, and are told`() throws {
    func ways(_ lines: [String]) throws -> (links: [[Int]], gaps: [[Int]]) {
      let network = try Network(lines: lines)
      let flow = DilatedFlow()
      try flow.requireFit(network)
      return (
        flow.links(in: network).map { [$0.source, $0.target] },
        flow.gaps(in: network).map { [$0.source, $0.target] }
      )
    }
    let channels = try ways([
      "block channels=5 skip=input", "block channels=4 skip=input", "block channels=3 skip=input",
      "conv",
    ])
    #expect(channels.links.isEmpty && channels.gaps == [[2, 0]])
    // Blocks at half the scale lie between two at the whole one.
    let scales = try ways(
      ["block channels=4", "block channels=4", "pool max"]
        + Array(repeating: "block channels=4", count: 3) + [
          "up", "block channels=4", "block channels=4", "conv",
        ])
    #expect(scales.links == [[8, 0], [7, 0], [8, 1], [7, 1], [5, 3]])
    #expect(
      scales.gaps == [
        [5, 0], [4, 0], [3, 0], [5, 1], [4, 1], [8, 3], [7, 3], [8, 4], [7, 4], [8, 5],
      ])
  }

  @Test(arguments: ["before", "after"])
  func `a network of two scales trains, and each operation alone gives the same bits`(
    _ insertion: String
  ) throws {
    let network = try Network<Float>(
      lines: [
        "block channels=4 act=tanh", "block channels=4", "pool max", "block channels=4",
        "block channels=8 skip=project", "up", "block channels=4 skip=project", "block channels=4",
        "conv",
      ])
    var flow = DilatedFlow()
    flow.rate = 0.1
    flow.insertion = try #require(DilatedFlow.Insertion(rawValue: insertion))
    let stream = RandomStream(seed: 3, name: "scales")
    let image = Tensor<Float>(shape: [2, 1, 12, 12]) { stream.fillNormals($0) }
    let pass = TrainingPass(
      network: network, input: image, target: image, loss: .meanSquaredError)
    let fused = pass.run(flow, retention: .training)
    let alone = pass.run(flow, retention: .everything)
    for (name, (a, b)) in zip(
      network.parameterNames, zip(fused.parameterGradients, alone.parameterGradients))
    {
      #expect(a.fingerprint == b.fingerprint, "\(name)")
    }
    let standard = pass.run(StandardFlow(), retention: .training)
    #expect(
      fused.parameterGradients[0].fingerprint != standard.parameterGradients[0].fingerprint)
  }

  @Test func `of blocks that are not there, the first is named`() throws {
    let network = try Network(lines: ["block channels=2", "conv"])
    var flow = DilatedFlow()
    // A set of other numbers each time has no order of its own.
    for count in 2...40 {
      flow.combinationBlocks = Set(1...count)
      let error = #expect(throws: NetworkError.self) { try flow.requireFit(network) }
      #expect(error?.message.contains("names b2,") == true)
    }
  }

  @Test func `the weight falls with the epoch`() throws {
    #expect(DilatedFlow().linkWeight(epoch: 0) == 1000)
    let later = try #require(DilatedFlow().linkWeight(epoch: 100))
    #expect(abs(later - 1000.0 / 9) < 1e-12)
  }

  private func load(_ fixture: Fixture) throws -> (TrainingPass<Float>, Case) {
    let expected = try fixture.json("case.json", as: Case.self)
    var network = try Network(lines: expected.lines)
    network.parameters = try network.parameterNames.map {
      try fixture.tensor("weights/\($0)").floats()
    }
    return (
      TrainingPass(
        network: network, input: try fixture.tensor("input").floats(),
        target: try fixture.tensor("target").floats(), loss: .meanSquaredError,
        epoch: expected.epoch),
      expected
    )
  }
}
