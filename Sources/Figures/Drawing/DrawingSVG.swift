import Foundation
import Tensors

extension Drawing {
  /// Returns the drawing as an SVG document that needs no other file.
  ///
  /// Text stays text, so that it can be found, read aloud and translated; its font is the embedded
  /// one where the reader has it.
  ///
  /// - Parameter widest: The width in pixels at which a wider drawing is shown, if its text stays legible
  ///   there; nil for its own.
  /// - Returns: The document.
  /// - Throws: `PictureError` when an image in it cannot be encoded.
  package func svg(shownAtMost widest: Int? = nil) throws(PictureError) -> String {
    let scale = scale(fitting: widest ?? width)
    let shown = [width, height].map { Int((scale * Double($0)).rounded()) }
    var lines = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(shown[0])" height="\(shown[1])" \
      viewBox="0 0 \(width) \(height)" role="img" \
      font-family="'DejaVu Sans', Verdana, sans-serif" \
      stroke-linecap="round" stroke-linejoin="round">
      """,
      "<title>\(escaped(title))</title>",
      "<desc>\(escaped(description))</desc>",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"#FFFFFF\"/>",
    ]
    for mark in marks {
      switch mark {
      case .shape(let path, let fill, let stroke): lines.append(element(path, fill, stroke))
      case .label(let label): lines.append(element(label))
      case .image(let image): lines.append(try element(image))
      }
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  /// The factor by which the drawing is shown smaller, so that it is no wider; 1 where its text would become
  /// too small.
  private func scale(fitting widest: Int) -> Double {
    let scale = min(1, Double(widest) / Double(width))
    return scale < 0.7 ? 1 : scale
  }

  private func element(_ path: Path, _ fill: Fill?, _ stroke: Stroke?) -> String {
    let data = path.segments.map { segment in
      switch segment {
      case .move(let point): "M\(pair(point))"
      case .line(let point): "L\(pair(point))"
      case .curve(let first, let second, let end): "C\(pair(first)) \(pair(second)) \(pair(end))"
      case .close: "Z"
      }
    }.joined()
    var attributes = ["d=\"\(data)\"", "fill=\"\(fill?.color.code ?? "none")\""]
    if let fill, fill.opacity < 1 { attributes.append("fill-opacity=\"\(short(fill.opacity))\"") }
    if let stroke {
      attributes.append("stroke=\"\(stroke.color.code)\" stroke-width=\"\(short(stroke.width))\"")
      if !stroke.dashes.isEmpty {
        let dashes = stroke.dashes.map(short).joined(separator: " ")
        attributes.append("stroke-dasharray=\"\(dashes)\"")
      }
    }
    return "<path \(attributes.joined(separator: " "))/>"
  }

  private func element(_ label: Label) -> String {
    let weight = label.isBold ? " font-weight=\"bold\"" : ""
    let anchor = label.anchor == .start ? "" : " text-anchor=\"\(label.anchor.rawValue)\""
    return """
      <text x="\(short(label.place.x))" y="\(short(label.place.y))" \
      font-size="\(short(label.size))" fill="\(label.color.code)"\(weight)\(anchor) \
      xml:space="preserve">\(escaped(label.text))</text>
      """
  }

  private func element(_ image: Image) throws(PictureError) -> String {
    let bytes = try PNG(image.picture).encoded()
    return """
      <image x="\(image.x)" y="\(image.y)" width="\(image.picture.width * image.scale)" \
      height="\(image.picture.height * image.scale)" style="image-rendering:pixelated" \
      href="data:image/png;base64,\(Data(bytes).base64EncodedString())"/>
      """
  }

  private func pair(_ point: Point) -> String { "\(short(point.x)) \(short(point.y))" }

  /// A coordinate to a hundredth of a pixel.
  private func short(_ value: Double) -> String { ((value * 100).rounded() / 100).shortest }

  /// Text for XML: markup escaped, characters that XML does not allow replaced.
  private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "\n"
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
