import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let expect = Command(
    CommandSpec(
      "expect", family: .checking,
      summary: "Compare two numbers, and fail if the comparison does not hold.",
      details: """
        Each side is a number, a variable of let, NAME.min|max|mean|std|nan|inf, a figure of the \
        last evaluate or baseline (noisy.psnr, denoised.ssim, baseline.rmse), COMMAND.field of a \
        command's last result (train.loss, gradcheck.worst), a single number of a tensor \
        (b1.conv1.weight[0,0,1,1]), or + - * / of these.
        """,
      parameters: [
        .rest("comparison", "A OP B with < <= = != >= >"),
        .key(
          "within", .number(units: [.percent], .atLeast(0)), "allowed difference, a part of B",
          default: .value("0")),
      ],
      examples: [
        "expect 1 + 1 = 2",
        CommandExample("expect clean.max > 100", after: ["phantom size=32 slices=2"]),
        CommandExample(
          "expect noisy.rmse = 40 within=5%",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]),
      ], seeAlso: ["evaluate", "stats", "fails"])
  ) { arguments, workspace, context in
    let comparison = try Comparison(parsing: try arguments.source("comparison"))
    var lookup = workspace
    func value(_ side: Expression) throws -> Double {
      try side.value { name, range in
        do {
          return try lookup.number(name, context)
        } catch {
          let cause = commandError(error)
          throw CommandError(
            cause.code, cause.message, hint: cause.hint, range: range, line: arguments.line)
        }
      }
    }
    let (left, right) = (try value(comparison.left), try value(comparison.right))
    workspace = lookup
    let tolerance = try arguments.number("within").value
    func text(_ value: Double) -> String { NumberFormat.significant(6).string(value) }
    guard comparison.holds(left, right, within: tolerance) else {
      throw CommandError(
        .expectation,
        "expected \(text(left)) \(comparison.relation.rawValue) \(text(right))"
          + (tolerance > 0 ? " within \(NumberFormat.shortest.string(tolerance * 100)) %" : ""),
        range: arguments.range(of: "comparison"), line: arguments.line)
    }
    return Outcome(
      "ok  \(left, significant: 6) \(comparison.relation.rawValue) \(right, significant: 6)",
      result: ["left": .number(left), "right": .number(right)])
  }

  static let gradcheck = Command(
    CommandSpec(
      "gradcheck", family: .checking,
      summary: "Compare gradients of the flow with central differences in Double.",
      details: """
        Takes the middle 32×32 pixels of two training slices (or random numbers without data) and \
        moves single weights. Samples where a corner of an activation or of the loss is crossed are \
        marked as kinks and do not count for the worst error. NAME is a parameter or a layer.
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
      ], seeAlso: ["flow", "train"])
  ) { arguments, workspace, _ in
    try workspace.network.requireTrainable()
    let names = try workspace.checkedParameters(arguments)
    try workspace.requireMemory(
      2 * workspace.network.trainingBytes(batch: 2, height: 32, width: 32), for: "gradcheck",
      hint: "check a smaller network")
    let samples = try arguments.integer("samples")
    let check = GradientCheck(workspace.flow, try workspace.checkedPass())
    let rows = check.samples(
      of: names, count: max(1, (samples + names.count - 1) / names.count),
      stream: RandomStream(seed: workspace.settings.seed, name: "gradcheck")
    ).sorted { ($0.isKink ? 0 : 1, $0.relativeError) > ($1.isKink ? 0 : 1, $1.relativeError) }
    let smooth = rows.filter { !$0.isKink }
    guard let worst = smooth.first?.relativeError else {
      throw arguments.error(
        .data, "every sample lies at a kink, so nothing was checked",
        hint: "take more samples, or another activation: samples=\(4 * samples)")
    }
    var outcome = Outcome()
    outcome.add(table(of: rows, names))
    outcome.say(
      """
      \(smooth.count) \(smooth.count == 1 ? "sample" : "samples") of flow \(workspace.flow.name), \
      \(rows.count - smooth.count) set apart at kinks: \
      worst relative error \(volatile: NumberFormat.significant(2).string(worst))
      """)
    if workspace.loss == .halfSquares(gradientIsDeclared: true) {
      outcome.say("gradient=declared is twice the true gradient by definition")
    }
    outcome.result = [
      "rows": .list(rows) { row in
        [
          "name": .string(row.name), "index": .list(row.index) { .integer($0) },
          "analytic": .number(row.analytic), "numeric": .number(row.numeric),
          "relative_error": .number(row.relativeError), "kink": .bool(row.isKink),
        ]
      }, "worst": .number(worst),
    ]
    return outcome
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
      let worst = own.first { !$0.isKink }.map { sample in
        let index = sample.index.map(String.init).joined(separator: ",")
        let digits = NumberFormat.significant(7)
        return "[\(index)]  \(digits.string(sample.analytic))  \(digits.string(sample.numeric))  "
          + NumberFormat.significant(2).string(sample.relativeError)
      }
      return [
        OutputLine(name), "\(own.count - kinks)", "\(kinks)",
        worst.map { "\(volatile: $0)" } ?? "none away from kinks",
      ]
    })
}

extension Workspace {
  /// The number that a name in an expression stands for.
  fileprivate mutating func number(_ name: String, _ context: CommandContext) throws -> Double {
    let parts = name.split(separator: ".").map(String.init)
    if parts.count == 2, let figures = figures(of: parts[0]) {
      switch parts[1] {
      case "psnr": return figures.psnr
      case "ssim": return figures.ssim
      case "rmse": return figures.rmse
      default: break
      }
    }
    if parts.count == 2, Self.stackNames.contains(parts[0]),
      ["psnr", "ssim", "rmse"].contains(parts[1])
    {
      throw CommandError(
        .state, "\(parts[0]) has not been judged yet",
        hint: parts[0] == "baseline" ? "type 'baseline median'" : "type 'evaluate'")
    }
    if let result = context.result(at: name)?.numeric { return result }
    if let text = context.variables[name] {
      guard let value = Double(text) else {
        throw CommandError(.wrongValue, "\(name) is \"\(text)\", which is no number")
      }
      return value
    }
    if let last = parts.last, parts.count > 1, let statistic = Self.statistics[last] {
      return statistic(try value(String(name.dropLast(last.count + 1))).statistics)
    }
    let value = try value(name)
    guard value.tensor.shape.count == 1 else {
      throw CommandError(
        .shape, "\(name) is \(value.tensor.shape), not a single number",
        hint: "add an index, or .mean, .max, …")
    }
    return Double(value.tensor.scalars[0])
  }

  /// The figures judged last; those of noisy slices also before anything was judged.
  private func figures(of name: String) -> FiguresOfMerit? {
    if let known = figures[name] { return known }
    guard name == "noisy", let clean, let noisy else { return nil }
    return FiguresOfMerit(meanOf: clean.figures(of: noisy))
  }

  private static let statistics: [String: @Sendable (Statistics) -> Double] = [
    "min": { $0.min }, "max": { $0.max }, "mean": { $0.mean }, "std": { $0.deviation },
    "nan": { Double($0.nanCount) }, "inf": { Double($0.infiniteCount) },
  ]

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

  /// A small pass in Double: the middle of two training slices, or random numbers.
  fileprivate func checkedPass() throws -> TrainingPass<Double> {
    guard noisy != nil else {
      let stream = RandomStream(seed: settings.seed, name: "gradcheck/images")
      func image(_ offset: Int) -> Tensor<Double> {
        Tensor(shape: [2, 1, 16, 16], scalars: (0..<512).map { stream.uniform(at: offset + $0) })
      }
      return TrainingPass(
        network: network.doubles, input: image(0), target: image(512), loss: loss)
    }
    let data = try requireTrainingData()
    let slices = Array(trainingSlices(data.clean).prefix(2))
    func middle(_ extent: Int) -> Range<Int> {
      let side = min(32, extent)
      return (extent - side) / 2..<(extent - side) / 2 + side
    }
    let (rows, columns) = (middle(data.clean.height), middle(data.clean.width))
    func part(_ stack: Tensor<Float>) throws -> Tensor<Double> {
      let part = try stack.images(slices).part([
        .range(lower: nil, upper: nil), .range(lower: nil, upper: nil),
        .range(lower: rows.lowerBound, upper: rows.upperBound),
        .range(lower: columns.lowerBound, upper: columns.upperBound),
      ])
      return data.scale.toNetwork(part).doubles()
    }
    return TrainingPass(
      network: network.doubles, input: try part(data.noisy), target: try part(data.clean.values),
      loss: loss)
  }
}
