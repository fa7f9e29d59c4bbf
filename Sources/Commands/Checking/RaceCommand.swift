import CT
import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let setup = [
    "phantom size=32 slices=2 patients=2", "noise gaussian sigma=60HU", "split by=patient",
    "block channels=2 act=tanh", "block channels=2 act=tanh", "block channels=2 act=tanh", "conv",
  ]
  private static let names = ParameterKind.list(.text(placeholder: "NAME"))

  static let race = Command(
    CommandSpec(
      "race", family: .checking,
      summary: "Train flows, networks, optimizers or targets alike: who wins?",
      details: """
        For each seed, all contestants begin with the same weights and see the same batches and \
        noise; the judged slices are those of 'evaluate'. The differences to the first contestant \
        are paired by seed, and the interval of their mean is Student's at 95 %: where it holds 0, \
        nothing is claimed. The figure has the mean of each over the seeds, with a band from the lowest \
        to the highest, judged on the first four of those slices some twenty times on the way. The \
        session's own network stays as it is. Name at least two of flow= \
        (standard, feedback, …, kept names), net= (networks, each with the optimizer that was chosen \
        for it), optimizer= (adam, sgd, …, kept names) or target= (as for 'train'). A baseline of the \
        judged slices, made before, is compared with each.
        """,
      parameters: [
        .key("flow", names, "the flows", default: .absent("the one in use")),
        .key("net", names, "the networks", default: .absent("the one in use")),
        .key("optimizer", names, "the optimizers", default: .absent("the one in use")),
        .key(
          "target", .list(.choice(TrainingTarget.allCases.map(\.rawValue))),
          "what each is trained towards", default: .absent("clean")),
        .key("seeds", .integer(1...100), "trainings of each", default: .value("5")),
      ] + TrialTraining.parameters + FigureParameters.all,
      examples: [
        CommandExample("race flow=standard,dilated seeds=3 epochs=2", after: setup),
        CommandExample(
          "race optimizer=adam,fast seeds=2 steps=3",
          after: setup + ["optimizer sgd lr=0.1 momentum=0.9 as=fast", "optimizer adam"]),
      ], seeAlso: ["compare", "flow dilated", "net fork", "evaluate"], trains: true)
  ) { arguments, workspace, context in
    let (contestants, warnings) = try workspace.contestants(arguments, context)
    var options = try arguments.trialOptions()
    let data = try workspace.requireTrainingData()
    let slices = workspace.trainingSlices(data.clean)
    try workspace.requireFittingPatch(options, data.clean, arguments)
    try workspace.requireFittingLoss(options.patch ?? min(data.clean.height, data.clean.width))
    for contestant in contestants {
      if case .neighbors = contestant.target { options.target = .neighbor }
      try workspace.requireMemory(
        contestant.network, contestant.flow, options, data.clean, slices.count)
    }
    let race = Race(
      data: data, trainingSlices: slices, judgedSlices: workspace.judgingSlices(data.clean),
      loss: workspace.loss, gradientNoise: workspace.gradientNoise, options: options)
    let seeds = (0..<(try arguments.integer("seeds"))).map { workspace.settings.seed &+ UInt64($0) }
    var results = contestants.map { RaceResult(name: $0.name) }
    for (round, seed) in seeds.enumerated() {
      for (index, contestant) in contestants.enumerated() {
        let done = Double(round * contestants.count + index)
        context.progress(
          ProgressUpdate(
            "seed \(round + 1)/\(seeds.count)  \(contestant.name)",
            fraction: done / Double(seeds.count * contestants.count)))
        guard
          let run = try race.run(contestant, seed: seed, shouldStop: context.shouldStop)
        else {
          try context.stopIfInterrupted()
          continue
        }
        results[index].runs.append(run)
      }
    }
    let convention = Convention.full.label(for: data.clean.unit)
    let baseline = workspace.raceBaseline(race)
    var (outcome, verdicts) = describe(
      results, baseline, seeds: seeds, convention: convention)
    let places = race.judgedSteps
    let figure = try workspace.show(
      name: "race", statistics: verdicts, result: outcome.result, arguments
    ) { lines in
      Plot(
        title: "Race of \(results.map(\.name).joined(separator: ", "))", x: .init("update"),
        y: .init("PSNR in dB"),
        series: results.map { result in
          Plot.spread(result.name, at: places.map(Double.init), result.runs.map(\.curve))
        }, references: baseline.map { [Plot.Reference("baseline", $0)] } ?? [], statistics: lines)
    }
    outcome.append(figure)
    outcome.warnings += warnings
    return outcome
  }
}

/// All runs of one contestant.
struct RaceResult {
  let name: String
  var runs: [RaceRun] = []

  /// The PSNR in dB by seed; NaN for runs that did not finish.
  var psnr: [Double] { runs.map { $0.figures?.psnr ?? .nan } }
  var finished: [Double] { psnr.filter(\.isFinite) }
  /// The mean over the seeds that finished; NaN where none did.
  var mean: Double { finished.reduce(0, +) / Double(finished.count) }

  /// The sample standard deviation over seeds.
  var deviation: Double {
    let squares = finished.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(finished.count - 1)).squareRoot()
  }
}

/// The table and the result, and the verdicts, which stand under the figure.
///
/// - Parameters:
///   - results: The contestants.
///   - baseline: The PSNR of a baseline of the judged slices; nil without one.
///   - seeds: The seeds, one for each run.
///   - convention: The name of the convention.
/// - Returns: The outcome without its figure, and the verdicts.
private func describe(
  _ results: [RaceResult], _ baseline: Double?, seeds: [UInt64], convention: String
) -> (Outcome, verdicts: [OutputLine]) {
  var outcome = Outcome()
  var rows: [[OutputLine]] = results.map { result in
    [
      OutputLine(result.name), cell(result.mean),
      result.finished.count > 1 ? "\(result.deviation, digits: 2)" : "",
    ] + result.psnr.map(cell)
  }
  if let baseline {
    let row: [OutputLine] = ["baseline", "\(baseline, digits: 2)", ""]
    rows.append(row + seeds.map { _ in "" })
  }
  outcome.add(
    OutputTable(
      [.words(""), .numbers("psnr dB"), .numbers("spread")] + seeds.map { .numbers("seed \($0)") },
      rows: rows))
  outcome.say("at the end, mean over the judged slices  [\(convention)]")
  for result in results {
    for (seed, run) in zip(seeds, result.runs) {
      guard let failure = run.failure else {
        if run.figures?.psnr.isNaN == true {
          outcome.warn(
            "\(result.name) with seed \(Int(seed)) has no figure: the judged slices hold NaN, as "
              + "they were or as it denoised them")
        }
        continue
      }
      outcome.say(
        """
        \(result.name) with seed \(Int(seed)) stopped before step \(failure.step): \
        \(failure.tensor) is not finite
        """)
    }
  }
  let pairs: [(RaceResult, PairedDifferences)] = results.dropFirst().map { result in
    (result, PairedDifferences(results[0].psnr, result.psnr))
  }
  let beside: [(RaceResult, PairedDifferences)]? = baseline.map { psnr in
    results.map { result in
      (result, PairedDifferences(result.psnr.map { _ in psnr }, result.psnr))
    }
  }
  let verdicts =
    pairs.map { verdict(on: $0.name, $1, against: results[0].name) }
    + (beside ?? []).map { verdict(on: $0.name, $1, against: "baseline") }
  func differences(_ pairs: [(RaceResult, PairedDifferences)]) -> JSONValue {
    .list(pairs) { result, pair in
      [
        "name": .string(result.name), "mean": .finite(pair.mean), "std": .finite(pair.deviation),
        "low": .finite(pair.low), "high": .finite(pair.high), "wins": .integer(pair.wins),
        "supported": .bool(pair.isSupported),
      ]
    }
  }
  var members: [JSONValue.Member] = [
    .init(
      "contestants",
      .list(results) { result in
        [
          "name": .string(result.name), "psnr": .list(result.psnr) { .finite($0) },
          "mean": .finite(result.mean), "std": .finite(result.deviation),
          "curves": .list(result.runs) { .list($0.curve) { .finite($0) } },
          "steps": .list(result.runs) { .integer($0.steps) },
        ]
      }), .init("differences", differences(pairs)),
  ]
  if let baseline, let beside {
    members.append(
      .init("baseline", ["psnr": .number(baseline), "differences": differences(beside)]))
  }
  outcome.result = .object(members)
  return (outcome, verdicts)
}

/// A PSNR in dB; – where a run gave none.
private func cell(_ psnr: Double) -> OutputLine { psnr.isNaN ? "–" : "\(psnr, digits: 2)" }

/// A line that claims what the interval supports, and no more.
private func verdict(
  on name: String, _ pair: PairedDifferences, against first: String
) -> OutputLine {
  let count = pair.differences.count
  guard count > 0 else {
    return "\(name) and \(first) have no seed in which both have figures: nothing can be said"
  }
  guard count > 1 else {
    return """
      \(name) − \(first)  \(pair.mean, digits: 2) dB with one seed, which shows no spread: \
      nothing can be said
      """
  }
  guard pair.differences.contains(where: { $0 != 0 }) else {
    return "\(name) − \(first)  0 dB in all \(count) seeds: they are the same"
  }
  let claim =
    !pair.isSupported
    ? "no difference that \(count) seeds show"
    : pair.mean > 0 ? "\(name) is better" : "\(name) is worse"
  return """
    \(name) − \(first)  \(pair.mean, digits: 2) dB, 95 % interval \(pair.low, digits: 2)…\
    \(pair.high, digits: 2), higher in \(pair.wins) of \(count) seeds: \(claim)
    """
}

extension Workspace {
  /// The contestants that `flow=`, `net=`, `optimizer=` or `target=` name, and warnings about them.
  fileprivate func contestants(
    _ arguments: Arguments, _ context: CommandContext
  ) throws -> ([Contestant], warnings: [String]) {
    let given = ["flow", "net", "optimizer", "target"].filter(arguments.has)
    guard let kind = given.first, given.count == 1 else {
      throw arguments.error(
        at: given.last ?? "", given.isEmpty ? .missingArgument : .surplusArgument,
        "a race is between flows, networks, optimizers or targets, one kind at a time",
        hint: "for example 'race flow=standard,dilated'")
    }
    let names = arguments.list(kind).map { value in
      switch value {
      case .text(let name), .choice(let name): name
      default: ""
      }
    }
    guard names.count > 1, Set(names).count == names.count else {
      throw arguments.error(
        at: kind, .wrongValue, "a race needs two contestants or more, each named once",
        hint: kind == "net" ? "'net fork' makes a second network" : "\(kind)=A,B")
    }
    var warnings: [String] = []
    let result = try names.map { name -> Contestant in
      var workspace = self
      var target = TargetImages.clean
      switch kind {
      case "flow": workspace.flow = try fittingFlow(name, at: kind, arguments)
      case "optimizer": workspace.optimizer = try knownOptimizer(name, at: kind, arguments)
      case "target":
        let word = TrainingTarget(rawValue: name) ?? .clean
        target = try targetImages(word, try requireNoisy(), context)
        warnings += try self.warnings(ofTarget: word)
      default:
        guard networkNames.contains(name) else {
          throw arguments.error(
            at: kind, .unknownName, "there is no network called '\(name)'",
            hint: NearestNames.question(for: name, among: networkNames)
              ?? "there are \(networkNames.joined(separator: ", "))")
        }
        workspace.use(name)
      }
      return Contestant(
        name: name, network: workspace.network, initializer: workspace.initializer,
        optimizer: workspace.optimizer, flow: workspace.flow, target: target)
    }
    for contestant in result {
      try contestant.network.requireTrainable()
      try contestant.flow.requireFit(contestant.network)
    }
    return (result, warnings)
  }

  /// The mean PSNR of the last baseline over the slices that a race judges; nil unless it has them all.
  fileprivate func raceBaseline(_ race: Race) -> Double? {
    let images = race.judgedSlices.compactMap { baseline[$0]?.image }
    guard images.count == race.judgedSlices.count, !images.isEmpty else { return nil }
    let figures = race.data.clean.slices(race.judgedSlices).figures(
      of: Tensor(joining: images), convention: .full, shouldStop: { false })
    return FiguresOfMerit(meanOf: figures).psnr
  }

  /// The slices on which a race is judged: test, else validation, else all.
  func judgingSlices(_ clean: ImageStack) -> [Int] {
    let shares = [Share.test, .validation].compactMap { split?.slices($0) }
    return shares.first { !$0.isEmpty } ?? Array(0..<clean.count)
  }
}
