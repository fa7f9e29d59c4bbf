import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors

extension Command<Workspace> {
  private static let blocks = [
    "conv channels=4 act=relu", "block channels=4 convs=2", "block channels=4", "block channels=4",
    "conv",
  ]

  static let plotNet = Command(
    CommandSpec(
      "plot net", family: .looking,
      summary: "Draw the network: blocks, convolutions, skips and merges.",
      details: """
        + adds the skip, × multiplies by it, × then + is multiply-add. Above about 2400 pixels, the \
        convolutions of a block become one box.
        """,
      parameters: FigureParameters.all,
      examples: [
        CommandExample("plot net", after: blocks),
        CommandExample("plot net as=text", after: blocks),
      ], seeAlso: ["net show", "plot flow"])
  ) { arguments, workspace, _ in
    try workspace.requireLayers()
    let (network, name) = (workspace.network, workspace.networkName)
    return try workspace.show(
      name: "net", statistics: [network.inWords],
      result: [
        "layers": .integer(network.layers.count), "parameters": .integer(network.parameterCount),
      ], arguments
    ) { statistics in
      NetworkDiagram(
        title: "Network \(name)", layers: network.diagram, output: network.outputInWords,
        statistics: statistics)
    }
  }

  static let plotFlow = Command(
    CommandSpec(
      "plot flow", family: .looking,
      summary: "Draw the network and the ways that gradients take through it.",
      details: """
        Orange arrows are the gradient from layer to layer; arrows in other colors are the links of \
        'flow dilated', from the block that passes a gradient on to the block that it is fed to.
        """,
      parameters: FigureParameters.all,
      examples: [
        CommandExample("plot flow", after: blocks + ["flow dilated rate=0.1"]),
        CommandExample("plot flow as=text", after: blocks + ["flow dilated links=sparse"]),
      ], seeAlso: ["flow standard", "flow dilated", "plot net", "plot gradients"])
  ) { arguments, workspace, _ in
    try workspace.requireLayers()
    let flow = workspace.flow
    try flow.requireFit(workspace.network)
    let network = workspace.network
    let links = flow.links(in: network)
    let names = network.layerNames
    return try workspace.show(
      name: "flow", statistics: [OutputLine(flow.line), flow.inWords(links.count)],
      result: [
        "flow": .string(flow.name),
        "links": .list(links) {
          ["from": .string(names[$0.source]), "to": .string(names[$0.target])]
        },
      ], arguments
    ) { statistics in
      NetworkDiagram(
        title: "Gradients of flow \(flow.name)", layers: network.diagram,
        output: network.outputInWords,
        flow: .init(
          name: flow.name,
          links: links.map { link in
            .init(
              from: link.source, to: link.target,
              isFactor: flow.join(at: link.target, in: network, epoch: 0)?.isProduct ?? false)
          }),
        statistics: statistics)
    }
  }
}

extension Workspace {
  fileprivate func requireLayers() throws(CommandError) {
    guard network.layers.isEmpty else { return }
    throw CommandError(
      .state, "the network has no layers yet",
      hint: "build one, for example 'block channels=8 convs=2', then 'conv'")
  }
}

extension Network<Float> {
  /// The layers as a diagram draws them.
  fileprivate var diagram: [NetworkDiagram.Layer] {
    zip(layerNames, layers).map { name, layer in
      switch layer {
      case .convolution(let plain):
        return .init(
          convolution: name, .init(plain.convolution.weight.shape, plain.options.activation))
      case .block(let block):
        return .init(
          block: name,
          block.convolutions.map { .init($0.weight.shape, block.options.activation) },
          merge: block.options.merge.diagram, skip: block.options.skip.diagram)
      }
    }
  }

  /// A phrase for the network's output rule; empty for a plain output.
  fileprivate var outputInWords: String {
    switch outputRule {
    case .plain: ""
    case .subtract: "net.out = net.in − \(layerNames.last ?? "")"
    case .normalize: "shown and judged from 0 to 1"
    }
  }

  fileprivate var inWords: OutputLine {
    let blocks = layers.count { $0.letter == "b" }
    return """
      \(layers.count) \(layers.count == 1 ? "layer" : "layers")  \(blocks) \(blocks == 1 ? "block" : "blocks") · \
      \(parameterCount) \(parameterCount == 1 ? "parameter" : "parameters") · receptive field \(receptiveField)×\(receptiveField) · \
      output \(outputRule.rawValue)
      """
  }
}

extension NetworkDiagram.Convolution {
  /// A convolution with a kernel of `shape` `[O, I, kH, kW]`.
  fileprivate init(_ shape: Shape, _ activation: Activation) {
    self.init(
      kernel: shape[3], inputs: shape[1], outputs: shape[0], activation: activation.rawValue)
  }
}

extension Merge {
  fileprivate var diagram: NetworkDiagram.Merge? {
    switch self {
    case .add: .add
    case .multiply: .multiply
    case .multiplyAdd: .multiplyAdd
    case .none: nil
    }
  }
}

extension Skip {
  fileprivate var diagram: NetworkDiagram.Skip {
    switch self {
    case .block: .block
    case .input: .networkInput
    case .project: .projection
    }
  }
}

extension GradientFlow {
  /// A line that explains the arrows of the diagram.
  fileprivate func inWords(_ links: Int) -> OutputLine {
    switch self {
    case let dilated as DilatedFlow:
      return """
        \(links) \(links == 1 ? "link" : "links")  \(dilated.inLetters)  \
        ρ \(dilated.weight(epoch: 0), significant: 4) in epoch 0, \
        \(dilated.weight(epoch: 10), significant: 4) in epoch 10
        """
    case is TapeFlow: return "the chain rule, operation by operation"
    default: return "each layer is fed with what the layer above passes on"
    }
  }
}

extension DilatedFlow {
  /// The formula by which links join a block: `G(k) = g(k+1) + ρ·Σ g(j)`.
  fileprivate var inLetters: String {
    func sum(_ combination: Combination) -> String {
      let joined = combination == .product ? "ρ·Π g(j)" : "ρ·Σ g(j)"
      return insertion == .after
        ? "dz(k) = act′·da(k) + \(joined)" : "G(k) = g(k+1) + \(joined)"
    }
    guard !combinationBlocks.isEmpty else { return sum(combination) }
    let blocks = combinationBlocks.sorted().map { "b\($0)" }.joined(separator: ", ")
    return "\(sum(combination)) in \(blocks), \(sum(combination.other)) in the others"
  }
}
