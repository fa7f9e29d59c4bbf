import CT
import CommandLanguage
import Figures
import Tensors

extension Command<Workspace> {
  static let roi = Command(
    CommandSpec(
      "roi", family: .looking,
      summary: "Say mean, noise and contrast of regions of slices.",
      details: """
        A region is a rectangle of a slice, noisy[3, 100:140, 60:90]: rows 100 to 139, columns 60 to 89. \
        sd is the standard deviation of its pixels; padding and what is not finite are left out. With \
        against=, the contrast-to-noise ratio of each is |mean − mean of that one| / sd of that one. \
        'view noisy[3] roi=100:140,60:90' draws it.
        """,
      parameters: [
        .words("names", .thing, "regions, such as noisy[3, 100:140, 60:90]"),
        .key("against", .thing, "the region of the background", default: .absent("no contrast")),
      ],
      examples: [
        CommandExample(
          "roi noisy[1, 10:20, 10:20] clean[1, 10:20, 10:20] against=noisy[1, 0:4, 0:32]",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"])
      ], seeAlso: ["stats", "view", "plot profile"])
  ) { arguments, workspace, _ in
    let regions = try arguments.words("names").indices.map { index in
      try workspace.region(arguments, "names", index: index)
    }
    let background =
      arguments.has("against") ? try workspace.region(arguments, "against", index: nil) : nil
    let unit = try workspace.requireSlices().unit.suffix
    let contrasts = regions.map { background.map($0.contrast) }
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [
          .words("region"), .numbers("mean\(unit)"), .numbers("sd"), .numbers("min"),
          .numbers("max"), .numbers("pixels"),
        ] + (background == nil ? [] : [.numbers("cnr")]),
        rows: zip(regions, contrasts).map { region, contrast in
          region.cells + (contrast.map { ["\($0, digits: 2)"] } ?? [])
        }))
    if let background {
      outcome.say(
        """
        against \(background.value.name)  mean \(background.statistics.mean, digits: 2)\(unit)  \
        sd \(background.statistics.deviation, digits: 2)
        """)
    }
    outcome.result = [
      "rows": .list(zip(regions, contrasts).map { ($0, $1) }) { region, contrast in
        .object(region.members + (contrast.map { [.init("cnr", .number($0))] } ?? []))
      },
      "cnr": contrasts.first.flatMap { $0 }.map { .number($0) } ?? .null,
    ]
    return outcome
  }
}

/// A part of a slice with its statistics.
private struct Region {
  let value: NamedValue
  var statistics: Statistics { value.statistics }

  var cells: [OutputLine] {
    let found = statistics
    return [
      OutputLine(value.name), "\(found.mean, digits: 2)", "\(found.deviation, digits: 2)",
      "\(found.min, digits: 1)", "\(found.max, digits: 1)", "\(found.count)",
    ]
  }

  var members: [JSONValue.Member] {
    let found = statistics
    return [
      .init("name", .string(value.name)), .init("mean", .number(found.mean)),
      .init("sd", .number(found.deviation)), .init("min", .number(found.min)),
      .init("max", .number(found.max)), .init("pixels", .integer(found.count)),
    ]
  }

  /// |mean − mean of the background| / sd of the background; infinite on one without noise.
  func contrast(against background: Region) -> Double {
    let (own, other) = (statistics, background.statistics)
    return abs(own.mean - other.mean) / other.deviation
  }
}

extension Workspace {
  fileprivate mutating func region(
    _ arguments: Arguments, _ argument: String, index: Int?
  ) throws -> Region {
    let value = try value(arguments, argument, index: index)
    let place = { (message: String, hint: String) -> CommandError in
      if let index {
        return arguments.error(at: argument, index: index, .shape, message, hint: hint)
      }
      return arguments.error(at: argument, .shape, message, hint: hint)
    }
    guard value.isImage, value.tensor.shape.rank >= 1 else {
      throw place(
        "\(value.name) is no region of a slice", "for example noisy[3, 100:140, 60:90]")
    }
    guard value.statistics.count > 0 else {
      throw place("\(value.name) holds no pixel that was measured", "take another region")
    }
    return Region(value: value)
  }
}

/// A rectangle of rows and columns of a slice.
struct PixelRectangle {
  let rows: Range<Int>, columns: Range<Int>

  init(rows: Range<Int>, columns: Range<Int>) { (self.rows, self.columns) = (rows, columns) }

  /// Reads `100:140,60:90`, or a region's name such as `noisy[3, 100:140, 60:90]`.
  init(
    _ text: String, height: Int, width: Int, _ arguments: Arguments, at argument: String
  ) throws(CommandError) {
    let wrong = arguments.error(
      at: argument, .wrongValue, "'\(text)' is no rectangle of a slice of \(height)×\(width)",
      hint: "rows and columns: roi=0:\(height / 2),0:\(width / 2)")
    let inner = text.contains("[") ? text : "slice[\(text)]"
    guard let entries = try? IndexedName(inner).entries.suffix(2), entries.count == 2 else {
      throw wrong
    }
    let ends = zip(entries, [height, width]).map { entry, extent -> Range<Int>? in
      guard case .range(let lower, let upper) = entry else { return nil }
      let (low, high) = (lower ?? 0, upper ?? extent)
      return low >= 0 && low < high && high <= extent ? low..<high : nil
    }
    guard let rows = ends[0], let columns = ends[1] else { throw wrong }
    (self.rows, self.columns) = (rows, columns)
  }
}

extension Picture {
  /// The picture in color with the border of a rectangle of pixels drawn around it in yellow.
  func outlining(_ rectangle: PixelRectangle) -> Picture {
    var samples = color == .rgb ? self.samples : self.samples.flatMap { [$0, $0, $0] }
    func mark(_ row: Int, _ column: Int) {
      guard (0..<height).contains(row), (0..<width).contains(column) else { return }
      let place = 3 * (row * width + column)
      (samples[place], samples[place + 1], samples[place + 2]) = (255, 210, 0)
    }
    for column in rectangle.columns.lowerBound - 1...rectangle.columns.upperBound {
      mark(rectangle.rows.lowerBound - 1, column)
      mark(rectangle.rows.upperBound, column)
    }
    for row in rectangle.rows.lowerBound - 1...rectangle.rows.upperBound {
      mark(row, rectangle.columns.lowerBound - 1)
      mark(row, rectangle.columns.upperBound)
    }
    return Picture(width: width, height: height, color: .rgb, samples: samples)
  }
}
