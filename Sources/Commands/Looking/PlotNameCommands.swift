import CT
import CommandLanguage
import Figures
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let setup = ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]
  private static let network = ["block channels=2", "conv", "train steps=1"]
  private static let name = Parameter.word("name", .thing, "a tensor, with or without an index")

  static let hist = Command(
    CommandSpec(
      "hist", family: .looking,
      summary: "Draw how often which numbers occur in a tensor.",
      details: "NaN and infinite numbers are counted and left out, and so is padding.",
      parameters: [
        name,
        .key("bins", .integer(1...1000), "how many equal parts", default: .value("40")),
        .key(
          "counts", .choice(AxisScale.Kind.allCases.map(\.rawValue)),
          "how the counts are spaced; log shows rare numbers", default: .value("linear")),
      ] + FigureParameters.all,
      examples: [
        CommandExample("hist clean[1] bins=32", after: setup),
        CommandExample("hist b1.conv1.weight.grad as=text", after: setup + network),
      ], seeAlso: ["stats", "plot", "kernels"])
  ) { arguments, workspace, _ in
    let value = try workspace.value(arguments, "name")
    let values =
      value.mask.map { mask in
        zip(value.tensor.scalars, mask).compactMap { $1 ? nil : $0 }
      } ?? value.tensor.scalars
    let bins = try arguments.integer("bins")
    let kind = try arguments.choice("counts", as: AxisScale.Kind.self)
    let unit = value.isImage ? try workspace.requireSlices().unit.suffix : ""
    guard !value.isPadding else {
      throw arguments.error(
        at: "name", .data, "all of \(value.name) is padding, which is not counted",
        hint: "name a slice, or a part of one, with pixels that were measured")
    }
    guard values.contains(where: \.isFinite) else {
      throw arguments.error(
        at: "name", .data, "\(value.name) holds no finite number to count",
        hint: "'diagnose' says where NaN arose, 'stats \(value.name)' how many there are")
    }
    let counted = Histogram(
      title: "Histogram of \(value.name)", name: unit.isEmpty ? "value" : "value in\(unit)",
      values: values, bins: bins, isLogarithmic: kind == .logarithmic
    ) { Parallelism.isOver }
    try stopIfInterrupted()
    return try workspace.show(
      name: "hist-\(value.name)", statistics: [value.summary],
      result: [
        "edges": .list(counted.edges) { .number($0) },
        "counts": .list(counted.counts) { .integer($0) },
      ], arguments, draw: counted.telling)
  }

  static let plot = Command(
    CommandSpec(
      "plot", family: .looking,
      summary: "Draw a plane of a tensor in colors, or rows and columns as lines.",
      details: """
        A row of a slice is clean[14,256], a column clean[14,:,256], a pixel through all slices \
        clean[:,256,256]; several of one kind share a figure, padding leaves a gap. The plane has its \
        scale beside it: numbers of both signs are blue below zero, white at zero and orange above, on a scale \
        symmetric about zero; numbers of one sign go from dark to bright. Small planes show their \
        numbers. A picture in grey, in a window, is 'view'.
        """,
      parameters: [
        .words("names", .thing, "a tensor, with or without an index, or several rows"),
        .key(
          "along", .choice(["pixels", "mm"]), "the axis under a row or column",
          default: .value("pixels")),
      ] + FigureParameters.all,
      examples: [
        CommandExample("plot noisy[1,16] clean[1,16] along=mm", after: setup),
        CommandExample("plot b1.out.grad[0,1]", after: setup + network),
        CommandExample("plot b1.conv1.weight[0,0] as=text", after: setup + network),
      ], seeAlso: ["view", "kernels", "hist", "plot loss", "plot net"])
  ) { arguments, workspace, _ in
    let names = arguments.words("names")
    let values = try names.indices.map { try workspace.value(arguments, "names", index: $0) }
    let profiles = values.compactMap(Profile.init)
    if profiles.count == values.count { return try workspace.plotProfiles(profiles, arguments) }
    if values.count > 1, let index = values.firstIndex(where: { Profile($0) == nil }) {
      throw arguments.error(
        at: "names", index: index, .shape,
        "\(names[index]) is \(values[index].tensor.shape), not one row or column",
        hint: "several in one figure are rows or columns, such as clean[14,256]")
    }
    let value = values[0]
    if arguments.has("along") {
      throw arguments.error(
        at: "along", .surplusArgument,
        "\(value.name) is \(value.tensor.shape), not a row or column",
        hint: "along= belongs to rows and columns, such as clean[14,256]")
    }
    let planes = try value.planes(arguments, "names")
    guard planes.count == 1 else {
      throw arguments.error(
        at: "names", .shape, "\(value.name) is \(value.tensor.shape), not one plane",
        hint: "add an index: \(value.name)[0]")
    }
    guard max(planes[0].width, planes[0].height) <= 4096 else {
      throw arguments.error(
        at: "names", .shape, "\(value.name) is \(value.tensor.shape): too large for one picture",
        hint: "add an index with ranges, at most 4096 rows and columns")
    }
    let first = value.firstIndices
    let unit = value.isImage ? try workspace.requireSlices().unit.suffix : ""
    return try workspace.show(
      name: "plot-\(value.name)", statistics: [value.summary], result: value.json, arguments
    ) { statistics in
      HeatMap(
        title: value.name, planes[0], unit: unit, firstRow: first.row, firstColumn: first.column,
        statistics: statistics)
    }
  }

  static let kernels = Command(
    CommandSpec(
      "kernels", family: .looking,
      summary: "Draw the kernels of a convolution and their gradients as tiles.",
      details: """
        A row for each output channel, a column for each input channel. Blue is below zero, white \
        zero, orange above. After a pass, the gradients under the flow in use stand beside them, on \
        a scale of their own.
        """,
      parameters: [
        .word("name", .thing, "a convolution, such as b1.conv1 or c1, or its weight")
      ] + FigureParameters.all,
      examples: [
        CommandExample("kernels c1", after: setup + ["conv channels=4", "conv"]),
        CommandExample("kernels b1.conv1", after: setup + network),
      ], seeAlso: ["view", "plot", "stats"])
  ) { arguments, workspace, _ in
    let name = try workspace.kernelName(arguments)
    let weight = try workspace.value(name)
    let shape = weight.tensor.shape
    guard KernelTiles.fits(outputs: shape[0], inputs: shape[1], width: shape[3], height: shape[2])
    else {
      throw arguments.error(
        at: "name", .shape, "\(name) is \(shape): too many kernels for one picture",
        hint: "view \(name)[0] shows those of one output channel")
    }
    var values = [weight]
    if workspace.lastPass != nil { values.append(try workspace.value("\(name).grad")) }
    let groups = try values.map { KernelTiles.Group($0.name, try $0.planes(arguments)) }
    return try workspace.show(
      name: "kernels-\(name)", statistics: values.map(\.summary),
      result: .object(zip(["weight", "gradient"], values).map { .init($0, $1.json) }), arguments
    ) { statistics in
      KernelTiles(
        title: "Kernels of \(name.dropLast(".weight".count))", outputs: shape[0], inputs: shape[1],
        groups: groups, statistics: statistics)
    }
  }
}

extension Workspace {
  /// The name of the weight that the first argument means: itself, its convolution's, or that of the
  /// only convolution of a layer.
  fileprivate func kernelName(_ arguments: Arguments) throws(CommandError) -> String {
    let text = try arguments.text("name")
    let weights = network.parameterNames.filter { $0.hasSuffix(".weight") }
    if let weight = weights.first(where: { $0 == text || $0 == "\(text).weight" }) { return weight }
    let inside = weights.filter { $0.hasPrefix("\(text).") }
    if inside.count == 1 { return inside[0] }
    let known = weights.map { String($0.dropLast(".weight".count)) }
    throw arguments.error(
      at: "name", .unknownName,
      inside.isEmpty ? "there is no convolution '\(text)'" : "\(text) has several convolutions",
      hint: inside.isEmpty
        ? NearestNames.question(for: text, among: known)
          ?? (known.isEmpty
            ? "the network has no layers yet" : "there are \(known.joined(separator: " "))")
        : "one of \(inside.map { String($0.dropLast(".weight".count)) }.joined(separator: " "))")
  }
}

extension NamedValue {
  /// The indices of the first row and column of the plane within the whole tensor.
  fileprivate var firstIndices: (row: Int, column: Int) {
    guard let entries = try? IndexedName(name).entries, entries.count == (isImage ? 3 : 4) else {
      return (0, 0)
    }
    let starts = entries.suffix(2).map { entry in
      if case .range(let lower, _) = entry { max(lower ?? 0, 0) } else { 0 }
    }
    return (starts[0], starts[1])
  }
}
