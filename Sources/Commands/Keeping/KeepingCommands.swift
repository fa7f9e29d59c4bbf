import CT
import CommandLanguage
import Figures
import Foundation
import Tensors
import Training

extension Command<Workspace> {
  private static let setup = ["phantom size=32 slices=2"]

  static let saveTensor = Command(
    CommandSpec(
      "save tensor", family: .keeping,
      summary: "Write the numbers of a tensor as a .npy file of float32.",
      parameters: [
        .word("name", .thing, "a tensor, with or without an index"),
        .word("file", .path, "the file, ending in .npy"), Parameter.replace,
      ],
      examples: [CommandExample("save tensor clean[0] slice.npy", after: setup)],
      seeAlso: ["save image", "load"])
  ) { arguments, workspace, _ in
    let value = try workspace.value(arguments, "name")
    let path = try arguments.path("file")
    guard path.lowercased().hasSuffix(".npy") else {
      throw arguments.error(
        at: "file", .wrongValue, "a tensor is written as .npy", hint: "\(path).npy")
    }
    let numbers = value.json
    try stopIfInterrupted()
    let place = try arguments.write(NPY.encode(value.tensor), to: path, in: workspace.files)
    var outcome = Outcome(
      "saved  \(file: path, at: place)  \(value.tensor.shape.description) float32",
      result: numbers)
    outcome.add(file: path, at: place)
    return outcome
  }

  static let saveImage = Command(
    CommandSpec(
      "save image", family: .keeping,
      summary: "Write a slice as PNG: 8 bits in a window, or 16 bits in HU.",
      details: """
        With bits=16 the grey levels are values under a straight line that is written into the file \
        (tEXt chunks RescaleSlope and RescaleIntercept); no window is applied. Numbers between 0 and \
        1 use all grey levels; values that are not finite become the lowest or highest one. A stack \
        becomes numbered files, all or none: slices.png stands for slices-0000.png and so on.
        """,
      parameters: [
        .word("name", .thing, "a slice, or a stack of them"),
        .word("file", .path, "the file, ending in .png"),
        .key(
          "window", .choice(WindowRule.words), "what 8 bits show",
          default: .absent("the window chosen last")),
        .key("bits", .choice(["8", "16"]), "bits of a grey level", default: .value("8")),
        Parameter.replace,
      ],
      examples: [
        CommandExample("save image clean[0] slice.png window=lung", after: setup),
        CommandExample("save image clean[0] slice-hu.png bits=16", after: setup),
        CommandExample("save image clean slices.png window=lung", after: setup),
      ], seeAlso: ["view", "save tensor"])
  ) { arguments, workspace, _ in
    let value = try workspace.value(arguments, "name")
    let path = try arguments.path("file")
    guard path.lowercased().hasSuffix(".png") else {
      throw arguments.error(
        at: "file", .wrongValue, "an image is written as .png", hint: "\(path).png")
    }
    let planes = value.isImage ? value.allPlanes : try value.planes(arguments)
    guard planes.count == 1 || value.isImage else {
      throw arguments.error(
        at: "name", .shape, "\(value.name) is \(value.tensor.shape), not one slice",
        hint: "add an index: \(value.name)[0]")
    }
    let isWide = try arguments.choice("bits") == "16"
    if isWide, arguments.has("window") {
      throw arguments.error(
        at: "window", .surplusArgument, "16 bits hold all values, no window applies",
        hint: "leave window= or bits=16 out")
    }
    let window = isWide ? nil : try workspace.window(for: value, arguments)
    let unit = workspace.slices?.unit == .hounsfield ? "HU" : "US"
    func png(of plane: Plane) -> PNG {
      window.map { PNG($0.picture(of: plane)) } ?? PNG.export16(plane, unit: unit)
    }
    guard planes.count == 1 else {
      return try workspace.save(
        planes.indices.lazy.map { (value.slice + $0, png(of: planes[$0])) }, as: path, arguments)
    }
    let png = png(of: planes[0])
    let place = try arguments.write(png, to: path, in: workspace.files)
    var outcome = Outcome()
    outcome.add(png.picture.recorded(as: path, at: place))
    outcome.result = ["path": .string(path), "px": .string(png.picture.pixelFingerprint)]
    outcome.warnings = planes[0].lossWarnings(bits: isWide ? 16 : 8)
    return outcome
  }
}

extension NamedValue {
  /// The planes of an image value: one a slice.
  fileprivate var allPlanes: [Plane] {
    let (width, height) = (plane.width, plane.height)
    return stride(from: 0, to: tensor.shape.count, by: width * height).map {
      Plane(width: width, height: height, values: Array(tensor.scalars[$0..<$0 + width * height]))
    }
  }
}

extension Workspace {
  /// Writes the pictures of a stack as numbered files, all or none.
  fileprivate func save(
    _ pictures: some Sequence<(Int, PNG)>, as path: String, _ arguments: Arguments
  ) throws -> Outcome {
    var items: [Files.Item] = []
    for (number, png) in pictures {
      try stopIfInterrupted()
      let digits = String(number)
      let name =
        path.dropLast(4) + "-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      items.append(Files.Item(path: "\(name).png", data: Data(try png.encoded())))
    }
    let places = try arguments.blaming("file") { () throws(CommandError) in
      try files.write(items, arguments.replacing)
    }
    guard let first = items.first, let last = items.last, let place = places.first,
      let end = places.last
    else { return Outcome() }
    var outcome = Outcome(
      """
      saved  \(file: first.path, at: place) … \(file: last.path, at: end)  \(items.count) slices
      """,
      result: ["files": .integer(items.count)])
    for (item, place) in zip(items, places) { outcome.add(file: item.path, at: place) }
    return outcome
  }
}

extension Plane {
  /// Warnings about values that are not finite, which a picture of `bits` bits shows as finite
  /// ones.
  fileprivate func lossWarnings(bits: Int) -> [String] {
    let nans = values.count(where: \.isNaN)
    let infinite = values.count(where: \.isInfinite)
    guard nans + infinite > 0 else { return [] }
    let shown = bits == 16 ? "the lowest grey level" : "white"
    return [
      "\(nans) NaN and \(infinite) infinite values: the picture shows NaN as \(shown),"
        + " infinities as the lowest or highest"
    ]
  }
}
