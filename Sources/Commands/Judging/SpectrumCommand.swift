import CT
import CommandLanguage
import Figures
import Tensors
import Training

extension Command<Workspace> {
  static let spectrum = Command(
    CommandSpec(
      "spectrum", family: .looking,
      summary: "Draw the noise power spectrum of slices.",
      details: """
        NPS = ΔxΔy/(NxNy)·mean |DFT(region − its mean)|² over regions of size= pixels side by side, \
        in HU²·mm²; its integral over frequencies is the variance. of=draws is the noise of noisy, \
        denoised and baseline slices: the difference of two draws of the noise, each passed through the \
        network or filter, over √2, which no structure and no shift enters, so that it is right for \
        networks, too. of=clean takes the difference to the clean slice, of=itself the slice as it is. \
        The curve is the mean over directions; form=plane draws the plane, frequency 0 in its middle.
        """,
      parameters: [
        .words("names", .thing, "stacks or slices, such as noisy denoised[3]"),
        .key(
          "of", .choice(["draws", "clean", "itself"]), "where the noise comes from",
          default: .absent("draws where the noise was made here, else clean; itself for clean")),
        .key(
          "size", .integer(8...256), "side of a region in pixels",
          default: .absent("64, or what fits")),
        .key(
          "draws", .integer(1...1000), "pairs of draws of each slice, for a smoother curve",
          default: .value("1")),
        .key("form", .choice(["radial", "plane"]), "what is drawn", default: .value("radial")),
      ] + FigureParameters.all,
      examples: [
        CommandExample(
          "spectrum noisy size=16",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]),
        CommandExample(
          "spectrum noisy baseline size=16",
          after: [
            "phantom size=32 slices=2", "noise gaussian sigma=40HU", "baseline gaussian sigma=1",
          ]),
      ], seeAlso: ["roi", "detect", "baseline gaussian"])
  ) { arguments, workspace, _ in
    let names = arguments.words("names")
    let found = try names.indices.map { try workspace.noisePower(arguments, index: $0) }
    let isInMillimeters = found.allSatisfy(\.isInMillimeters)
    let unit = (isHounsfield: try workspace.requireSlices().unit == .hounsfield, isInMillimeters)
    let powerUnit = "\(unit.isHounsfield ? "HU²" : "1")·\(isInMillimeters ? "mm²" : "px²")"
    let frequencyUnit = isInMillimeters ? "1/mm" : "1/px"
    let summaries = zip(names, found).map { name, spectrum -> OutputLine in
      let peak = spectrum.power.radial.max { $0.power < $1.power }
      return """
        \(name)  \(spectrum.power.count) regions of \(spectrum.power.size)×\(spectrum.power.size)  \
        sd \(spectrum.power.variance.squareRoot(), digits: 2)  integral \
        \(spectrum.power.integral, significant: 5)  most at \
        \(peak?.frequency ?? .nan, significant: 3) \(frequencyUnit)
        """
    }
    let result: JSONValue = [
      "unit": .string(powerUnit), "frequency_unit": .string(frequencyUnit),
      "rows": .list(zip(names, found).map { ($0, $1) }) { name, spectrum in
        let radial = spectrum.power.radial
        return [
          "name": .string(name), "regions": .integer(spectrum.power.count),
          "variance": .number(spectrum.power.variance),
          "integral": .number(spectrum.power.integral),
          "frequency": .list(radial) { .number($0.frequency) },
          "power": .list(radial) { .number($0.power) },
        ]
      },
    ]
    let isPlane = try arguments.choice("form") == "plane"
    return try workspace.show(
      name: "spectrum-\(names[0])", statistics: summaries, result: result, arguments
    ) { statistics in
      if isPlane {
        return HeatMap(
          title: "Noise power of \(names[0])", found[0].centered, unit: powerUnit,
          statistics: statistics)
      }
      return Plot(
        title: "Noise power", x: .init("frequency in \(frequencyUnit)"),
        y: .init("power in \(powerUnit)", includesZero: true),
        series: zip(names, found).map { name, spectrum in
          Plot.Series(name, spectrum.power.radial.map { Plot.Point(x: $0.frequency, y: $0.power) })
        }, statistics: statistics)
    }
  }
}

/// A spectrum, and whether its lengths are in mm.
private struct FoundSpectrum {
  let power: NoisePower
  let isInMillimeters: Bool

  /// The plane with frequency 0 in the middle.
  var centered: Plane {
    let (size, half) = (power.size, power.size / 2)
    return Plane(
      width: size, height: size,
      values: (0..<size * size).map { place in
        let (y, x) = ((place / size + size - half) % size, (place % size + size - half) % size)
        return Float(power.plane[y * size + x])
      })
  }
}

extension Workspace {
  fileprivate mutating func noisePower(
    _ arguments: Arguments, index: Int
  ) throws -> FoundSpectrum {
    let value = try value(arguments, "names", index: index)
    let stack = value.stackName
    guard value.isImage, value.tensor.shape.rank >= 2, !value.name.contains("/") else {
      throw arguments.error(
        at: "names", index: index, .shape, "\(value.name) is no stack of slices",
        hint: "clean, noisy, denoised or baseline, with or without an index")
    }
    let (height, width) = (
      value.tensor.shape.extents[value.tensor.shape.rank - 2],
      value.tensor.shape.extents[value.tensor.shape.rank - 1]
    )
    let size = arguments.integerIfGiven("size") ?? min(64, height, width)
    guard size <= min(height, width), size > 1 else {
      throw arguments.error(
        at: arguments.has("size") ? "size" : "names", .shape,
        "a region of \(size) pixels does not fit \(height)×\(width)", hint: "size=8, or less")
    }
    let plane = source(of: value.slice, in: stack)?.plane
    let isInMillimeters = plane?.rowSpacing != nil && plane?.columnSpacing != nil
    var power = NoisePower(
      size: size, rowSpacing: plane?.rowSpacing ?? 1, columnSpacing: plane?.columnSpacing ?? 1)
    let rule = noiseRule(stack, arguments)
    for pair in 0..<(rule == "draws" ? try arguments.integer("draws") : 1) {
      for (image, mask) in try noiseImages(value, stack, rule, pair: pair, arguments) {
        power.add(image, mask: mask)
        try stopIfInterrupted()
      }
    }
    power.finish()
    guard power.count > 0 else {
      throw arguments.error(
        at: "names", index: index, .data,
        "\(value.name) has no region of \(size)×\(size) pixels without padding",
        hint: "take a smaller size=")
    }
    return FoundSpectrum(power: power, isInMillimeters: isInMillimeters)
  }

  /// The word of `of=` that says where the noise of a stack comes from.
  private func noiseRule(_ stack: String, _ arguments: Arguments) -> String {
    arguments.choiceIfGiven("of")
      ?? (stack == "clean" || clean == nil ? "itself" : noise == nil ? "clean" : "draws")
  }

  /// The images whose power is taken, with their padding; of draws, those of one pair.
  private mutating func noiseImages(
    _ value: NamedValue, _ stack: String, _ rule: String, pair: Int, _ arguments: Arguments
  ) throws -> [(Tensor<Float>, [Bool]?)] {
    let index = value.name.firstIndex(of: "[").map { String(value.name[$0...]) } ?? ""
    var values = value.tensor
    switch rule {
    case "itself": break
    case "clean":
      let other = try self.value("clean\(index)").tensor
      for i in values.scalars.indices { values.scalars[i] -= other.scalars[i] }
    default:
      guard stack != "clean" else {
        throw arguments.error(
          at: "of", .wrongValue, "clean slices have no draws of noise", hint: "of=itself")
      }
      values = try drawDifference(stack, index, pair: pair)
    }
    let area = values.shape.extents.suffix(2).reduce(1, *)
    let rows = Array(values.shape.extents.suffix(2))
    return stride(from: 0, to: values.shape.count, by: area).map { start in
      (
        Tensor(shape: Shape(rows), scalars: Array(values.scalars[start..<start + area])),
        value.mask.map { Array($0[start..<start + area]) }
      )
    }
  }

  /// The difference of two draws over √2, the pair of a number, of the slices and the part of them that an index
  /// names.
  private mutating func drawDifference(
    _ stack: String, _ index: String, pair number: Int
  ) throws -> Tensor<Float> {
    let noise = try requireDrawnNoise("the spectrum")
    let clean = try requireClean()
    let entries = try IndexedName(stack + index).entries
    let numbers = Tensor<Float>(
      shape: [clean.count], scalars: (0..<clean.count).map(Float.init))
    let slices = try numbers.part(Array(entries.prefix(1))).scalars.map { Int($0) }
    let whole = PixelRectangle(rows: 0..<clean.height, columns: 0..<clean.width)
    var images: [Tensor<Float>] = []
    for slice in slices {
      let pair = try ["first", "second"].map { draw in
        try processed(
          try drawn(
            noise, slice: slice, rectangle: whole, signal: nil,
            stream: "spectrum/\(draw)/slice\(slice)\(number == 0 ? "" : "/pair\(number)")"),
          as: stack)
      }
      var difference = pair[0]
      for i in difference.scalars.indices {
        difference.scalars[i] = (pair[0].scalars[i] - pair[1].scalars[i]) * Float(0.5.squareRoot())
      }
      images.append(difference)
      try stopIfInterrupted()
    }
    let all = Tensor(joining: images)
    return try all.part([.range(lower: nil, upper: nil), .position(0)] + entries.dropFirst())
  }
}
