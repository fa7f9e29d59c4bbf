import GradientFlows
import Networks
import Operations
import Tensors
import TestSupport
import Testing

/// What a step shows is what is done: each formula, computed again in Double from the tensors that it
/// names, gives the tensors that the step writes.
struct FormulaTests {
  private static let losses: [Loss] = [
    .meanSquaredError, .halfSquares(gradientIsDeclared: true),
    .halfSquares(gradientIsDeclared: false), .meanAbsoluteError, .charbonnier(epsilon: 0.25),
    .mix([
      .init(weight: 0.75, loss: .meanSquaredError),
      .init(weight: 2, loss: .charbonnier(epsilon: 0.5)),
    ]),
  ]

  @Test(arguments: GradientCheckTests.networks)
  func `formulas of every layer, merge, skip and activation give the tensors of their steps`(
    _ lines: [String]
  ) throws {
    let loss = Self.losses[lines.joined().utf8.count % 6]
    let pass = try GradientCheckTests.pass(lines, loss)
    for flow in [StandardFlow(), TapeFlow()] as [any GradientFlow] {
      try check(pass, [(flow.name, flow)])
    }
  }

  @Test(arguments: Skip.allCases, Activation.allCases.filter { !$0.needsPreactivation })
  func `formulas of projected and of one-channel skips`(
    _ skip: Skip, _ activation: Activation
  ) throws {
    for merge in Merge.allCases where merge != .none {
      let project = skip == .project ? " project-act=\(activation.rawValue)" : ""
      let lines = [
        "block channels=3 act=tanh convs=2 merge=\(merge.rawValue) skip=\(skip.rawValue)\(project)",
        "block channels=3 merge=\(merge.rawValue) skip=\(skip.rawValue) act=\(activation.rawValue)",
        "conv", "output subtract",
      ]
      try check(
        try GradientCheckTests.pass(lines, .meanSquaredError), [("standard", StandardFlow())])
    }
  }

  @Test(arguments: losses)
  func `formulas of a loss over a mask`(_ loss: Loss) throws {
    let plain = try GradientCheckTests.pass(["block channels=2 act=tanh", "conv"], loss)
    let shape = plain.input.shape
    let mask = Tensor<Float>(shape: shape, scalars: (0..<shape.count).map { $0 % 3 == 0 ? 0 : 1 })
    let pass = TrainingPass(
      network: plain.network, input: plain.input, target: plain.target, mask: mask, loss: loss)
    try check(pass, [("standard", StandardFlow())])
    // A difference that does not count is shown as it is, beside a mask of 0.
    let result = pass.run(StandardFlow(), retention: .everything)
    let explained = try #require(
      result.explanation(of: "net.out.grad", at: [0, 0, 0, 0], in: pass, flow: StandardFlow()))
    let factors = explained.terms[0].factors
    let difference = Double(result.output.tensor.scalars[0]) - Double(pass.target.scalars[0])
    #expect(factors.contains { $0.name == "mask" && $0.value == 0 })
    #expect(
      loss == .meanAbsoluteError
        || factors.contains { $0.name == "net.out − target" && $0.value == difference })
    #expect(explained.value == 0 && explained.sum == 0)
  }

  /// Each way of links, with blocks that multiply what others add.
  static let dilatedFlows: [DilatedFlow] = DilatedFlow.Links.allCases.flatMap { links in
    DilatedFlow.Combination.allCases.flatMap { combination in
      DilatedFlow.Insertion.allCases.flatMap { insertion in
        [[], [1, 2]].map { blocks in
          var flow = DilatedFlow()
          (flow.rate, flow.links, flow.combination) = (3, links, combination)
          (flow.insertion, flow.combinationBlocks) = (insertion, Set(blocks))
          return flow
        }
      }
    }
  }

  @Test(arguments: dilatedFlows.map(\.line))
  func `formulas of links give the tensors of their steps`(_ line: String) throws {
    let flow = try #require(Self.dilatedFlows.first { $0.line == line })
    for block in [
      "block channels=2 act=tanh convs=2", "block channels=2 act=arctan merge=multiply-add",
      "block channels=2 act=elu merge=multiply skip=project project-act=sigmoid",
      "block channels=2 act=tanh merge=none",
    ] {
      let pass = try GradientCheckTests.pass(
        ["conv channels=2"] + Array(repeating: block, count: 4) + [
          "conv channels=2", block, "conv",
        ],
        .meanSquaredError)
      try flow.requireFit(pass.network)
      let walk = try check(pass, [("dilated", flow)])
      #expect(walk.steps.contains { $0.operation == "links" })
    }
  }

  @Test(arguments: WaysBackTests.flows.map(\.line))
  func `formulas of other ways back give the tensors of their steps`(_ line: String) throws {
    let flow = try #require(WaysBackTests.flows.first { $0.line == line })
    for skip in ["block", "input", "project"] {
      let block = "block channels=2 act=tanh convs=2 merge=multiply-add skip=\(skip)"
      let pass = try GradientCheckTests.pass(
        ["conv channels=2", block, block, "conv channels=2", block, "conv", "output subtract"],
        .meanSquaredError)
      let walk = try check(pass, [(flow.name, flow)])
      let told = walk.steps.map(\.formula).joined(separator: "\n")
      if let word = ["feedback": "weight.feedbackᵀ", "direct": "b1.out.feedbackᵀ"][flow.name] {
        #expect(told.contains(word))
      }
    }
  }

  @Test func `flows that are walked at once have a formula each where they differ`() throws {
    let block = "block channels=2 act=tanh"
    let pass = try GradientCheckTests.pass(
      ["conv channels=2"] + Array(repeating: block, count: 4) + ["conv"], .meanSquaredError)
    var still = DilatedFlow()
    still.rate = 0
    let flows: [(String, any GradientFlow)] =
      [("standard", StandardFlow()), ("still", still)]
      + Self.dilatedFlows.prefix(12).enumerated().map { ("dilated\($0)", $1) }
    let walk = try check(pass, flows)
    let links = walk.steps.filter { $0.operation == "links" }
    #expect(links.contains { $0.place == "b1.out.grad" })
    #expect(links.contains { $0.place == "b1.conv1.z.grad" })
    #expect(links.allSatisfy { $0.formulasByFlow.count == flows.count })
    // Without links there is nothing to show.
    let alone = try check(pass, [("still", still)])
    #expect(!alone.steps.contains { $0.operation == "links" })
  }

  // MARK: - One pass

  /// Computes every formula of a pass again.
  @discardableResult
  private func check(
    _ pass: TrainingPass<Float>, _ flows: [(String, any GradientFlow)]
  ) throws -> NetworkWalk {
    var walked: [(name: String, flow: any GradientFlow, result: PassResult<Float>)] = []
    for (name, flow) in flows {
      walked.append((name, flow, pass.run(flow, retention: .everything)))
    }
    let walk = NetworkWalk(pass, flows: walked)
    for number in flows.indices {
      var arrived: [String: Tensor<Float>] = [:]
      // A step that writes nothing tells where a gradient ends, and computes nothing.
      for step in walk.steps where !step.writes.isEmpty {
        try check(step, walk, number, arrived)
        for name in step.writes { arrived[name] = walk.written(name, by: step, flow: number) }
      }
    }
    return walk
  }

  private func check(
    _ step: PassStep, _ walk: NetworkWalk, _ number: Int, _ arrived: [String: Tensor<Float>]
  ) throws {
    let formula = step.formula(flow: number)
    let place: Comment = "\(walk.flows[number].flow.line): \(step.operation), \(formula)"
    var computed: [Tensor<Float>] = []
    for equation in FormulaReader.equations(formula) {
      let exact = step.writes.first { $0 == equation.left }
      let name = try #require(
        exact ?? step.writes.first { Self.matches($0, equation.left) }, place)
      let written = try #require(walk.written(name, by: step, flow: number), place)
      var value = try FormulaReader.value(equation.right, target: written.shape) { word in
        try Self.operand(word, of: step, walk, number, arrived)
      }
      if equation.isAdded {
        let before = try #require(arrived[name], place).doubles()
        value = Tensor(shape: value.shape, scalars: zip(before.scalars, value.scalars).map(+))
      }
      if value.shape.count == 1 {
        value = Tensor(shape: written.shape, repeating: value.scalars[0])
      }
      try #require(value.shape.count == written.shape.count, place)
      let isSum = name.hasSuffix("weight.grad") || name.hasSuffix("bias.grad") || name == "loss"
      let scale = max(value.largestMagnitude(), 1e-30)
      let worst = zip(value.scalars, written.scalars).map { abs($0 - Double($1)) }.max() ?? 0
      #expect(worst <= (isSum ? 2e-5 : 4e-6) * scale, "\(name) by \(place)")
      computed.append(written)
    }
    // What has no equation of its own is handed on.
    for name in step.writes {
      let handedOn = walk.written(name, by: step, flow: number)
      #expect(computed.contains { $0.scalars == handedOn?.scalars }, "\(name) of \(place)")
    }
  }

  /// Whether a name in a formula, which may leave the layer out, stands for `name`.
  private static func matches(_ name: String, _ word: String) -> Bool {
    let meant = ["G": "out.grad", "s": "skip"][word] ?? word
    return name == meant || name.hasSuffix("." + meant)
  }

  /// What a word of a formula stands for: a number, or one of the names that the step reads.
  private static func operand(
    _ word: String, of step: PassStep, _ walk: NetworkWalk, _ number: Int,
    _ arrived: [String: Tensor<Float>]
  ) throws -> Tensor<Double> {
    func single(_ value: Double) -> Tensor<Double> { Tensor(shape: [], scalars: [value]) }
    switch word {
    case "target": return walk.pass.target.doubles()
    case "mask":
      guard let mask = walk.pass.mask else { break }
      return mask.doubles()
    case "M":
      let counted = walk.pass.mask?.scalars.reduce(0) { $0 + Double($1) }
      return single(counted ?? Double(walk.pass.target.shape.count))
    case "ρ":
      return single(walk.flows[number].flow.linkWeight(epoch: walk.pass.epoch) ?? .nan)
    default: break
    }
    // The gradient that a second arrival leaves as it is.
    if step.arrival?.number == 2, matches(step.place, word), let before = arrived[step.place] {
      return before.doubles()
    }
    let found = step.reads.contains(word) ? [word] : step.reads.filter { matches($0, word) }
    guard found.count == 1, let value = walk.value(found[0], flow: number) else {
      throw FormulaReader.Fault(
        description: "\(word) is \(found.count) of \(step.reads) in '\(step.formula)'")
    }
    return value.doubles()
  }
}
