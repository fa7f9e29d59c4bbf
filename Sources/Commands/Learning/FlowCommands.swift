import CommandLanguage
import GradientFlows
import Networks

extension Command<Workspace> {
  static let keptName = Parameter.key(
    "as", .text(placeholder: "NAME"), "keep the flow under this name, too",
    default: .absent("no name"))
  static let flowExample = [
    "block channels=2", "block channels=2", "block channels=2", "conv",
  ]

  static let flowStandard = Command(
    CommandSpec(
      "flow standard", family: .learning,
      summary: "Let gradients travel from layer to layer, as written by hand.",
      details: """
        Each layer is fed with what the layer above passes on, G_k = g_{k+1}: the gradient of the \
        loss.
        """,
      parameters: [keptName],
      examples: ["flow standard"], seeAlso: ["flow dilated", "flow tape", "compare", "gradcheck"],
      recipe: .network, runsInPass: true)
  ) { arguments, workspace, _ in
    try workspace.choose(StandardFlow(), arguments)
  }

  static let flowTape = Command(
    CommandSpec(
      "flow tape", family: .learning,
      summary: "Compute gradients by automatic differentiation on a tape.",
      details: """
        Every operation of the pass, down to the loss, is recorded and differentiated alone. The \
        result must be that of 'flow standard', which it checks; it needs more memory.
        """,
      parameters: [keptName],
      examples: ["flow tape"], seeAlso: ["flow standard", "compare", "gradcheck"], recipe: .network,
      runsInPass: true)
  ) { arguments, workspace, _ in
    try workspace.choose(TapeFlow(), arguments)
  }

  static let flowDilated = Command(
    CommandSpec(
      "flow dilated", family: .learning,
      summary: "Feed blocks with what blocks further up pass on, too.",
      details: """
        G_k = g_{k+1} + ρ·Σ g_j, where g_j is what block j passes on and ρ = rate/(1+decay·epoch), \
        epochs from 0. links: dense takes j ≥ k+2, sparse only k+2, include-next j ≥ k+1. \
        combine=product multiplies the g_j element by element; with blocks=, the named blocks \
        combine so and the others the other way. insert=after adds the links behind the derivative \
        of the block's last activation. It is no gradient of the loss; with rate=0 it is \
        'flow standard'. Linked blocks need equal channels.
        """,
      parameters: [
        .key("rate", .number(units: [], .any), "ρ in epoch 0", default: .value("1000")),
        .key(
          "decay", .number(units: [], .atLeast(0)), "how fast ρ falls", default: .value("0.08")),
        .key(
          "links", .choice(DilatedFlow.Links.allCases.map(\.rawValue)), "which blocks are linked",
          default: .value("dense")),
        .key(
          "combine", .choice(DilatedFlow.Combination.allCases.map(\.rawValue)),
          "how linked gradients become one", default: .value("sum")),
        .key(
          "blocks", .list(.text(placeholder: "bK")), "the blocks that combine= holds for",
          default: .absent("all")),
        .key(
          "insert", .choice(DilatedFlow.Insertion.allCases.map(\.rawValue)),
          "before or after the derivative of the activation", default: .value("before")),
        keptName,
      ],
      examples: [
        CommandExample("flow dilated rate=1000 decay=0.08", after: flowExample),
        CommandExample(
          "flow dilated rate=0.05 links=sparse combine=product as=mild", after: flowExample),
      ], seeAlso: ["flow standard", "compare", "race"], recipe: .network, runsInPass: true)
  ) { arguments, workspace, _ in
    var flow = DilatedFlow()
    flow.rate = try arguments.number("rate").value
    flow.decay = try arguments.number("decay").value
    guard flow.rate.isFinite, flow.decay.isFinite else {
      throw arguments.error(
        at: flow.rate.isFinite ? "decay" : "rate", .outOfRange, "rate and decay must be finite")
    }
    flow.links = try arguments.choice("links", as: DilatedFlow.Links.self)
    flow.combination = try arguments.choice("combine", as: DilatedFlow.Combination.self)
    flow.insertion = try arguments.choice("insert", as: DilatedFlow.Insertion.self)
    flow.combinationBlocks = try blockNumbers(arguments)
    return try workspace.choose(flow, arguments)
  }

  /// The numbers in `blocks=b1,b2`.
  private static func blockNumbers(_ arguments: Arguments) throws(CommandError) -> Set<Int> {
    var numbers: Set<Int> = []
    for case .text(let word) in arguments.list("blocks") {
      guard word.lowercased().hasPrefix("b"), let number = Int(word.dropFirst()), number > 0 else {
        throw arguments.error(
          at: "blocks", .wrongValue, "'\(word)' is no block", hint: "for example blocks=b1,b2")
      }
      numbers.insert(number)
    }
    return numbers
  }

  static let flow = Command(
    CommandSpec(
      "flow", family: .learning,
      summary: "Choose a flow that was kept under a name, or say which is chosen.",
      parameters: [
        .word(
          "name", .text(placeholder: "NAME"), "the name of 'flow … as=NAME'",
          default: .absent("show the flow"))
      ],
      examples: [
        "flow",
        CommandExample(
          "flow mild", after: flowExample + ["flow dilated rate=0.05 as=mild", "flow standard"]),
      ],
      seeAlso: [
        "flow standard", "flow dilated", "flow tape", "flow feedback", "flow direct",
        "flow synthetic", "flow local", "flow forward", "flow truncated", "flow checkpointed",
      ], recipe: .network, runsInPass: true)
  ) { arguments, workspace, _ in
    if let name = arguments.textIfGiven("name") {
      workspace.flow = try workspace.fittingFlow(name, at: "name", arguments)
    }
    return workspace.describeFlow()
  }
}

extension Workspace {
  /// Chooses a flow, and keeps it under the name that `as=` gives.
  mutating func choose(
    _ flow: any GradientFlow, _ arguments: Arguments
  ) throws -> Outcome {
    let name = arguments.textIfGiven("as")
    if let name { try checkName(name, arguments) }
    try flow.requireFit(network)
    if let name { namedFlows[name] = flow }
    self.flow = flow
    return flow.isGradient ? Outcome() : describeFlow()
  }

  private func checkName(_ name: String, _ arguments: Arguments) throws(CommandError) {
    guard Variables.isName(name), !Self.flowWords.contains(name) else {
      throw arguments.error(
        at: "as", .wrongValue, "'\(name)' cannot name a flow",
        hint: "use letters, digits and _, a letter first, but not \(Self.flowWords[0])")
    }
  }

  /// The words that choose a flow without a name of its own.
  private static let flowWords = allFlows.map(\.name)

  /// The flow called `name`: one that was kept, or one by its word; `dilated` is the chosen one if
  /// that is dilated, else the article's.
  func knownFlow(_ name: String) -> (any GradientFlow)? {
    if let kept = namedFlows[name] { return kept }
    if flow.name == name { return flow }
    return allFlows.first { $0.name == name }?.seeded(settings.seed)
  }

  /// The flow that an argument names, which must fit the network.
  func fittingFlow(
    _ name: String, at argument: String, index: Int = 0, _ arguments: Arguments
  ) throws(CommandError) -> any GradientFlow {
    guard let flow = knownFlow(name) else {
      throw arguments.error(
        at: argument, index: index, .unknownName, "there is no flow called '\(name)'",
        hint: NearestNames.question(for: name, among: flowNames)
          ?? "there are \(flowNames.joined(separator: ", "))")
    }
    do throws(NetworkError) {
      try flow.requireFit(network)
    } catch {
      throw arguments.error(at: argument, index: index, commandError(error))
    }
    return flow
  }

  /// The names of all flows that can be chosen.
  var flowNames: [String] { Self.flowWords + namedFlows.keys.sorted() }

  /// The chosen flow in a line, and which blocks its links join.
  fileprivate func describeFlow() -> Outcome {
    let (links, gaps) = (flow.links(in: network), flow.gaps(in: network))
    let names = network.layerNames
    var outcome = Outcome(OutputLine(flow.line))
    if let first = flow.linkWeight(epoch: 0), let later = flow.linkWeight(epoch: 10),
      let last = flow.linkWeight(epoch: 100)
    {
      outcome.say(
        links.isEmpty
          ? gaps.isEmpty
            ? "no links: a block takes them from blocks further up, and the network has too few"
            : "no links"
          : "links  \(names.ways(links))")
      if !gaps.isEmpty {
        outcome.say("not linked  \(names.ways(gaps)): their gradients have other shapes")
      }
      outcome.say(
        """
        ρ  \(first, significant: 4) in epoch 0, \(later, significant: 4) in epoch 10, \
        \(last, significant: 4) in epoch 100
        """)
    }
    if flow.rewrites { outcome.say(OutputLine(flow.summary)) }
    outcome.result = [
      "flow": .string(flow.name), "line": .string(flow.line),
      "links": .list(links) {
        ["from": .string(names[$0.source]), "to": .string(names[$0.target])]
      },
    ]
    return outcome
  }
}

extension [String] {
  /// Writes links between the layers of these names: `b2 ← b5 b4 · b1 ← b4`.
  func ways(_ links: [FlowLink]) -> String {
    Set(links.map(\.target)).sorted(by: >).map { target in
      let sources = links.filter { $0.target == target }.map { self[$0.source] }
      return "\(self[target]) ← \(sources.joined(separator: " "))"
    }.joined(separator: " · ")
  }
}
