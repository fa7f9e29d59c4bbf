import CT
import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let plotRate = Command(
    CommandSpec(
      "plot lr", family: .looking,
      summary: "Draw the loss against the learning rate, over one sweep.",
      details: """
        A copy of the network makes one update at each rate, from the lowest to the highest, with the \
        optimizer, loss and flow in use; the network itself stays as it is. Dots are the losses of the \
        batches before their update, the line is smoothed. The sweep ends where the smoothed loss is \
        four times its lowest, or no longer finite. Train with a rate where the line falls steeply; where \
        it is lowest, the rate is too high already.
        """,
      parameters: [
        .key("from", .number(units: [], .positive), "the lowest rate", default: .value("1e-6")),
        .key("to", .number(units: [], .positive), "the highest rate", default: .value("1")),
        .key("steps", .integer(10...100_000), "updates of the sweep", default: .value("100")),
        .key("batch", .integer(1...4096), "slices of one update", default: .value("4")),
        .key(
          "patch", .integer(1...4096), "side of the random squares",
          default: .absent("whole slices")),
        FigureParameters.axis,
      ] + FigureParameters.all,
      examples: [
        CommandExample(
          "plot lr steps=20 as=text",
          after: [
            "phantom size=32 slices=4", "noise gaussian sigma=60HU", "block channels=2", "conv",
          ])
      ], seeAlso: ["optimizer adam", "train", "plot loss"], trains: true)
  ) { arguments, workspace, context in
    let rates = (try arguments.number("from").value, try arguments.number("to").value)
    guard rates.0 < rates.1 else {
      throw arguments.error(
        at: arguments.has("to") ? "to" : "from", .outOfRange,
        "the sweep rises, and from=\(rates.0) is not below to=\(rates.1)",
        hint: "for example from=1e-6 to=1")
    }
    let sweep = try workspace.sweep(rates.0...rates.1, arguments, context)
    guard sweep.points.count > 1, let lowest = sweep.lowest else {
      throw arguments.error(
        .data, "the loss is not finite at the lowest rate already",
        hint: "'diagnose' says why; or begin lower: from=1e-9")
    }
    let points = sweep.points
    let kind = try arguments.axisKind(suiting: points.map(\.smooth))
    let (rule, name) = (workspace.optimizer.rule.word, workspace.loss.name)
    let steep: OutputLine =
      sweep.steepest.map { "steepest fall at lr \($0.rate, significant: 3)" } ?? "it never falls"
    return try workspace.show(
      name: "lr",
      statistics: [
        """
        \(steep) · lowest smoothed loss \(lowest.smooth, significant: 4) at lr \
        \(lowest.rate, significant: 3) · \(points.count) updates
        """
      ],
      result: [
        "rates": .list(points) { .number($0.rate) }, "losses": .list(points) { .number($0.loss) },
        "smooth": .list(points) { .number($0.smooth) },
        "lowest": .number(lowest.rate),
        "steepest": sweep.steepest.map { .number($0.rate) } ?? .null,
      ], arguments
    ) { statistics in
      Plot(
        title: "Loss by learning rate, \(rule)",
        x: .init("learning rate", .logarithmic), y: .init("loss (\(name))", kind),
        series: [
          Plot.Series("batches", points.map { .init(x: $0.rate, y: $0.loss) }, sign: .dots),
          Plot.Series("smoothed", points.map { .init(x: $0.rate, y: $0.smooth) }),
        ], statistics: statistics)
    }
  }
}

extension Workspace {
  /// Makes the updates of a sweep with a copy of the network in use.
  fileprivate func sweep(
    _ rates: ClosedRange<Double>, _ arguments: Arguments, _ context: CommandContext
  ) throws -> RateSweep {
    let trial = try trialTraining(flow, arguments)
    let updates = trial.options.steps ?? 1
    var made = 0
    let sweep = RateSweep(
      network, optimizer: optimizer, on: trial.data, slices: trial.slices, loss: loss, flow: flow,
      options: trial.options, rates: rates, shouldStop: context.shouldStop
    ) { point in
      made += 1
      context.progress(
        ProgressUpdate(
          "lr \(NumberFormat.significant(2).string(point.rate))  loss "
            + NumberFormat.significant(3).string(point.smooth),
          fraction: Double(made) / Double(updates)))
    }
    try context.stopIfInterrupted()
    return sweep
  }
}
