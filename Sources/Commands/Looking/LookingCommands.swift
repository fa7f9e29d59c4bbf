import CT
import CommandLanguage
import Figures
import Fingerprints
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let window = Parameter.key(
    "window", .choice(WindowRule.words), "what the picture shows, as in 'window'",
    default: .absent("the window chosen last; everything for tensors"))
  private static let setup = ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]
  private static let network = ["block channels=2", "conv", "train steps=1"]

  static let stats = Command(
    CommandSpec(
      "stats", family: .looking,
      summary: "Say shape, range, mean and spread of a tensor.",
      details: """
        NaN and infinite numbers are counted and left out of the rest, and so is padding. sha256 (in \
        --json) is that of the numbers as little-endian float32, row by row.
        """,
      parameters: [.word("name", .thing, "a tensor, with or without an index")],
      examples: [
        CommandExample("stats clean[1]", after: setup),
        CommandExample("stats b1.conv1.weight.grad", after: setup + network),
      ], seeAlso: ["show", "view"])
  ) { arguments, workspace, _ in
    let value = try workspace.value(arguments, "name")
    return Outcome(value.summary, result: value.json)
  }

  static let show = Command(
    CommandSpec(
      "show", family: .looking,
      summary: "Print the numbers of a tensor, at most a corner of 8 by 8.",
      parameters: [.word("name", .thing, "a tensor, with or without an index")],
      examples: [
        CommandExample("show clean[0, 10:14, 10:14]", after: setup),
        CommandExample("show c1.bias", after: setup + network),
      ], seeAlso: ["stats", "view"])
  ) { arguments, workspace, _ in
    let value = try workspace.value(arguments, "name")
    var outcome = Outcome(value.summary, result: value.json)
    guard value.tensor.shape.count > 1 else { return outcome }
    let plane = value.tensor.firstPlane
    let shown = plane.shape.extents.map { min(8, $0) }
    outcome.add(
      OutputTable(
        Array(repeating: .numbers(""), count: shown[1]),
        rows: (0..<shown[0]).map { row in
          (0..<shown[1]).map { column in
            "\(Double(plane.scalars[row * plane.shape[1] + column]), significant: 5)"
          }
        }))
    if shown[0] * shown[1] < value.tensor.shape.count {
      outcome.say("… the first \(shown[0])×\(shown[1]) of \(value.tensor.shape.description)")
    }
    return outcome
  }

  static let view = Command(
    CommandSpec(
      "view", family: .looking,
      summary: "Draw a slice, or the channels of a tensor, as a PNG.",
      details: """
        Gradients and updates are drawn with blue below zero, white at zero and orange above, on one \
        scale for all flows that the pass was walked or computed under. roi= draws the border of a \
        rectangle of rows and columns, as 'roi' takes it.
        """,
      parameters: [
        .word("name", .thing, "a tensor, with or without an index"), window,
        .key(
          "roi", .text(placeholder: "R0:R1,C0:C1"), "a rectangle to mark, rows and columns",
          default: .absent("none")),
      ],
      examples: [
        CommandExample("view noisy[1] window=lung", after: setup),
        CommandExample("view noisy[1] roi=4:12,8:20", after: setup),
        CommandExample("view b1.out[0]", after: setup + network),
      ], seeAlso: ["panel", "window", "save image"])
  ) { arguments, workspace, _ in
    let value = try workspace.value(arguments, "name")
    let planes = try value.planes(arguments)
    let signed = arguments.has("window") ? nil : workspace.signedScale(of: value)
    let window = try workspace.window(for: value, arguments)
    // Kernels and small maps grow by a whole factor; slices keep their size.
    let scale = value.isImage ? 1 : max(1, 64 / max(planes[0].width, planes[0].height))
    let grid = Grid(
      count: planes.count, cellWidth: planes[0].width * scale,
      cellHeight: planes[0].height * scale, gap: 2, maximumWidth: max(1024, planes[0].width))
    var picture: Picture
    if let signed {
      picture = signed.picture(of: grid.tiled(planes, scale: scale))
    } else {
      var canvas = Canvas(width: grid.width, height: grid.height)
      for (index, plane) in planes.enumerated() {
        let (x, y) = grid.origin(of: index)
        canvas.put(window.picture(of: plane), x: x, y: y, scale: scale)
      }
      picture = canvas.picture
    }
    if let region = arguments.textIfGiven("roi") {
      guard planes.count == 1, scale == 1 else {
        throw arguments.error(
          at: "roi", .shape, "\(value.name) is no single slice", hint: "add an index: noisy[0]")
      }
      picture = picture.outlining(
        try PixelRectangle(
          region, height: planes[0].height, width: planes[0].width, arguments, at: "roi"))
    }
    var outcome = try workspace.write(picture, name: value.name)
    if let signed {
      outcome.say("blue \(signed.low, significant: 4) … orange \(signed.high, significant: 4)")
    }
    return outcome
  }

  static let panel = Command(
    CommandSpec(
      "panel", family: .looking,
      summary: "Draw slices side by side in one window, with their figures.",
      details: """
        Each noisy, denoised or baseline slice gets its figures against the clean one burned in; \
        when a clean slice is among them, the difference of the last other one follows. Parts of \
        slices, noisy[3,100:200,80:180], and slices of other networks, second/denoised[3], may stand \
        beside each other.
        """,
      parameters: [
        .words("names", .thing, "slices, such as noisy[3] denoised[3] clean[3]"), window,
        .key(
          "zoom", .integer(1...16), "how many pixels of the picture a pixel becomes",
          default: .absent("1, more for small images")),
      ],
      examples: [
        CommandExample("panel noisy[1] clean[1] window=lung", after: setup),
        CommandExample("panel noisy[1,4:20,4:20] clean[1,4:20,4:20] zoom=8", after: setup),
        CommandExample("panel noisy[1] denoised[1] clean[1]", after: setup + network),
      ], seeAlso: ["view", "evaluate"])
  ) { arguments, workspace, _ in
    let names = arguments.words("names")
    var values: [NamedValue] = []
    for index in names.indices {
      let value = try workspace.value(arguments, "names", index: index)
      guard value.tensor.shape.rank >= 2,
        value.tensor.firstPlane.shape.count == value.tensor.shape.count
      else {
        throw arguments.error(
          at: "names", index: index, .shape,
          "\(value.name) is \(value.tensor.shape), not one slice",
          hint: "add an index: \(value.name)[0]")
      }
      if let first = values.first,
        first.plane.width != value.plane.width || first.plane.height != value.plane.height
      {
        throw arguments.error(
          at: "names", index: index, .shape,
          "\(value.name) is \(value.plane.height)×\(value.plane.width), \(first.name) is \(first.plane.height)×\(first.plane.width)",
          hint: "a panel shows slices of one size")
      }
      values.append(value)
    }
    let all = try workspace.requireSlices()
    let window = try workspace.window(for: values[0], arguments)
    let reference = values.first { $0.name.hasPrefix("clean") }
    var tiles = values.map { value in
      Panel.Tile(
        value.name, value.plane,
        lines: (reference ?? workspace.cleanCounterpart(of: value))
          .flatMap { value.figures(against: $0, all.unit) } ?? [])
    }
    let hasFigures = tiles.contains { !$0.lines.isEmpty }
    let isUnjudged = workspace.clean == nil && values.contains(where: \.isImage)
    if let reference, let judged = values.last(where: { $0.name != reference.name }) {
      tiles.append(
        Panel.Tile(
          difference: "\(judged.name) − \(reference.name)", judged.plane - reference.plane))
    }
    let unit = all.unit == .hounsfield ? "HU" : ""
    let panel = Panel(
      title: hasFigures
        ? "Figures: \(Convention.full.label(for: all.unit))"
        : isUnjudged ? "No clean image to judge by" : "Side by side",
      window: window, unit: unit, tiles: tiles, zoom: arguments.integerIfGiven("zoom"))
    let side = values.map { max($0.plane.width, $0.plane.height) }.max() ?? 1
    guard side * panel.magnification <= 16_384 else {
      throw arguments.error(
        at: "zoom", .limit, "slices of \(side) pixels would become too large", hint: "zoom=2")
    }
    let base = values.map { $0.name.prefix { $0 != "[" } }.joined(separator: "-")
    let index = names[0].firstIndex(of: "[").map { String(names[0][$0...]) } ?? ""
    var outcome = try workspace.write(
      panel.picture(), name: "panel-\(base)\(index)", notes: [TileFrame.note(panel.frames)])
    if isUnjudged { outcome.remarks.append("no figures: there is no clean image to judge by") }
    return outcome
  }

  static let windowCommand = Command(
    CommandSpec(
      "window", family: .looking,
      summary: "Choose which values later pictures show, from black to white.",
      details: """
        lung -600/1500, mediastinum 40/400, bone 480/2500, brain 40/80, liver 90/150 (center/width \
        in HU); file is the first window or lookup table (VOI LUT) of each slice's own file, or the \
        one with the number or name that follows; auto shows everything there is. Slices of \
        MONOCHROME1 files are drawn inverted in every window.
        """,
      parameters: [
        .word(
          "preset", .choice(WindowRule.words), "a named window",
          default: .absent("center= and width=")),
        .word(
          "which", .text(placeholder: "N|NAME"), "after file: which of its windows",
          default: .absent("the first")),
        .key(
          "center", .number(units: [.hounsfield]), "middle of the shown values",
          default: .absent("")),
        .key(
          "width", .number(units: [.hounsfield], .atLeast(1)), "extent of the shown values",
          default: .absent("")),
      ],
      examples: ["window lung", "window center=-600 width=1500"], seeAlso: ["view", "panel"],
      recipe: .window)
  ) { arguments, workspace, _ in
    if let name = arguments.choiceIfGiven("preset") {
      guard !arguments.has("center"), !arguments.has("width") else {
        throw arguments.error(
          at: "preset", .surplusArgument, "a named window and center= or width= are both given",
          hint: "leave one out")
      }
      let which = arguments.textIfGiven("which")
      guard which == nil || name == "file" else {
        throw arguments.error(
          at: "which", .surplusArgument, "\(name) is one window; nothing follows it",
          hint: "window \(name)")
      }
      if name == "file" {
        let place = which == nil ? "preset" : "which"
        _ = try workspace.fileWindow(
          ofSlice: 0, of: workspace.clean == nil ? "noisy" : "clean", which: which, arguments,
          at: place)
      }
      workspace.windowRule = WindowRule(named: name, which: which)
    } else if let center = arguments.numberIfGiven("center"),
      let width = arguments.numberIfGiven("width")
    {
      workspace.windowRule = .fixed(
        try Window(center: center.value, width: width.value))
    } else {
      throw arguments.error(
        .missingArgument, "no window is given",
        hint: "window lung, or window center=-600 width=1500")
    }
    return Outcome()
  }
}

// MARK: - Windows and pictures

extension Grid {
  /// The planes side by side on one, each number as a square of `scale` pixels, zeros between them.
  fileprivate func tiled(_ planes: [Plane], scale: Int) -> Plane {
    var values = [Float](repeating: 0, count: width * height)
    for (index, plane) in planes.enumerated() {
      let (x, y) = origin(of: index)
      for row in 0..<plane.height * scale {
        for column in 0..<plane.width * scale {
          values[(y + row) * width + x + column] =
            plane.values[row / scale * plane.width + column / scale]
        }
      }
    }
    return Plane(width: width, height: height, values: values)
  }
}

extension Workspace {
  /// Writes a picture whose file name begins with `name`, and reports it.
  fileprivate mutating func write(
    _ picture: Picture, name: String, notes: [PNG.Text] = []
  ) throws -> Outcome {
    let written = try write(picture, named: name, notes: notes)
    var outcome = Outcome()
    outcome.add(written)
    outcome.result = [
      "path": .string(written.path), "px": .string(written.fingerprint),
      "width": .integer(written.width), "height": .integer(written.height),
    ]
    return outcome
  }

  /// The clean slice, or the part of it, that an image value is judged by; nil where there is none.
  fileprivate mutating func cleanCounterpart(of value: NamedValue) -> NamedValue? {
    guard clean != nil, value.isImage else { return nil }
    return try? self.value("clean" + value.name.drop { $0 != "[" })
  }

  /// A symmetric color scale for signed numbers, the same for a gradient under every flow; nil for
  /// other names.
  fileprivate func signedScale(of value: NamedValue) -> ColorScale? {
    guard !value.isImage, let indexed = try? IndexedName(value.name) else { return nil }
    let (base, flow) = gradientName(indexed.name)
    let isSigned =
      flow != nil || [".grad", ".m", ".update"].contains { indexed.name.hasSuffix($0) }
    guard isSigned else { return nil }
    let same =
      flow == nil
      ? []
      : (inspected.passes.values.map { $0.gradient(base) }
        + inspected.gradients.values.map { gradients in
          network.parameterNames.firstIndex(of: base).map { gradients[$0] }
        }).compactMap { try? $0?.part(indexed.entries) }
    let limits = (same + [value.tensor]).map { tensor in
      tensor.scalars.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
    }
    return ColorScale(limit: Double(limits.max() ?? 0))
  }
}

extension NamedValue {
  /// One line: `clean[1] [32,32]  min -1000  max 812  mean -512.4  std 480.1`, or the only number.
  var summary: OutputLine {
    let found = statistics
    if tensor.shape.count == 1 { return "\(name)  \(Double(tensor.scalars[0]), significant: 7)" }
    if isPadding { return "\(name) \(tensor.shape.description)  all of it is padding" }
    var line: OutputLine = """
      \(name) \(tensor.shape.description)  min \(found.min, significant: 6)  \
      max \(found.max, significant: 6)  mean \(found.mean, significant: 6)  \
      std \(found.deviation, significant: 6)
      """
    if found.nanCount > 0 { line.fields += OutputLine("  nan \(found.nanCount)").fields }
    if found.infiniteCount > 0 { line.fields += OutputLine("  inf \(found.infiniteCount)").fields }
    return line
  }

  var json: JSONValue {
    let found = statistics
    return [
      "shape": .list(tensor.shape.extents) { .integer($0) }, "min": .number(found.min),
      "max": .number(found.max), "mean": .number(found.mean), "std": .number(found.deviation),
      "nan": .integer(found.nanCount), "inf": .integer(found.infiniteCount),
      "sha256": .string(tensor.fingerprint.description),
    ]
  }

  /// The first plane of the value.
  var plane: Plane {
    let plane = tensor.firstPlane
    return Plane(width: plane.shape[1], height: plane.shape[0], values: plane.scalars)
  }

  /// The range of the finite values.
  var range: ClosedRange<Float> {
    let found = statistics
    return found.count == 0 ? 0...0 : Float(found.min)...Float(found.max)
  }

  /// All planes of the value, as tiles.
  func planes(
    _ arguments: Arguments, _ argument: String = "name"
  ) throws(CommandError) -> [Plane] {
    let extents = tensor.shape.extents
    let size = extents.suffix(2).reduce(1, *)
    guard size > 0, tensor.shape.count / size <= 256 else {
      throw arguments.error(
        at: argument, .shape, "\(name) is \(tensor.shape): too many planes for one picture",
        hint: "add an index: \(name)[0]")
    }
    let (height, width) = (tensor.firstPlane.shape[0], tensor.firstPlane.shape[1])
    return stride(from: 0, to: tensor.shape.count, by: size).map {
      Plane(width: width, height: height, values: Array(tensor.scalars[$0..<$0 + size]))
    }
  }

  /// The lines under a tile: the figures against the clean slice.
  func figures(against clean: NamedValue, _ unit: ValueUnit) -> [String]? {
    guard name != clean.name, isImage else { return nil }
    let shape: Shape = [1, 1, plane.height, plane.width]
    let judged = FiguresOfMerit(
      tensor.reshaped(shape), clean: clean.tensor.reshaped(shape),
      range: Convention.full.range(for: unit), mask: clean.mask)
    guard let figures = judged else { return ["all of it is padding"] }
    return [
      "PSNR \(NumberFormat.fixed(2).string(figures.psnr)) dB  SSIM \(NumberFormat.fixed(3).string(figures.ssim))",
      "RMSE \(NumberFormat.fixed(2).string(figures.rmse))\(unit.suffix)",
    ]
  }
}

extension Tensor<Float> {
  /// The last two axes at index 0 of all others; a vector is one row.
  fileprivate var firstPlane: Tensor<Float> {
    let extents = Array(
      (Array(repeating: 1, count: max(0, 2 - shape.rank)) + shape.extents).suffix(2))
    return Tensor(shape: Shape(extents), scalars: Array(scalars.prefix(extents[0] * extents[1])))
  }
}
