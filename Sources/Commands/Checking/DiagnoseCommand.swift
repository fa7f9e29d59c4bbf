import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let diagnose = Command(
    CommandSpec(
      "diagnose", family: .checking,
      summary: "Say, with numbers, why the network does not learn.",
      details: """
        Looks at the last training step (before any training, at the middle of two training \
        slices): NaN and where it first arose; weights that do not change when their update is \
        added; saturated activations (|z| above 6); ReLU channels that are 0 everywhere; overflow \
        of the optimizer's second moments; gradients that grow or shrink on their way down, or are 0; input \
        far from 0…1; noise that is not as target= of the training assumes; and whether the last layer can reach clean slices at all: the oracle takes \
        the best value that it can give at every pixel. A line for each finding, and a line to try.
        """,
      examples: [
        CommandExample(
          "diagnose",
          after: [
            "phantom size=32 slices=2", "noise gaussian sigma=60HU", "block channels=2", "conv",
            "train steps=1",
          ])
      ], seeAlso: ["gradcheck", "stats", "train"])
  ) { _, workspace, context in
    try workspace.network.requireTrainable()
    try workspace.flow.requireFit(workspace.network)
    let pass = try workspace.lastPass ?? workspace.smallPass()
    try workspace.requireMemoryToInspect(pass, [workspace.flow])
    let looked = try interruptible { [workspace] in
      (findings: try workspace.findings(in: pass), bound: try workspace.outputBound())
    }
    let findings = looked.findings + looked.bound.finding
    let input = pass.input.statistics()
    let cures = Cures(workspace, largestInput: max(abs(input.min), abs(input.max)))
    var outcome = Outcome()
    for (index, finding) in findings.enumerated() {
      outcome.say(finding.line)
      let cure = cures.lines(for: finding)
      // A cure that several findings share is printed once, after the last of them.
      let isShared = index + 1 < findings.count && cures.lines(for: findings[index + 1]) == cure
      if !isShared { outcome.say("  try: \(cure.joined(separator: " · "))") }
    }
    if let bound = looked.bound.figures, bound.psnr.isFinite {
      outcome.say(
        "oracle  \(bound.psnr, digits: 2) dB is the most that any weights before the last layer allow"
      )
    }
    if findings.isEmpty { outcome.say("nothing found that keeps the network from learning") }
    outcome.result = [
      "findings": .list(findings) { finding in
        [
          "kind": .string(finding.kind), "where": .string(finding.place),
          "value": .number(finding.value),
          "try": .string(cures.lines(for: finding).joined(separator: " · ")),
          "lines": .list(cures.lines(for: finding)) { .string($0) },
        ]
      },
      "count": .integer(findings.count),
      "oracle_psnr": looked.bound.figures.map { .number($0.psnr) } ?? .null,
    ]
    return outcome
  }
}

extension Workspace {
  /// The findings in the data, in a training that met a NaN, and in one pass.
  fileprivate func findings(in pass: TrainingPass<Float>) throws -> [Finding] {
    let began = film.flatMap { film in
      film.name == networkName && film.ends(with: network) ? film.moments.first?.network : nil
    }
    // Activations that were 0 in the last batch may not be 0 in other slices.
    let second = lastPass == nil ? nil : try smallPass()
    let diagnosis = Diagnosis(
      pass, flow: flow, optimizer: optimizer, states: lastPass == nil ? nil : trainer?.states,
      since: began?.parameters, second: second)
    return strangeSlices + losses + diagnosis.findings() + (try correlation)
  }

  /// The stacks that hold NaN or infinities, with their slices.
  private var strangeSlices: [Finding] {
    [("clean", clean?.values), ("noisy", noisy)].compactMap { name, stack in
      guard let stack, !stack.isFinite() else { return nil }
      return .dataNotFinite(
        name: name, slices: (0..<stack.shape.batch).filter { !stack.image($0).isFinite() })
    }
  }

  /// The findings that a training with a NaN left: where it arose, and how many weights were lost.
  private var losses: [Finding] {
    let lost = network.parameters.reduce(0) { $0 + $1.scalars.count { !$0.isFinite } }
    return [
      trainer?.firstNonFinite.map { Finding.nonFinite($0) },
      lost == 0 ? nil : Finding.lostWeights(count: lost, of: network.parameterCount),
    ].compactMap(\.self)
  }

  /// A finding where noise is not as the last training assumes.
  private var correlation: [Finding] {
    get throws(CommandError) {
      guard let target = unfinished?.options.target,
        let correlation = try correlationAgainst(target)
      else { return [] }
      return [.correlatedNoise(correlation)]
    }
  }

  /// The figures of the best that the last layer can reach, and a finding if that is hardly better
  /// than the noisy slices.
  ///
  /// A gate that can only amplify leaves half of the errors, those of one sign: 3 dB at most.
  fileprivate func outputBound() throws -> (figures: FiguresOfMerit?, finding: [Finding]) {
    guard let noisy, let clean, let bound = OutputBound(of: network) else { return (nil, []) }
    let scale = try requireScale()
    let slices = judgingSlices(clean)
    let part = clean.slices(slices)
    let input = noisy.images(slices)
    let best = scale.fromNetwork(
      bound.best(scale.toNetwork(part.values), input: scale.toNetwork(input)))
    let figures = FiguresOfMerit(meanOf: part.figures(of: best))
    let before = FiguresOfMerit(meanOf: part.figures(of: input))
    let isTight = figures.psnr < before.psnr + 3.5
    return (
      figures,
      isTight
        ? [.boundedOutput(layer: bound.layer, bound: figures.psnr, noisy: before.psnr)] : []
    )
  }
}

extension Finding {
  fileprivate var kind: String {
    switch self {
    case .dataNotFinite: "data-not-finite"
    case .nonFinite, .nonFiniteValue: "non-finite"
    case .lostWeights: "lost-weights"
    case .overflow: "overflow"
    case .stuckWeights: "stuck-weights"
    case .saturated: "saturated"
    case .deadChannels: "dead-channels"
    case .boundedOutput: "bounded-output"
    case .unevenGradients(_, let from, _, let to): to > from ? "exploding" : "vanishing"
    case .noGradient: "no-gradient"
    case .correlatedNoise: "correlated-noise"
    case .inputScale: "input-scale"
    }
  }

  /// The tensor or layer that the finding is about.
  fileprivate var place: String {
    switch self {
    case .dataNotFinite(let name, _), .nonFiniteValue(let name): name
    case .nonFinite(let error): error.tensor
    case .deadChannels(let layers): layers.map(\.name).joined(separator: " ")
    case .overflow(let names, _): names.joined(separator: " ")
    case .saturated(let layer, _, _), .boundedOutput(let layer, _, _): layer
    case .unevenGradients(_, _, let to, _): to
    case .noGradient(let layers): layers.joined(separator: " ")
    case .correlatedNoise: "noisy"
    case .lostWeights, .stuckWeights, .inputScale: ""
    }
  }

  /// The size of the finding: a share, a factor, a step, or dB.
  fileprivate var value: Double {
    switch self {
    case .dataNotFinite(_, let slices): Double(slices.count)
    case .nonFinite(let error): Double(error.step)
    case .nonFiniteValue: 0
    case .lostWeights(let count, let all): Double(count) / Double(all)
    case .deadChannels(let layers):
      Double(layers.reduce(0) { $0 + $1.count }) / Double(layers.reduce(0) { $0 + $1.channels })
    case .overflow(_, let gradient): gradient
    case .stuckWeights(let share, _, _), .saturated(_, _, let share): share
    case .boundedOutput(_, let bound, _): bound
    case .unevenGradients(_, let from, _, let to): to / from
    case .noGradient(let layers): Double(layers.count)
    case .correlatedNoise(let correlation): correlation
    case .inputScale(let low, let high, _): max(abs(low), abs(high))
    }
  }

  /// The line that describes the finding and its meaning.
  fileprivate var line: OutputLine {
    switch self {
    case .dataNotFinite(let name, let slices):
      return """
        not finite  \(slices.count) of the \(name) slices hold NaN or infinite values, the first is \
        slice \(slices.first ?? 0)
        """
    case .nonFiniteValue(let tensor):
      return "not finite  \(tensor) is NaN or infinite, though images and weights are not"
    case .nonFinite(let error):
      return "not finite  first in step \(error.step), in \(error.tensor)"
    case .lostWeights(let count, let all):
      return "lost weights  \(count) of \(all) are NaN or infinite"
    case .overflow(let names, let gradient):
      let place = names.count == 1 ? names[0] : "\(names.count) parameters"
      return (Float(gradient) * Float(gradient)).isInfinite
        ? """
        overflow  the squares of gradients up to \(gradient, significant: 2) exceed single \
        precision in \(place): no step is made there
        """
        : """
        overflow  the squares of gradients of earlier steps exceeded single precision in \(place): \
        no step is made there
        """
    case .stuckWeights(let share, let count, let update):
      return """
        stuck weights  \(100 * share, digits: 1) % of \(count) that have a gradient stay the same when \
        their update is added: the largest update, \(update, significant: 2), is below half of their \
        last digit
        """
    case .saturated(let layer, let activation, let share):
      return """
        saturated  \(layer): \(100 * share, digits: 1) % of what enters \(activation.rawValue) is \
        beyond ±6, where it hardly changes
        """
    case .deadChannels(let layers):
      let dead = layers.reduce(0) { $0 + $1.count }
      let all = layers.reduce(0) { $0 + $1.channels }
      let words = layers.map { "\($0.name) \($0.count) of \($0.channels)" }
      if layers.count == 1, dead == 1 {
        let which = all == 1 ? "its only channel" : "1 of \(all) channels"
        return "dead ReLU  \(layers[0].name): \(which) is 0 everywhere, so it learns nothing"
      }
      return layers.count == 1
        ? "dead ReLU  \(layers[0].name): \(dead) of \(all) channels are 0 everywhere, so they learn nothing"
        : """
        dead ReLU  \(dead) of \(all) channels in \(layers.count) convolutions are 0 everywhere, so \
        they learn nothing: \(words.joined(separator: ", "))
        """
    case .boundedOutput(let layer, let bound, let noisy):
      return """
        bounded output  \(layer) can reach \(bound, digits: 2) dB at best, the noisy slices have \
        \(noisy, digits: 2): it can only amplify
        """
    case .unevenGradients(let from, let atFrom, let to, let atTo):
      return """
        \(atTo > atFrom ? "exploding" : "vanishing") gradients  \(atFrom, significant: 2) at \
        \(from), \(atTo, significant: 2) at \(to): a factor of \(atTo / atFrom, significant: 2)
        """
    case .noGradient(let layers):
      return """
        no gradient  \(layers.joined(separator: " ")): the gradient of \(layers.count == 1 ? "its output" : "their outputs") \
        is 0 everywhere, so \(layers.count == 1 ? "it learns" : "they learn") nothing in this step
        """
    case .correlatedNoise(let correlation):
      return """
        correlated noise  neighboring pixels have a correlation of \(correlation, digits: 2), and \
        target=neighbor takes it as 0: a part of the noise is learned as if it were there
        """
    case .inputScale(let low, let high, let deviation):
      return """
        input scale  \(low, significant: 3)…\(high, significant: 3), std \
        \(deviation, significant: 3): layers expect about 0…1
        """
    }
  }
}
