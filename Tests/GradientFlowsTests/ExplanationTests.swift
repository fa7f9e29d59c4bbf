import GradientFlows
import Networks
import Operations
import Tensors
import TestSupport
import Testing

/// The terms behind a number add up to it, whatever it is and under every flow.
struct ExplanationTests {
  @Test(arguments: GradientCheckTests.networks)
  func `terms add up to the stored number`(_ lines: [String]) throws {
    let losses: [Loss] = [
      .meanSquaredError, .halfSquares(gradientIsDeclared: true), .meanAbsoluteError,
    ]
    var dice = Dice(seed: UInt64(lines.joined().utf8.count))
    for (loss, flow) in zip(losses, [StandardFlow(), TapeFlow()] as [any GradientFlow]) {
      try walk(try GradientCheckTests.pass(lines, loss), flow, &dice)
    }
  }

  @Test(arguments: DilatedFlow.Insertion.allCases, DilatedFlow.Combination.allCases)
  func `links of the dilated flow are terms`(
    _ insertion: DilatedFlow.Insertion, _ combination: DilatedFlow.Combination
  ) throws {
    var flow = DilatedFlow()
    (flow.rate, flow.insertion, flow.combination) = (3, insertion, combination)
    var dice = Dice(seed: 5)
    for skip in ["block", "input", "project"] {
      let block = "block channels=2 act=tanh merge=multiply-add convs=2 skip=\(skip)"
      let pass = try GradientCheckTests.pass(
        ["conv channels=2"] + Array(repeating: block, count: 4) + ["conv"], .meanSquaredError)
      try flow.requireFit(pass.network)
      try walk(pass, flow, &dice)
    }
    let linked = try GradientCheckTests.pass(
      ["conv channels=2"] + Array(repeating: "block channels=2 act=tanh", count: 4) + ["conv"],
      .meanSquaredError)
    let result = linked.run(flow, retention: .everything)
    let place = insertion == .before ? "b1.out.grad" : "b1.conv1.z.grad"
    let explained = try #require(
      result.explanation(of: place, at: [0, 1, 3, 3], in: linked, flow: flow))
    #expect(explained.terms.contains { $0.factors.contains { $0.name == "ρ" && $0.value == 3 } })
  }

  @Test(arguments: WaysBackTests.flows.map(\.line))
  func `terms of other ways back add up to the stored number`(_ line: String) throws {
    let flow = try #require(WaysBackTests.flows.first { $0.line == line })
    var dice = Dice(seed: 9)
    for skip in ["block", "input", "project"] {
      let block = "block channels=2 act=tanh merge=multiply-add convs=2 skip=\(skip)"
      let pass = try GradientCheckTests.pass(
        ["conv channels=2", block, block, block, "conv"], .meanSquaredError)
      try walk(pass, flow, &dice)
    }
  }

  @Test func `a masked loss has the terms of the pixels that count`() throws {
    let plain = try GradientCheckTests.pass(
      ["block channels=2 act=tanh", "conv"], .meanSquaredError)
    let shape = plain.input.shape
    let mask = Tensor<Float>(shape: shape, scalars: (0..<shape.count).map { $0 % 3 == 0 ? 0 : 1 })
    var dice = Dice(seed: 2)
    try walk(
      TrainingPass(
        network: plain.network, input: plain.input, target: plain.target, mask: mask,
        loss: plain.loss), StandardFlow(), &dice)
  }

  @Test func `differences of the loss agree with gradients of every kind`() throws {
    let lines = [
      "conv channels=2 act=tanh", "block channels=2 act=sigmoid merge=multiply-add skip=project",
      "block channels=2 act=tanh convs=2", "conv", "output subtract",
    ]
    let pass = try GradientCheckTests.pass(lines, .meanSquaredError).doubles
    let result = pass.run(StandardFlow(), retention: .everything)
    for name in pass.network.valueNames + pass.network.parameterNames {
      let gradient = try #require(result.gradient(name), "\(name)")
      for offset in [0, gradient.shape.count / 2] {
        let difference = try #require(pass.lossDifference(by: name, at: offset), "\(name)")
        let scale = gradient.scalars.reduce(0) { max($0, abs($1)) }
        #expect(abs(difference - gradient.scalars[offset]) <= 1e-7 * max(scale, 1e-3), "\(name)")
      }
    }
  }

  /// Two random elements of every value, gradient and parameter's gradient.
  private func walk(
    _ pass: TrainingPass<Float>, _ flow: any GradientFlow, _ dice: inout Dice
  ) throws {
    let result = pass.run(flow, retention: .everything)
    let values = pass.network.valueNames + ["loss"]
    let names = values + (values + pass.network.parameterNames).map { $0 + ".grad" }
    for name in names where name != "net.in" {
      let tensor = try #require(result.named(name), "\(name)")
      let largest = tensor.scalars.reduce(0) { max($0, abs(Double($1))) }
      for _ in 0..<2 {
        let index = tensor.shape.extents.map { dice.next($0) }
        let explained = try #require(
          result.explanation(of: name, at: index, in: pass, flow: flow, most: 5), "\(name)")
        check(explained, result, largest, "\(name)\(index) under \(flow.line)")
      }
    }
  }

  private func check(
    _ explained: Explanation, _ result: PassResult<Float>, _ largest: Double, _ place: String
  ) {
    let isKernelGradient = explained.name.contains("weight.grad")
    let allowed = (isKernelGradient ? 2e-5 : 4e-6) * largest
    #expect(abs(explained.sum - explained.value) <= allowed, "\(place)")
    let listed = explained.terms.reduce(0) { $0 + $1.product }
    #expect(
      abs(listed + explained.rest - explained.sum) <= 1e-12 * max(1, abs(explained.sum)), "\(place)"
    )
    #expect(explained.terms.count <= 5)
    for term in explained.terms {
      let product = term.factors.reduce(1) { $0 * $1.value }
      #expect(abs(product - term.product) <= 1e-14 * abs(product), "\(place)")
      for factor in term.factors { checkFactor(factor, result, place) }
    }
  }

  /// What a factor says a tensor holds, it does hold.
  private func checkFactor(
    _ factor: Explanation.Factor, _ result: PassResult<Float>, _ place: String
  ) {
    guard let bracket = factor.name.firstIndex(of: "["), bracket > factor.name.startIndex,
      !factor.name.contains(" ")
    else { return }
    guard let tensor = result.named(String(factor.name[..<bracket])) else {
      // Only what stands between a projection and its activation has no name to ask for.
      #expect(factor.name.hasPrefix("project.z"), "\(factor.name) of \(place)")
      return
    }
    let index = factor.name[bracket...].dropFirst().dropLast().split(separator: ",").compactMap {
      Int($0)
    }
    let offset = tensor.shape.offset(of: index)
    #expect(Double(tensor.scalars[offset]) == factor.value, "\(factor.name) of \(place)")
  }
}
