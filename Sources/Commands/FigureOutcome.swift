import CommandLanguage
import Figures
import Foundation

/// What the commands that draw figures have in common.
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
  ///   - name: What the file is called if nobody says.
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
    let figure = draw(statistics.map(\.rendered))
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
      if let file, kind == ".png" {
        outcome.add(try write(try drawing.picture(), to: file, arguments))
      } else if style == nil {
        outcome.add(try write(try drawing.picture(), named: name))
      }
      if let file, kind == ".svg" {
        let place = try arguments.write(Data(try drawing.svg().utf8), to: file, in: files)
        outcome.say("svg  \(file: file, at: place)  \(drawing.width)×\(drawing.height)")
        outcome.add(file: file, at: place)
      }
    }
    for line in statistics { outcome.say(line) }
    outcome.result = result
    return outcome
  }

  /// Writes a picture where a person or a script said.
  private func write(
    _ picture: Figures.Picture, to path: String, _ arguments: Arguments
  ) throws -> CommandLanguage.Picture {
    let place = try arguments.write(PNG(picture), to: path, in: files)
    return picture.recorded(as: path, at: place)
  }
}
