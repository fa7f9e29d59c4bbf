import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let setup = [
    "phantom size=32 slices=4 patients=2", "noise gaussian sigma=60HU", "block channels=2", "conv",
  ]
  private static let runs = Parameter.key(
    "runs", .integer(1...TrainingCurves.capacity),
    "the last so many trainings of all networks, in one plot; 1 is the last of the network in use",
    default: .value("1"))

  static let plotLoss = Command(
    CommandSpec(
      "plot loss", family: .looking,
      summary: "Draw the loss of the last training of the network in use, by epochs.",
      details: """
        A point a step in short trainings; from 8 epochs on, a point is the mean of an epoch, and the \
        band reaches from the lowest to the highest loss of its steps. 'continue' and a further \
        'train' of the same network go on with its curve. runs= shows several trainings in one.
        """,
      parameters: [runs, FigureParameters.axis] + FigureParameters.all,
      examples: [
        CommandExample("plot loss", after: setup + ["train epochs=2"]),
        CommandExample(
          "plot loss runs=2 as=text",
          after: setup + ["train epochs=2", "optimizer sgd", "train epochs=2"]),
      ], seeAlso: ["plot psnr", "train", "race"])
  ) { arguments, workspace, _ in
    let curves = try workspace.requireCurves(arguments)
    let losses = curves.map(\.readableLosses)
    let kind = try arguments.axisKind(suiting: losses.joined().map(\.mean))
    let name = workspace.loss.name
    return try workspace.show(
      name: "loss", statistics: curves.map(\.lossSummary),
      result: ["runs": .list(curves, \.lossJSON)], arguments
    ) { statistics in
      Plot(
        title: "Loss in training of \(curves.networkNames)", x: .init("epoch"),
        y: .init("loss (\(name))", kind),
        series: zip(curves, losses).map { curve, pieces in
          Plot.Series(
            curve.title,
            pieces.map { .init(x: $0.epochs, y: $0.mean, low: $0.low, high: $0.high) })
        }, statistics: statistics)
    }
  }

  static let plotPSNR = Command(
    CommandSpec(
      "plot psnr", family: .looking,
      summary: "Draw the PSNR of the last training of the network in use, by epochs.",
      details: """
        Of the validation slices, or of some training slices if there are none, as 'train' prints it. \
        They are judged after each epoch, or after every few where that would slow the training \
        down. The dashed line is the PSNR of the noisy slices. runs= shows several trainings in one.
        """,
      parameters: [runs] + FigureParameters.all,
      examples: [CommandExample("plot psnr", after: setup + ["train epochs=3"])],
      seeAlso: ["plot loss", "evaluate", "race"])
  ) { arguments, workspace, _ in
    let curves = try workspace.requireCurves(arguments)
    let watched = Set(curves.map(\.watched)).sorted().joined(separator: " and ")
    let noisy = curves[curves.count - 1].noisyPSNR
    return try workspace.show(
      name: "psnr", statistics: curves.map(\.psnrSummary),
      result: ["runs": .list(curves, \.psnrJSON)], arguments
    ) { statistics in
      Plot(
        title: "PSNR of the \(watched) slices in training of \(curves.networkNames)",
        x: .init("epoch"), y: .init("PSNR in dB"),
        series: curves.map { curve in
          Plot.Series(
            curve.title, curve.judgements.map { Plot.Point(x: $0.epochs, y: $0.psnr) })
        }, references: [.init("noisy", noisy)], statistics: statistics)
    }
  }

  static let plotGradients = Command(
    CommandSpec(
      "plot gradients", family: .looking,
      summary: "Draw how large the gradient of each layer's parameters is.",
      details: """
        A bar is the Euclidean norm of the gradient of all weights and biases of a layer, on the batch \
        of the last update with the weights before it. With flow=, one bar a flow.
        """,
      parameters: [
        .key(
          "flow", .list(.text(placeholder: "NAME")), "the flows to show",
          default: .absent("the one in use")),
        FigureParameters.axis,
      ] + FigureParameters.all,
      examples: [
        CommandExample("plot gradients", after: setup + ["train steps=1"]),
        CommandExample(
          "plot gradients flow=standard,tape as=text", after: setup + ["train steps=1"]),
      ], seeAlso: ["compare", "diagnose", "plot flow"])
  ) { arguments, workspace, _ in
    let names = arguments.list("flow").map { value in
      if case .text(let name) = value { name } else { "" }
    }
    let flows = try names.enumerated().map { index, name in
      (name, try workspace.fittingFlow(name, at: "flow", index: index, arguments))
    }
    let chosen = flows.isEmpty ? [(workspace.flow.name, workspace.flow)] : flows
    let norms = try chosen.map { name, flow in
      (name: name, values: try workspace.layerGradientNorms(flow))
    }
    let layers = workspace.network.layerNames
    let kind = try arguments.axisKind(suiting: norms.flatMap(\.values))
    return try workspace.show(
      name: "gradients",
      statistics: norms.map { gradientSummary($0.name, layers, $0.values) },
      result: [
        "rows": .list(layers.indices) { index in
          .object(
            [JSONValue.Member("name", .string(layers[index]))]
              + norms.map { JSONValue.Member($0.name, .number($0.values[index])) })
        }
      ], arguments
    ) { statistics in
      BarChart(
        title: "Gradient of each layer's parameters", groups: layers,
        series: norms.map { BarChart.Series("flow \($0.name)", $0.values) },
        axis: .init("norm of the gradient", kind), statistics: statistics)
    }
  }

  /// A line with the layers of the smallest and the largest gradient.
  private static func gradientSummary(
    _ name: String, _ layers: [String], _ norms: [Double]
  ) -> OutputLine {
    let finite = norms.indices.filter { norms[$0].isFinite }
    guard let low = finite.min(by: { norms[$0] < norms[$1] }),
      let high = finite.max(by: { norms[$0] < norms[$1] })
    else { return "flow \(name)  no finite gradient" }
    let broken = norms.count - finite.count
    return """
      flow \(name)  smallest \(norms[low], significant: 4) in \(layers[low])  \
      largest \(norms[high], significant: 4) in \(layers[high])\
      \(broken > 0 ? "  not finite in \(broken, "layer")" : "")
      """
  }
}

extension Workspace {
  /// The curves of the last trainings that `runs=` asks for.
  fileprivate func requireCurves(_ arguments: Arguments) throws(CommandError) -> [TrainingCurve] {
    guard !curves.all.isEmpty else {
      throw CommandError(
        .state, "there was no training yet",
        hint: trainingCure("train first, for example 'train epochs=5'"))
    }
    let count = try arguments.integer("runs")
    if count > 1 { return Array(curves.all.suffix(count)) }
    if let last = curves.last(of: networkName) { return [last] }
    let others = Set(curves.all.map(\.network)).sorted()
    throw CommandError(
      .state,
      "\(networkName), the network in use, has not been trained; there are runs of "
        + others.joined(separator: ", "),
      hint: networkNames.contains(others[0])
        ? "'train' it, or 'net use \(others[0])'" : "'train' it, or show runs=2 of all networks")
  }
}

extension Workspace {
  /// The Euclidean norm of the gradient of each layer's parameters in the last pass under a flow.
  fileprivate mutating func layerGradientNorms(
    _ flow: any GradientFlow
  ) throws(CommandError) -> [Double] {
    var rest = try requireGradients(flow)[...]
    return network.layers.map { layer in
      let count = layer.parameters.count
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count).reduce(0.0) { sum, tensor in
        tensor.scalars.reduce(sum) { $0 + Double($1) * Double($1) }
      }.squareRoot()
    }
  }
}

extension [TrainingCurve] {
  /// The names of the networks that trained, each once.
  fileprivate var networkNames: String {
    Set(map(\.network)).sorted().joined(separator: ", ")
  }
}

extension TrainingCurve {
  /// The curves as a page draws them beside the result of the training.
  func resultCurves(_ loss: Loss) -> [ResultCurve] {
    let pieces = readableLosses(atMost: 300)
    guard !pieces.isEmpty else { return [] }
    let lowest = pieces.map(\.mean).filter { $0 > 0 }.min() ?? 1
    let highest = pieces.map(\.mean).filter(\.isFinite).max() ?? 1
    let losses = ResultCurve(
      title: "Loss in training\(ofOther)", name: "loss", x: "epoch", y: "loss (\(loss.name))",
      isLogarithmic: highest > 100 * lowest,
      points: pieces.map { .init(x: $0.epochs, y: $0.mean, low: $0.low, high: $0.high) })
    guard judgements.count > 1 else { return [losses] }
    return [
      losses,
      ResultCurve(
        title: "PSNR of the \(watched) slices\(ofOther)", name: "denoised", x: "epoch",
        y: "PSNR in dB",
        points: judgements.map { .init(x: $0.epochs, y: $0.psnr, low: $0.psnr, high: $0.psnr) },
        reference: ["noisy": noisyPSNR]),
    ]
  }

  /// The network's name for a title; empty for the network that a session begins with.
  private var ofOther: String { network == Workspace.firstNetworkName ? "" : ", \(network)" }

  /// `run 2: main, standard, adam`.
  fileprivate var title: String { "run \(number): \(network), \(setting)" }

  /// A number of epochs with three digits, or whole where it has more.
  private func count(_ epochs: Double) -> OutputLine {
    epochs < 999.5 ? "\(epochs, significant: 3)" : "\(epochs, digits: 0)"
  }

  fileprivate var lossSummary: OutputLine {
    let pieces = readableLosses
    let lowest = pieces.filter { $0.mean.isFinite }.min { $0.mean < $1.mean }
    return """
      run \(number) of \(network)  \(steps, "step"), \
      \(count(epochs)) \(epochs == 1 ? "epoch" : "epochs")  \
      loss first \(pieces.first?.mean ?? .nan, significant: 4)  \
      last \(pieces.last?.mean ?? .nan, significant: 4)  \
      lowest \(lowest?.mean ?? .nan, significant: 4) \
      after \(count(lowest?.epochs ?? .nan)) epochs
      """
  }

  fileprivate var psnrSummary: OutputLine {
    let best = judgements.filter { $0.psnr.isFinite }.max { $0.psnr < $1.psnr }
    return """
      run \(number) of \(network)  \(watched) psnr first \(judgements.first?.psnr ?? .nan, digits: 2) dB  \
      last \(judgements.last?.psnr ?? .nan, digits: 2) dB  \
      best \(best?.psnr ?? .nan, digits: 2) dB after \(count(best?.epochs ?? .nan)) epochs  \
      noisy \(noisyPSNR, digits: 2) dB
      """
  }

  fileprivate var lossJSON: JSONValue {
    let pieces = readableLosses
    return [
      "run": .integer(number), "network": .string(network), "setting": .string(setting),
      "epochs": .list(pieces) { .number($0.epochs) }, "loss": .list(pieces) { .number($0.mean) },
      "low": .list(pieces) { .number($0.low) }, "high": .list(pieces) { .number($0.high) },
    ]
  }

  fileprivate var psnrJSON: JSONValue {
    [
      "run": .integer(number), "network": .string(network), "setting": .string(setting),
      "epochs": .list(judgements) { .number($0.epochs) },
      "psnr": .list(judgements) { .number($0.psnr) }, "noisy": .number(noisyPSNR),
    ]
  }
}
