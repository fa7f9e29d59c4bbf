import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let gradcheck = Command(
    CommandSpec(
      "gradcheck", family: .checking,
      summary: "Compare gradients of the flow with central differences in Double.",
      details: """
        Takes the middle 32×32 pixels of two training slices (or random numbers without data) and \
        moves single weights. Samples where a corner of an activation or of the loss is crossed are \
        marked as kinks and do not count for the worst error; nor do those where the rounding of a \
        large loss hides the difference. NAME is a parameter or a layer. Then \
        all weights at once: the cosine to the true gradient; how the loss changes along a small \
        step, over what the gradient predicts; and whether uᵀJv = vᵀJu for random u and v, J the \
        derivative of the gradient by the weights, as it must for any gradient.
        """,
      parameters: [
        .word(
          "name", .thing, "a parameter such as b1.conv1.weight, or a layer",
          default: .absent("all parameters")),
        .key(
          "samples", .integer(1...100_000), "elements to check, spread over the parameters",
          default: .value("20")),
      ],
      examples: [
        CommandExample("gradcheck", after: ["block channels=2 act=tanh", "conv"]),
        CommandExample("gradcheck c1.weight samples=5", after: ["block channels=2", "conv"]),
      ], seeAlso: ["flow standard", "compare", "train"])
  ) { arguments, workspace, context in
    try workspace.network.requireTrainable()
    let names = try workspace.checkedParameters(arguments)
    try workspace.requireMemory(
      2
        * workspace.flow.inspectionBytes(
          of: workspace.network, BatchSize(batch: 2, height: 32, width: 32)),
      for: "gradcheck", hint: "check a smaller network")
    let samples = try arguments.integer("samples")
    let flow = workspace.flow
    try flow.requireFit(workspace.network)
    let pass = try workspace.smallPass().doubles
    try interruptible { try workspace.requireFinite(pass, flow, arguments) }
    let rows = try interruptible {
      GradientCheck(flow, pass).samples(
        of: names, count: max(1, (samples + names.count - 1) / names.count),
        stream: RandomStream(seed: workspace.settings.seed, name: "gradcheck"),
        shouldStop: context.shouldStop)
    }.sorted { ($0.isTelling ? 1 : 0, $0.relativeError) > ($1.isTelling ? 1 : 0, $1.relativeError) }
    let telling = rows.filter(\.isTelling)
    let (kinks, hidden) = (rows.count(where: \.isKink), rows.count { $0.isHidden && !$0.isKink })
    guard let worst = telling.first?.relativeError else {
      throw arguments.error(
        .data,
        hidden == 0
          ? "every sample lies at a kink, so nothing was checked"
          : "nothing was checked: the rounding of the loss hides the differences of \(hidden) of "
            + "\(rows.count) samples, the others lie at kinks",
        hint: hidden == 0
          ? "take more samples, or another activation: samples=\(4 * samples)"
          : "'stats' shows which weights are large; 'net new' draws others")
    }
    var outcome = Outcome()
    outcome.add(table(of: rows, names))
    outcome.say(
      """
      \(telling.count, "sample") of flow \(flow.name), \
      \(kinks) set apart at kinks\(hidden == 0 ? "" : ", \(hidden) hidden by the loss's rounding"): \
      worst relative error \(volatile: NumberFormat.significant(2).string(worst))
      """)
    let nature = try interruptible {
      GradientNature(
        flow, pass,
        stream: RandomStream(seed: workspace.settings.seed, name: "gradcheck/directions"))
    }
    outcome.say(nature.line(of: flow.name))
    outcome.say(OutputLine(workspace.verdict(on: nature)))
    outcome.result = [
      "rows": .list(rows, \.json), "worst": .number(worst), "nature": nature.json,
    ]
    return outcome
  }
}

extension GradientSample {
  fileprivate var json: JSONValue {
    let members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("index", .list(index) { .integer($0) }),
      .init("analytic", .number(analytic)), .init("numeric", .number(numeric)),
      .init("relative_error", .number(relativeError)), .init("kink", .bool(isKink)),
    ]
    return .object(members + (isHidden ? [.init("hidden", .bool(true))] : []))
  }
}

extension GradientNature {
  /// One line about the gradient of all weights at once, under the flow called `flow`.
  fileprivate func line(of flow: String) -> OutputLine {
    if isZero || trueIsZero {
      return """
        all weights at once: the gradient of flow \(flow) is \(isZero ? "0" : "not 0"), \
        the true gradient is \(trueIsZero ? "0" : "not 0")
        """
    }
    let change: OutputLine =
      changeIsHidden
      ? "the change of the loss hidden by its rounding"
      : "loss changes \(changeRatio, digits: 3) times as predicted"
    return """
      all weights at once: cosine to the true gradient \(cosine, digits: 4), \
      norm \(normRatio, significant: 4) times, \(change), asymmetry of the Jacobian \
      \(asymmetry < 1e-4 ? "below 1e-4" : "\(asymmetry, significant: 2)")
      """
  }

  fileprivate var json: JSONValue {
    [
      "cosine": .finite(cosine), "norm_ratio": .finite(normRatio),
      "change_ratio": .finite(changeRatio), "change_hidden": .bool(changeIsHidden),
      "asymmetry": .finite(asymmetry),
    ]
  }
}

/// A row for each parameter with its worst sample, whose place and digits are rounding noise.
private func table(of rows: [GradientSample], _ names: [String]) -> OutputTable {
  OutputTable(
    [
      .words("parameter"), .numbers("samples"), .numbers("kinks"),
      .words("worst: analytic, numeric, relative error"),
    ],
    rows: names.map { name in
      let own = rows.filter { $0.name == name }
      let kinks = own.count { $0.isKink }
      let worst = own.first(where: \.isTelling).map { sample in
        let index = sample.index.map(String.init).joined(separator: ",")
        let digits = NumberFormat.significant(7)
        return "[\(index)]  \(digits.string(sample.analytic))  \(digits.string(sample.numeric))  "
          + NumberFormat.significant(2).string(sample.relativeError)
      }
      return [
        OutputLine(name), "\(own.count - kinks)", "\(kinks)",
        worst.map { "\(volatile: $0)" }
          ?? (kinks == own.count ? "none away from kinks" : "hidden by the loss's rounding"),
      ]
    })
}

extension Workspace {
  /// A sentence with the result of the tests over all weights: whether the flow gives the gradient.
  fileprivate func verdict(on nature: GradientNature) -> String {
    if nature.isZero || nature.trueIsZero {
      return nature.isZero && nature.trueIsZero
        ? "\(flow.name) is the gradient of the loss here: both are 0"
        : "\(flow.name) is not the gradient of this loss"
    }
    guard nature.cosine.isFinite else {
      return "nothing is claimed of \(flow.name): its gradient is too large to compare"
    }
    let factor = loss == .halfSquares(gradientIsDeclared: true) ? 2.0 : 1
    if nature.cosine > 1 - 1e-9, abs(nature.normRatio / factor - 1) < 1e-6 {
      if nature.changeIsHidden {
        let size = NumberFormat.significant(2).string(nature.loss)
        return "nothing is claimed of \(flow.name): the loss is \(size), and its rounding hides "
          + "what a small step changes"
      }
      guard abs(nature.changeRatio * factor - 1) < 0.05 else {
        return "nothing is claimed of \(flow.name): the loss does not change as its gradient "
          + "predicts"
      }
      return factor == 1
        ? "\(flow.name) is the gradient of the loss"
        : "gradient=declared: factor 2 by definition, twice the gradient of the loss"
    }
    return nature.asymmetry >= 1e-4
      ? "\(flow.name) is not a gradient: no function has it as its derivative, since its Jacobian "
        + "is not symmetric"
      : "\(flow.name) is not the gradient of this loss"
  }

  /// Throws when the loss or a gradient is NaN or infinite, of which a check could say nothing.
  fileprivate func requireFinite(
    _ pass: TrainingPass<Double>, _ flow: any GradientFlow, _ arguments: Arguments
  ) throws(CommandError) {
    let result = pass.run(flow, retention: .everything)
    let weights = zip(network.parameterNames, network.parameters)
    guard
      let name = weights.first(where: { !$1.isFinite() })?.0 ?? result.firstNonFinite()
        ?? (result.loss.isFinite ? nil : "loss")
    else { return }
    throw arguments.error(
      .data, "nothing was checked: \(name) holds NaN or infinite numbers",
      hint: "'diagnose' says where they come from")
  }

  /// The parameters that `gradcheck NAME` names.
  fileprivate func checkedParameters(_ arguments: Arguments) throws(CommandError) -> [String] {
    let all = network.parameterNames
    guard let name = arguments.textIfGiven("name") else { return all }
    let found = all.filter { $0 == name || $0.hasPrefix(name + ".") }
    guard found.isEmpty else { return found }
    throw arguments.error(
      at: "name", .unknownName, "the network has no parameter '\(name)'",
      hint: NearestNames.question(for: name, among: all + network.layerNames)
        ?? "it has \(all.prefix(4).joined(separator: ", ")) …")
  }

  /// A small pass: the middle of two training slices, or random numbers.
  func smallPass() throws -> TrainingPass<Float> {
    guard noisy != nil, clean != nil else {
      let size = try network.requireSmallSize(16)
      let count = 2 * size * size
      let stream = RandomStream(seed: settings.seed, name: "gradcheck/images")
      func image(_ offset: Int) -> Tensor<Float> {
        Tensor(
          shape: [2, 1, size, size],
          scalars: (0..<count).map { Float(stream.uniform(at: offset + $0)) })
      }
      return TrainingPass(network: network, input: image(0), target: image(count), loss: loss)
    }
    let data = try requireTrainingData()
    let slices = Array(trainingSlices(data.clean).prefix(2))
    let size = try network.requireSmallSize(32)
    func part(_ stack: Tensor<Float>) -> Tensor<Float> {
      data.scale.toNetwork(stack.images(slices).middle(side: size))
    }
    let input = part(data.noisy)
    try requireFittingLoss(min(input.shape.height, input.shape.width))
    try network.requireFitWhenPadded(height: input.shape.height, width: input.shape.width)
    return TrainingPass(
      network: network, input: input, target: part(data.clean.values), loss: loss
    ).padded()
  }
}
