import CT
import CommandLanguage
import Figures
import Foundation
import Tensors

extension Command<Workspace> {
  static let plotProfile = Command(
    CommandSpec(
      "plot profile", family: .looking,
      summary: "Draw values along a straight line through slices or other images.",
      details: """
        noisy[3, 10,20 : 40,60] is the line from row 10, column 20 to row 40, column 60 of slice 3. \
        Points stand a pixel apart, their values come from the four pixels about them in proportion. \
        Several lines share a figure; 'plot profile noisy[3, 10,20 : 40,60] denoised clean' takes \
        the same line through all of them. Images are also what 'reconstruct' and 'tensor' made, and \
        those of a named network: second/denoised.
        """,
      parameters: [
        .rest("line", "a line such as noisy[3, 10,20 : 40,60], and further stacks or lines")
      ] + FigureParameters.all,
      examples: [
        CommandExample(
          "plot profile noisy[1, 10,4 : 20,28] clean",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"])
      ], seeAlso: ["plot", "roi"])
  ) { arguments, workspace, _ in
    let lines = try workspace.profileLines(arguments)
    let unit = try lines.allSatisfy(\.isOfSlices) ? workspace.requireSlices().unit.suffix : ""
    let spacing = lines.map { workspace.spacing(of: $0) }
    let isInMillimeters = spacing.allSatisfy { $0 != nil }
    var series: [Plot.Series] = []
    var summaries: [OutputLine] = []
    for (line, spacing) in zip(lines, spacing) {
      let values = try workspace.values(along: line)
      let step = line.step(isInMillimeters ? spacing : nil)
      series.append(
        Plot.Series(
          line.name, values.enumerated().map { Plot.Point(x: Double($0) * step, y: $1) }))
      let finite = values.filter(\.isFinite)
      summaries.append(
        """
        \(line.name)  \(values.count) points  min \(finite.min() ?? .nan, significant: 6)  \
        max \(finite.max() ?? .nan, significant: 6)
        """)
    }
    return try workspace.show(
      name: "plot-profile-\(lines[0].image)[\(lines[0].slice)]", statistics: summaries,
      result: [
        "unit": .string(isInMillimeters ? "mm" : "pixels"),
        "profiles": .list(series) { $0.profile },
      ], arguments
    ) { statistics in
      Plot(
        title: "Profile along a line", x: .init(isInMillimeters ? "mm" : "pixels"),
        y: .init(unit.isEmpty ? "value" : "value in\(unit)"), series: series,
        statistics: statistics)
    }
  }
}

/// A straight line through a slice, or through another tensor's image.
private struct ProfileLine {
  /// The name of the stack or tensor.
  let image: String
  /// The index of the slice, or of an image of height × width in the order of the tensor's numbers.
  let slice: Int
  /// Rows and columns of its ends.
  let from: (row: Int, column: Int), to: (row: Int, column: Int)

  /// The name without that of the network before it: `denoised` for `second/denoised`.
  var stack: String { image.split(separator: "/").last.map(String.init) ?? image }
  var isOfSlices: Bool { Workspace.stackNames.contains(stack) }

  var name: String {
    "\(image)[\(slice), \(from.row),\(from.column) : \(to.row),\(to.column)]"
  }

  var count: Int {
    let (down, right) = (Double(to.row - from.row), Double(to.column - from.column))
    return max(2, Int((down * down + right * right).squareRoot().rounded()) + 1)
  }

  /// The distance of two points, in pixels or, with a spacing of rows and columns, in mm.
  func step(_ spacing: (row: Double, column: Double)?) -> Double {
    let down = Double(to.row - from.row) * (spacing?.row ?? 1)
    let right = Double(to.column - from.column) * (spacing?.column ?? 1)
    return (down * down + right * right).squareRoot() / Double(count - 1)
  }
}

extension Workspace {
  /// Reads `noisy[3, 10,20 : 40,60] denoised clean`: images without a line take the last one.
  fileprivate mutating func profileLines(_ arguments: Arguments) throws -> [ProfileLine] {
    let text = try arguments.text("line")
    func wrong(_ what: String) -> CommandError {
      arguments.error(
        at: "line", .syntax, what, hint: "for example noisy[0, 10,4 : 20,28]")
    }
    var lines: [ProfileLine] = []
    var rest = text[...]
    while true {
      rest = rest.drop { $0 == " " }
      guard !rest.isEmpty else { break }
      let name = String(rest.prefix { $0 != "[" && $0 != " " })
      rest = rest.dropFirst(name.count)
      let index = rest.drop { $0 == " " }
      let numbers: [Int]
      if index.first == "[" {
        guard let end = index.firstIndex(of: "]") else {
          throw wrong("the line does not end with ]")
        }
        let inner = index[index.index(after: index.startIndex)..<end]
        rest = index[index.index(after: end)...]
        let found = inner.split(whereSeparator: { $0 == "," || $0 == ":" }).map {
          Int($0.filter { $0 != " " })
        }
        numbers = found.compactMap(\.self)
        guard found.count == 5, numbers.count == 5, inner.count(where: { $0 == ":" }) == 1 else {
          throw wrong("'\(inner)' is no line: it takes a slice and two points")
        }
      } else {
        guard let last = lines.last else { throw wrong("\(name) is no line through a slice") }
        numbers = [last.slice, last.from.row, last.from.column, last.to.row, last.to.column]
      }
      let line = ProfileLine(
        image: name, slice: numbers[0], from: (numbers[1], numbers[2]),
        to: (numbers[3], numbers[4]))
      try check(line, arguments)
      lines.append(line)
    }
    guard !lines.isEmpty else { throw wrong("no line is named") }
    return lines
  }

  /// Throws unless the line's image exists and holds its ends.
  private mutating func check(_ line: ProfileLine, _ arguments: Arguments) throws {
    let count: Int, height: Int, width: Int
    if line.isOfSlices {
      let all = try requireSlices()
      (count, height, width) = (all.count, all.height, all.width)
    } else {
      let shape = try value(line.image, at: "line", arguments).tensor.shape
      guard shape.rank >= 2 else {
        throw arguments.error(
          at: "line", .shape, "\(line.image) has no rows and columns: its shape is \(shape)",
          hint:
            "images are \(Self.stackNames.joined(separator: ", ")) and typed tensors of rank 2 or more"
        )
      }
      let sides = shape.extents.suffix(2)
      (height, width) = (sides[sides.startIndex], sides[sides.startIndex + 1])
      count = shape.extents.dropLast(2).reduce(1, *)
    }
    guard (0..<count).contains(line.slice), (0..<height).contains(line.from.row),
      (0..<height).contains(line.to.row), (0..<width).contains(line.from.column),
      (0..<width).contains(line.to.column)
    else {
      throw arguments.error(
        at: "line", .init(rawValue: "index"), "the line leaves \(line.image)",
        hint: "slices 0 to \(count - 1), rows 0 to \(height - 1), columns 0 to \(width - 1)")
    }
  }

  /// The distances of rows and of columns in mm; nil where they are not known.
  fileprivate func spacing(of line: ProfileLine) -> (row: Double, column: Double)? {
    guard line.isOfSlices else { return nil }
    let plane = source(of: line.slice, in: line.stack)?.plane
    guard let row = plane?.rowSpacing, let column = plane?.columnSpacing else { return nil }
    return (row, column)
  }

  /// The image that a line goes through.
  private mutating func image(of line: ProfileLine) throws -> NamedValue {
    if line.isOfSlices { return try value("\(line.image)[\(line.slice)]") }
    let leading = try value(line.image).tensor.shape.extents.dropLast(2)
    guard !leading.isEmpty else { return try value(line.image) }
    let position = Shape(Array(leading)).position(of: line.slice)
    return try value("\(line.image)[\(position.map { "\($0)" }.joined(separator: ","))]")
  }

  /// The values along a line, each the bilinear mean of four pixels; NaN where one is padding.
  fileprivate mutating func values(along line: ProfileLine) throws -> [Double] {
    let image = try image(of: line)
    let width = image.plane.width
    let pixels = image.plane.values.indices.map {
      image.mask?[$0] == true ? Double.nan : Double(image.plane.values[$0])
    }
    return (0..<line.count).map { point in
      let part = Double(point) / Double(line.count - 1)
      let row = Double(line.from.row) + part * Double(line.to.row - line.from.row)
      let column = Double(line.from.column) + part * Double(line.to.column - line.from.column)
      let (top, left) = (Int(row), Int(column))
      let (down, right) = (row - Double(top), column - Double(left))
      var sum = 0.0
      for (y, a) in [(top, 1 - down), (top + 1, down)] where a > 1e-12 {
        for (x, b) in [(left, 1 - right), (left + 1, right)] where b > 1e-12 {
          sum += a * b * pixels[y * width + x]
        }
      }
      return sum
    }
  }
}
