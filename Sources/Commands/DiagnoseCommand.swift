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
        of the optimizer's second moments; gradients that grow or shrink on their way down; input \
        far from 0…1; and whether the last layer can reach clean slices at all: the oracle takes \
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
  ) { _, workspace, _ in
    try workspace.network.requireTrainable()
    try workspace.flow.requireFit(workspace.network)
    let pass = try workspace.lastPass ?? workspace.smallPass()
    try workspace.requireMemoryToInspect(pass, [workspace.flow])
    let diagnosis = try interruptible {
      Diagnosis(
        pass, flow: workspace.flow, optimizer: workspace.optimizer,
        states: workspace.lastPass == nil ? nil : workspace.trainer?.states)
    }
    let (findings, bound) = try interruptible {
      let bound = try workspace.outputBound()
      return (workspace.losses + diagnosis.findings() + bound.finding, bound)
    }
    var outcome = Outcome()
    for finding in findings { outcome.say(finding.line(workspace)) }
    if let bound = bound.figures {
      outcome.say(
        "oracle  \(bound.psnr, digits: 2) dB is the most that any weights before the last layer allow"
      )
    }
    if findings.isEmpty { outcome.say("nothing found that keeps the network from learning") }
    outcome.result = [
      "findings": .list(findings) { finding in
        [
          "kind": .string(finding.kind), "where": .string(finding.place),
          "value": .number(finding.value), "try": .string(finding.cure(workspace)),
        ]
      },
      "count": .integer(findings.count),
      "oracle_psnr": bound.figures.map { .number($0.psnr) } ?? .null,
    ]
    return outcome
  }
}

extension Workspace {
  /// What a training that met a NaN left.
  fileprivate var losses: [Finding] {
    let lost = network.parameters.reduce(0) { $0 + $1.scalars.count { !$0.isFinite } }
    return [
      trainer?.firstNonFinite.map { Finding.nonFinite($0) },
      lost == 0 ? nil : Finding.lostWeights(count: lost, of: network.parameterCount),
    ].compactMap(\.self)
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
    case .nonFinite: "non-finite"
    case .lostWeights: "lost-weights"
    case .overflow: "overflow"
    case .stuckWeights: "stuck-weights"
    case .saturated: "saturated"
    case .deadChannels: "dead-channels"
    case .boundedOutput: "bounded-output"
    case .unevenGradients(_, let from, _, let to): to > from ? "exploding" : "vanishing"
    case .inputScale: "input-scale"
    }
  }

  /// The tensor or layer that it is about.
  fileprivate var place: String {
    switch self {
    case .nonFinite(let error): error.tensor
    case .overflow(let names, _): names.joined(separator: " ")
    case .saturated(let layer, _, _), .deadChannels(let layer, _, _),
      .boundedOutput(let layer, _, _):
      layer
    case .unevenGradients(_, _, let to, _): to
    case .lostWeights, .stuckWeights, .inputScale: ""
    }
  }

  /// The number that says how much: a share, a factor, a step, dB.
  fileprivate var value: Double {
    switch self {
    case .nonFinite(let error): Double(error.step)
    case .lostWeights(let count, let all), .deadChannels(_, let count, let all):
      Double(count) / Double(all)
    case .overflow(_, let gradient): gradient
    case .stuckWeights(let share, _, _), .saturated(_, _, let share): share
    case .boundedOutput(_, let bound, _): bound
    case .unevenGradients(_, let from, _, let to): to / from
    case .inputScale(let low, let high, _): max(abs(low), abs(high))
    }
  }

  /// What was found, what it means, and what to try.
  fileprivate func line(_ workspace: Workspace) -> OutputLine {
    let found: OutputLine
    switch self {
    case .nonFinite(let error):
      found = "not finite  first in step \(error.step), in \(error.tensor)"
    case .lostWeights(let count, let all):
      found = "lost weights  \(count) of \(all) are NaN or infinite"
    case .overflow(let names, let gradient):
      found = """
        overflow  the squares of gradients up to \(gradient, significant: 2) exceed single \
        precision in \(names.count == 1 ? names[0] : "\(names.count) parameters"): no step is made there
        """
    case .stuckWeights(let share, let count, let update):
      found = """
        stuck weights  \(100 * share, digits: 1) % of \(count) stay the same when their update is \
        added: the largest update, \(update, significant: 2), is below half of their last digit
        """
    case .saturated(let layer, let activation, let share):
      found = """
        saturated  \(layer): \(100 * share, digits: 1) % of what enters \(activation.rawValue) is \
        beyond ±6, where it hardly changes
        """
    case .deadChannels(let layer, let count, let all):
      found =
        "dead ReLU  \(layer): \(count) of \(all) channels are 0 everywhere, so they learn nothing"
    case .boundedOutput(let layer, let bound, let noisy):
      found = """
        bounded output  \(layer) can reach \(bound, digits: 2) dB at best, the noisy slices have \
        \(noisy, digits: 2): it can only amplify
        """
    case .unevenGradients(let from, let atFrom, let to, let atTo):
      found = """
        \(atTo > atFrom ? "exploding" : "vanishing") gradients  \(atFrom, significant: 2) at \
        \(from), \(atTo, significant: 2) at \(to): a factor of \(atTo / atFrom, significant: 2)
        """
    case .inputScale(let low, let high, let deviation):
      found = """
        input scale  \(low, significant: 3)…\(high, significant: 3), std \
        \(deviation, significant: 3): layers expect about 0…1
        """
    }
    return "\(found); try: \(cure(workspace))"
  }

  /// A line that helps, for this session.
  fileprivate func cure(_ workspace: Workspace) -> String {
    switch self {
    case .nonFinite, .lostWeights: "scale minmax, then net new init=he and the layers again"
    case .overflow: "scale minmax, or loss mse"
    // A rate that is not small is not what keeps them.
    case .stuckWeights where workspace.optimizer.rule.learningRate >= 0.001:
      "net new init=he, or act=leaky-relu where units are dead: most of these gradients are zero"
    case .stuckWeights:
      "\(workspace.optimizer.line.split(separator: " ").prefix(2).joined(separator: " ")) lr=0.001"
    case .saturated: "scale minmax, and net new init=he in place of wide weights"
    case .deadChannels: "act=leaky-relu, or a smaller lr"
    case .boundedOutput: "act=linear in the last layer"
    case .unevenGradients(_, let from, _, let to):
      workspace.flow.isGradient
        ? (to > from ? "net new init=he" : "merge=add skip=block, and net new init=he")
        : "flow standard, or a smaller rate="
    case .inputScale: "scale minmax"
    }
  }
}
