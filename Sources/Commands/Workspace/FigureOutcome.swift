import CommandLanguage
import Figures
import Foundation

/// The parameters shared by all commands that draw figures.
enum FigureParameters {
  static let form = Parameter.key(
    "as", .choice(["picture"] + TextStyle.allCases.map(\.rawValue)),
    "a PNG, or characters in the transcript: text has braille and blocks, ascii only ASCII",
    default: .value("picture"))
  static let file = Parameter.key(
    "file", .path, "the file: .png, or .svg beside the PNG",
    default: .absent("a PNG with a name of its own"))
  static let axis = Parameter.key(
    "axis", .choice(["auto"] + AxisScale.Kind.allCases.map(\.rawValue)),
    "how the values are spaced; auto chooses log where they span more than two decades",
    default: .value("auto"))

  static let all = [form, file, Parameter.replace]
}

extension Drawing {
  /// The drawing for a host that shows it: a notebook's column is about this wide.
  fileprivate var shown: String { get throws(PictureError) { try svg(shownAtMost: 700) } }
}

extension Arguments {
  /// The kind of axis that `axis=` asks for, or that suits `values`.
  func axisKind(suiting values: [Double]) throws(CommandError) -> AxisScale.Kind {
    if let kind = AxisScale.Kind(rawValue: try choice("axis")) { return kind }
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max(), low > 0 else { return .linear }
    return high > 100 * low ? .logarithmic : .linear
  }
}

extension Workspace {
  /// Shows a figure as its command asks, and its statistics under it.
  ///
  /// - Parameters:
  ///   - name: The name from which the file's is made when `file=` is not given.
  ///   - statistics: The lines that `draw` puts under the figure, too.
  ///   - result: The numbers for `--json`.
  ///   - arguments: `as=` and `file=`.
  ///   - draw: Makes the figure from the lines of statistics.
  /// - Returns: The text or the picture, with the statistics.
  /// - Throws: `CommandError` when the file cannot be written.
  mutating func show(
    name: String, statistics: [OutputLine], result: JSONValue, _ arguments: Arguments,
    draw: ([String]) -> any Figure
  ) throws -> Outcome {
    let figure = draw(statistics.map(\.shown))
    try stopIfInterrupted()
    let file = arguments.pathIfGiven("file")
    let kind = file.map { $0.lowercased().suffix(4) }
    if let file, kind != ".png", kind != ".svg" {
      throw arguments.error(
        at: "file", .wrongValue, "a figure is written as .png or .svg", hint: "\(file).png")
    }
    var outcome = Outcome()
    let style = TextStyle(rawValue: try arguments.choice("as"))
    if let style {
      outcome.say(OutputLine(figure.title))
      for line in figure.text(style) { outcome.say(OutputLine(line)) }
    }
    if style == nil || file != nil {
      let drawing = figure.drawing()
      try stopIfInterrupted()
      try write(drawing, as: file, named: style == nil ? name : nil, arguments, &outcome)
    }
    for line in statistics { outcome.say(line) }
    outcome.result = result
    return outcome
  }

  /// Writes a drawing to the given file, and as an automatic picture where that is no PNG, all or
  /// none.
  private mutating func write(
    _ drawing: Drawing, as file: String?, named name: String?, _ arguments: Arguments,
    _ outcome: inout Outcome
  ) throws {
    if let file, file.lowercased().hasSuffix(".png") {
      let picture = try drawing.picture()
      let place = try arguments.write(PNG(picture), to: file, in: files)
      var recorded = picture.recorded(as: file, at: place)
      if keepsDrawings { recorded.drawing = try drawing.shown }
      return outcome.add(recorded)
    }
    let svg = try file.map { file in
      Files.Item(path: file, data: Data(try drawing.svg().utf8), isPicture: false)
    }
    try arguments.blaming("file") { () throws(CommandError) in
      if let svg { try files.requireFree(svg.path, arguments.replacing) }
    }
    if let name {
      let pictures = [(try drawing.picture(), name, [PNG.Text]())]
      let items = svg.map { [$0] } ?? []
      for var picture in try write(pictures, with: items, arguments) {
        if keepsDrawings { picture.drawing = try drawing.shown }
        outcome.add(picture)
      }
    } else if let svg {
      try arguments.blaming("file") { () throws(CommandError) in
        _ = try files.write([svg], arguments.replacing)
      }
    }
    guard let svg else { return }
    let place = try files.writing(svg.path)
    outcome.say("svg  \(file: svg.path, at: place)  \(drawing.width)×\(drawing.height)")
    outcome.add(file: svg.path, at: place)
  }
}
