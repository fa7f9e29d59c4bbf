import CommandLanguage
import Figures
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let plotField = Command(
    CommandSpec(
      "plot field", family: .looking,
      summary: "Draw how much each input pixel moves a layer's middle pixel.",
      details: """
        The picture is the layer's effective receptive field: the size of the gradient of its middle pixel, \
        summed over channels, by each pixel of the input; the mean over up to 8 noisy training slices, or \
        over random numbers where none are loaded. Printed beside the theoretical side are the pixels that count at least 4.55 % of the largest one, and the \
        side of a square with as many. The network and its weights stay as they are.
        """,
      parameters: [
        .word(
          "name", .thing, "a layer, such as b2, or net.out", default: .absent("the last layer"))
      ] + FigureParameters.all,
      examples: [
        CommandExample(
          "plot field b2 as=text",
          after: [
            "phantom size=32 slices=2", "noise gaussian sigma=40HU", "block channels=4",
            "block channels=4", "conv",
          ])
      ], seeAlso: ["net show", "plot net", "plot"])
  ) { arguments, workspace, _ in
    let network = workspace.network
    try network.requireTrainable()
    let index = try workspace.fieldLayer(arguments)
    let name = network.layerNames[index]
    let theory = network.receptiveFields[index]
    let inputs = try workspace.fieldInputs(theory.side)
    let size = inputs.shape
    try workspace.requireMemory(
      StandardFlow().trainingBytes(
        of: network, BatchSize(batch: 1, height: size.height, width: size.width)),
      for: "a pass of \(size.height)×\(size.width)", hint: "take fewer channels or layers")
    let field = try interruptible { EffectiveField(ofLayer: index, in: network, inputs: inputs) }
    guard field.gradients.isFinite() else {
      throw arguments.error(
        .data, "the gradients of \(name) are not finite", hint: "'diagnose' says where NaN arose")
    }
    let shown = field.square(side: theory.side + 2)
    let rows = shown.rows.count, columns = shown.columns.count
    let plane = Plane(
      width: columns, height: rows,
      values: shown.rows.flatMap { row in
        shown.columns.map { field.gradients.scalars[row * size.width + $0] }
      })
    let isCut = theory.side > min(size.height, size.width)
    let statistics: OutputLine = """
      \(name)  theoretical \(theory.side)×\(theory.side) · effective \(field.side, digits: 1)×\
      \(field.side, digits: 1), \(field.pixels, "pixel")
      """
    var outcome = try workspace.show(
      name: "field-\(name)", statistics: [statistics],
      result: [
        "name": .string(name), "theoretical": .integer(theory.side),
        "effective": .number(field.side), "pixels": .integer(field.pixels),
        "images": .integer(size.batch), "scale": .string(theory.scaling.description),
      ], arguments
    ) { statistics in
      HeatMap(
        title: "Effective receptive field of \(name)", plane, firstRow: shown.rows.lowerBound,
        firstColumn: shown.columns.lowerBound, statistics: statistics)
    }
    if field.pixels == 0 {
      outcome.remarks.append(
        "no input pixel moves the middle pixel of \(name): its gradient is 0, 'diagnose' may say why"
      )
    }
    if isCut {
      outcome.remarks.append(
        "the images of \(size.height)×\(size.width) are smaller than the theoretical field, which they cut"
      )
    }
    return outcome
  }
}

extension Workspace {
  /// Returns the number of the layer that the argument names.
  fileprivate func fieldLayer(_ arguments: Arguments) throws(CommandError) -> Int {
    let names = network.layerNames
    guard arguments.has("name") else { return names.count - 1 }
    let text = try arguments.text("name")
    if text == "net.out" { return names.count - 1 }
    let layer = text.hasSuffix(".out") ? String(text.dropLast(".out".count)) : text
    if let index = names.firstIndex(of: layer) { return index }
    throw arguments.error(
      at: "name", .unknownName, "the network has no layer '\(text)'",
      hint: NearestNames.question(for: text, among: names)
        ?? "it has \((names + ["net.out"]).joined(separator: ", "))")
  }

  /// The images, in network range, on which a field of a theoretical side is measured.
  fileprivate func fieldInputs(_ side: Int) throws -> Tensor<Float> {
    let wanted = side + 2
    guard noisy != nil, let stack = clean ?? slices else {
      let size = try network.requireSmallSize(wanted)
      let stream = RandomStream(seed: settings.seed, name: "field/images")
      return Tensor(
        shape: [4, 1, size, size],
        scalars: (0..<4 * size * size).map { Float(stream.uniform(at: $0)) })
    }
    let images = try requireNoisy().images(Array(trainingSlices(stack).prefix(8)))
      .middle(side: wanted)
    let (height, width) = (images.shape.height, images.shape.width)
    try network.requireFitWhenPadded(height: height, width: width)
    let size = network.fitting(height: height, width: width) ?? (height, width)
    return try requireScale().toNetwork(images)
      .reflected(toHeight: size.height, width: size.width)
  }
}
