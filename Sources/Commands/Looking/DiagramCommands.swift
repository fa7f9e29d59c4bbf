import CommandLanguage
import Figures
import Foundation
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
        + adds the skip, × multiplies by it, × then + is multiply-add. Layers with smaller images stand lower, \
        with their scale; lines above lead to what is joined or read further on. s2 is a stride, d2 a dilation, \
        g8 groups. Above about 2400 pixels, the convolutions of a block become one box.
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
        title: "Network \(name)", layers: network.diagram, reaches: network.reaches,
        output: network.outputInWords, statistics: statistics)
    }
  }

  static let plotFlow = Command(
    CommandSpec(
      "plot flow", family: .looking,
      summary: "Draw the network and the ways that gradients take through it.",
      details: """
        Orange arrows are the gradient from layer to layer; arrows in other colors are the links of \
        'flow dilated', from the block that passes a gradient on to the block that it is fed to. Dashed \
        purple arrows carry something else, which the legend names; a bar ends a gradient. Under 'flow \
        checkpointed', dots are values that are kept, and blue arrows layers that are computed again.
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
    let gaps = flow.gaps(in: network)
    return try workspace.show(
      name: "flow",
      statistics: [OutputLine(flow.line), flow.inWords(links.count)]
        + (gaps.isEmpty
          ? [] : ["not linked  \(names.ways(gaps)): their gradients have other shapes"]),
      result: [
        "flow": .string(flow.name),
        "links": .list(links) {
          ["from": .string(names[$0.source]), "to": .string(names[$0.target])]
        },
      ], arguments
    ) { statistics in
      NetworkDiagram(
        title: "Gradients of flow \(flow.name)", layers: network.diagram,
        reaches: network.reaches, output: network.outputInWords,
        flow: .init(
          name: flow.name,
          links: links.map { link in
            .init(
              from: link.source, to: link.target,
              isFactor: flow.join(at: link.target, in: network, epoch: 0)?.isProduct ?? false)
          }, replacement: flow.replacement(in: network)?.diagram,
          computedTwice: flow.computedTwice(in: network)),
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

extension Stepper {
  /// The network with how far the pass has come; nil where the pass is of typed numbers.
  var diagram: NetworkDiagram? {
    guard let network = networkWalk?.network else { return nil }
    func states(_ direction: PassStep.Direction) -> [NetworkDiagram.Walk.Progress] {
      network.layers.indices.map { progress(of: $0, direction) }
    }
    var diagram = NetworkDiagram(
      title: "\(cursor) of \(steps.count) steps", layers: network.diagram,
      reaches: network.reaches, output: network.outputInWords)
    diagram.walk = .init(forward: states(.forward), backward: states(.backward))
    return diagram
  }
}

extension Network<Float> {
  /// The layers as a diagram draws them.
  fileprivate var diagram: [NetworkDiagram.Layer] {
    let program = program(loss: .meanSquaredError, hasMask: false)
    return layers.indices.map { index in
      let (name, layer, places) = (layerNames[index], layers[index], program.layers[index])
      let chain = program.activations(in: places.nodes).filter { program.nodes[$0].symbol == "a" }
      let convolutions = chain.compactMap { NetworkDiagram.Convolution(program, activation: $0) }
      let merge = program.nodes[places.output].operation as? Merge
      var drawn: NetworkDiagram.Layer =
        layer.isBlock
        ? .init(block: name, convolutions, merge: merge?.diagram, skip: program.skip(of: places))
        : .init(convolution: name, .init(program, layer, places))
      drawn.scale = receptiveFields[index].scaling.diagram
      return drawn
    }
  }

  /// The values that layers read from further up.
  fileprivate var reaches: [NetworkDiagram.Reach] {
    layers.enumerated().flatMap { index, layer in
      layer.joined.map { .init(from: layerNames.firstIndex(of: $0), to: index) }
        + (layer.source.map {
          [.init(from: layerNames.firstIndex(of: $0), to: index, isInput: true)]
        }
          ?? [])
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
      let (kernel, geometry) = program.kernel(of: program.nodes[place].operands[0])
    else { return nil }
    self.init(
      title: geometry.title(ofKernel: kernel), inputs: geometry.inputs(ofKernel: kernel),
      outputs: geometry.outputs(ofKernel: kernel),
      activation: program.words(from: program.nodes[place].operands[0], activation.function))
  }

  /// A layer that is no block: its convolution, or the word of its operation.
  fileprivate init(
    _ program: Program<Float>, _ layer: any Layer<Float>, _ places: Program<Float>.LayerNodes
  ) {
    let own = places.nodes.map { program.nodes[$0] }.filter { $0.operation != nil && !$0.isAlias }
    let last = places.nodes.last { program.nodes[$0].operation is Activate }
    let function = (last.flatMap { program.nodes[$0].operation } as? Activate)?.function
    let (inputs, outputs) = (layer.inputChannels, layer.outputChannels)
    if let convolution = places.nodes.lazy.compactMap({ program.kernel(of: $0) }).first {
      self.init(
        title: convolution.geometry.title(ofKernel: convolution.shape), inputs: inputs,
        outputs: outputs,
        activation: last.map {
          program.words(from: program.nodes[$0].operands[0], function ?? .linear)
        } ?? "")
    } else if let other = layer.joined.first {
      let rule = own.first { $0.name != nil }?.word ?? ""
      self.init(title: "join \(other)", inputs: inputs, outputs: outputs, activation: rule)
    } else {
      self.init(
        title: own.first { $0.name != nil }?.word ?? layer.letter, inputs: inputs,
        outputs: outputs, activation: function?.rawValue ?? "")
    }
  }
}

extension ConvolutionGeometry {
  /// The words for a convolution: `conv 3×3`, with `s2` for a stride, `d2` a dilation, `g8` groups.
  fileprivate func title(ofKernel shape: Shape) -> String {
    let notes = [("s", stride), ("d", dilation), ("g", groups)].filter { $0.1 > 1 }
    return (isTransposed ? "up-conv" : "conv") + " \(shape[2])×\(shape[3])"
      + notes.map { " \($0.0)\($0.1)" }.joined()
  }
}

extension Scaling {
  /// The scale as a diagram writes it.
  fileprivate var diagram: NetworkDiagram.Scale {
    let halvings = max(0, Int((-log2(value)).rounded()))
    return .init(self == .one ? "" : description, halvings: halvings)
  }
}

extension Program<Float> {
  /// The places of the activations in a layer.
  fileprivate func activations(in range: Range<Int>) -> [Int] {
    range.filter { nodes[$0].operation is Activate }
  }

  /// The activation with the norm that it reads, if there is one: `batch norm, relu`.
  fileprivate func words(from place: Int, _ function: Activation) -> String {
    guard nodes[place].symbol == "n" else { return function.rawValue }
    return "\(nodes[place].word), \(function.rawValue)"
  }

  /// The shape of the kernel of the convolution at `place`, or before a norm there, and its geometry; nil if
  /// there is none.
  fileprivate func kernel(of place: Int) -> (shape: Shape, geometry: ConvolutionGeometry)? {
    if nodes[place].symbol == "n", let x = nodes[place].operands.first { return kernel(of: x) }
    guard let operation = nodes[place].operation as? Convolution2D,
      let weight = tensor(at: nodes[place].operands[1])
    else { return nil }
    return (weight.shape, operation.geometry)
  }

  /// Where the skip value of a block comes from.
  fileprivate func skip(of layer: LayerNodes) -> NetworkDiagram.Skip {
    let skip = layer.nodes.first { nodes[$0].symbol == "s" && nodes[$0].name != nil }
    guard let skip, nodes[skip].operation is Copy else { return skip == nil ? .block : .projection }
    return source(of: nodes[skip].operands[0]) == input && nodes[skip].operands[0] == input
      ? .networkInput : .block
  }
}

extension Replacement {
  fileprivate var diagram: NetworkDiagram.Replacement? {
    let way: NetworkDiagram.Replacement.Way =
      switch way {
      case .fromAbove: .fromAbove
      case .fromBelow: .fromBelow
      case .fromOutput: .fromOutput
      case .fromItself: .fromItself
      case .nothing: .nothing
      }
    return layers.isEmpty ? nil : .init(way, sign: sign, words: words, layers: layers)
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
