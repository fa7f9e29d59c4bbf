import CT
import CommandLanguage
import Figures
import Foundation
import Tensors

extension Command<Workspace> {
  static let plotProfile = Command(
    CommandSpec(
      "plot profile", family: .looking,
      summary: "Draw values along a straight line through slices.",
      details: """
        noisy[3, 10,20 : 40,60] is the line from row 10, column 20 to row 40, column 60 of slice 3. \
        Points stand a pixel apart, their values come from the four pixels about them in proportion. \
        Several lines share a figure; 'plot profile noisy[3, 10,20 : 40,60] denoised clean' takes \
        the same line through all of them.
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
    let unit = try workspace.requireSlices().unit.suffix
    let spacing = try lines.map { try workspace.spacing(of: $0) }
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
      name: "plot-profile-\(lines[0].stack)[\(lines[0].slice)]", statistics: summaries,
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

/// A straight line through a slice.
private struct ProfileLine {
  let stack: String
  let slice: Int
  /// Rows and columns of its ends.
  let from: (row: Int, column: Int), to: (row: Int, column: Int)

  var name: String {
    "\(stack)[\(slice), \(from.row),\(from.column) : \(to.row),\(to.column)]"
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
  /// Reads `noisy[3, 10,20 : 40,60] denoised clean`: stacks without a line take the last one.
  fileprivate func profileLines(_ arguments: Arguments) throws(CommandError) -> [ProfileLine] {
    let text = try arguments.text("line")
    let all = try requireSlices()
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
      guard Self.stackNames.contains(name) else {
        throw arguments.error(
          at: "line", .unknownName, "there is no stack of slices called '\(name)'",
          hint: Self.stackNames.joined(separator: ", "))
      }
      let index = rest.drop { $0 == " " }
      guard index.first == "[" else {
        guard let last = lines.last else { throw wrong("\(name) is no line through a slice") }
        lines.append(
          ProfileLine(stack: name, slice: last.slice, from: last.from, to: last.to))
        continue
      }
      guard let end = index.firstIndex(of: "]") else { throw wrong("the line does not end with ]") }
      let inner = index[index.index(after: index.startIndex)..<end]
      rest = index[index.index(after: end)...]
      let numbers = inner.split(whereSeparator: { $0 == "," || $0 == ":" }).map {
        Int($0.filter { $0 != " " })
      }
      guard numbers.count == 5, inner.count(where: { $0 == ":" }) == 1, !numbers.contains(nil)
      else {
        throw wrong("'\(inner)' is no line: it takes a slice and two points")
      }
      let found = numbers.compactMap(\.self)
      guard (0..<all.count).contains(found[0]), (0..<all.height).contains(found[1]),
        (0..<all.height).contains(found[3]), (0..<all.width).contains(found[2]),
        (0..<all.width).contains(found[4])
      else {
        throw arguments.error(
          at: "line", .init(rawValue: "index"), "the line leaves the slices",
          hint:
            "slices 0 to \(all.count - 1), rows 0 to \(all.height - 1), columns 0 to \(all.width - 1)"
        )
      }
      lines.append(
        ProfileLine(
          stack: name, slice: found[0], from: (found[1], found[2]), to: (found[3], found[4])))
    }
    guard !lines.isEmpty else { throw wrong("no line is named") }
    return lines
  }

  fileprivate func spacing(
    of line: ProfileLine
  ) throws(CommandError) -> (row: Double, column: Double)? {
    let plane = source(of: line.slice, in: line.stack)?.plane
    guard let row = plane?.rowSpacing, let column = plane?.columnSpacing else { return nil }
    return (row, column)
  }

  /// The values along a line, each the bilinear mean of four pixels; NaN where one is padding.
  fileprivate mutating func values(along line: ProfileLine) throws -> [Double] {
    let image = try value("\(line.stack)[\(line.slice)]")
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
