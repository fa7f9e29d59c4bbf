import CommandLanguage
import Figures
import GradientFlows
import Networks
import Operations
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
    let program = program(loss: .meanSquaredError, hasMask: false)
    return zip(zip(layerNames, layers), program.layers).map { entry, places in
      let chain = program.activations(in: places.nodes).filter { program.nodes[$0].symbol == "a" }
      let convolutions = chain.compactMap { NetworkDiagram.Convolution(program, activation: $0) }
      guard entry.1.isBlock else {
        return .init(
          convolution: entry.0,
          convolutions.first
            ?? .init(
              kernel: 1, inputs: entry.1.inputChannels, outputs: entry.1.outputChannels,
              activation: ""))
      }
      let merge = program.nodes[places.output].operation as? Merge
      return .init(
        block: entry.0, convolutions, merge: merge?.diagram, skip: program.skip(of: places))
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
    let blocks = layers.count { $0.isBlock }
    return """
      \(layers.count, "layer")  \(blocks, "block") · \
      \(parameterCount, "parameter") · receptive field \(receptiveField)×\(receptiveField) · \
      output \(outputRule.rawValue)
      """
  }
}

extension NetworkDiagram.Convolution {
  /// The convolution whose result goes through the activation at a place; nil if none does.
  fileprivate init?(_ program: Program<Float>, activation place: Int) {
    guard let activation = program.nodes[place].operation as? Activate,
      let shape = program.kernel(of: program.nodes[place].operands[0])
    else { return nil }
    self.init(
      kernel: shape[3], inputs: shape[1], outputs: shape[0],
      activation: activation.function.rawValue)
  }
}

extension Program<Float> {
  /// The places of the activations in a layer.
  fileprivate func activations(in range: Range<Int>) -> [Int] {
    range.filter { nodes[$0].operation is Activate }
  }

  /// The shape `[O, I, kH, kW]` of the kernel of the convolution at `place`; nil if it is none.
  fileprivate func kernel(of place: Int) -> Shape? {
    guard nodes[place].operation is Convolution2D,
      let weight = tensor(at: nodes[place].operands[1])
    else { return nil }
    return weight.shape
  }

  /// Where the skip value of a block comes from.
  fileprivate func skip(of layer: LayerNodes) -> NetworkDiagram.Skip {
    let skip = layer.nodes.first { nodes[$0].symbol == "s" && nodes[$0].name != nil }
    guard let skip, nodes[skip].operation is Copy else { return skip == nil ? .block : .projection }
    return source(of: nodes[skip].operands[0]) == input && nodes[skip].operands[0] == input
      ? .networkInput : .block
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

extension GradientFlow {
  /// A line that explains the arrows of the diagram.
  fileprivate func inWords(_ links: Int) -> OutputLine {
    guard let first = linkWeight(epoch: 0), let later = linkWeight(epoch: 10) else {
      return OutputLine(summary)
    }
    return """
      \(links, "link")  \(summary)  \
      ρ \(first, significant: 4) in epoch 0, \(later, significant: 4) in epoch 10
      """
  }
}
