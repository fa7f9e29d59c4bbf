/// A drawing of shapes and text, which is converted to PNG or SVG.
///
/// Coordinates are pixels from the upper left corner; the background is white.
package struct Drawing: Hashable, Sendable {
  package struct Fill: Hashable, Sendable {
    package let color: RGB
    /// The opacity, from 0, invisible, to 1.
    package let opacity: Double

    package init(_ color: RGB, opacity: Double = 1) {
      (self.color, self.opacity) = (color, opacity)
    }
  }

  package struct Stroke: Hashable, Sendable {
    package let color: RGB
    package let width: Double
    /// The lengths of dashes and gaps in turn; empty for a solid line.
    package let dashes: [Double]

    package init(_ color: RGB, width: Double = 1, dashes: [Double] = []) {
      (self.color, self.width, self.dashes) = (color, width, dashes)
    }
  }

  /// A line of text.
  package struct Label: Hashable, Sendable {
    /// The part of the text that is at its place.
    package enum Anchor: String, Hashable, Sendable {
      case start
      case middle
      case end
    }

    package let text: String
    /// The place of the text on its baseline.
    package let place: Point
    package let size: Double
    package let isBold: Bool
    package let color: RGB
    package let anchor: Anchor

    var font: OutlineFont { isBold ? .bold : .regular }

    /// The place where the first letter begins.
    var start: Point {
      let width = font.width(of: text, size: size)
      switch anchor {
      case .start: return place
      case .middle: return Point(place.x - width / 2, place.y)
      case .end: return Point(place.x - width, place.y)
      }
    }
  }

  /// A picture of whole pixels, each a square of `scale` pixels.
  package struct Image: Hashable, Sendable {
    package let picture: Picture
    package let x: Int, y: Int
    package let scale: Int
  }

  package enum Mark: Hashable, Sendable {
    case shape(Path, fill: Fill?, stroke: Stroke?)
    case label(Label)
    case image(Image)
  }

  package let width: Int, height: Int
  /// The title, also for readers who do not see the drawing.
  package let title: String
  /// A description for readers who do not see the drawing.
  package let description: String
  package private(set) var marks: [Mark] = []

  package init(width: Int, height: Int, title: String, description: String) {
    precondition(width > 0 && height > 0, "A drawing has at least one pixel.")
    (self.width, self.height) = (width, height)
    (self.title, self.description) = (title, description)
  }

  // MARK: - Adding marks

  package mutating func fill(_ path: Path, _ color: RGB, opacity: Double = 1) {
    marks.append(.shape(path, fill: Fill(color, opacity: opacity), stroke: nil))
  }

  package mutating func stroke(
    _ path: Path, _ color: RGB, width: Double = 1, dashes: [Double] = []
  ) {
    marks.append(.shape(path, fill: nil, stroke: Stroke(color, width: width, dashes: dashes)))
  }

  /// Fills a path and draws along it.
  package mutating func shape(_ path: Path, fill: RGB, stroke: Stroke) {
    marks.append(.shape(path, fill: Fill(fill), stroke: stroke))
  }

  package mutating func write(
    _ text: String, at place: Point, size: Double = Look.textSize, bold: Bool = false,
    color: RGB = Look.text, anchor: Label.Anchor = .start
  ) {
    guard !text.isEmpty else { return }
    marks.append(
      .label(
        Label(text: text, place: place, size: size, isBold: bold, color: color, anchor: anchor)))
  }

  package mutating func put(_ picture: Picture, x: Int, y: Int, scale: Int = 1) {
    precondition(picture.depth == .eight, "A drawing takes 8-bit pictures, not \(picture.format).")
    marks.append(.image(Image(picture: picture, x: x, y: y, scale: scale)))
  }

  /// Draws a line from `start` to `end` with a head at its end.
  package mutating func arrow(
    from start: Point, to end: Point, _ color: RGB, width: Double = 1.5
  ) {
    stroke(.line([start, Self.shaft(from: start, to: end)]), color, width: width)
    arrowHead(at: end, from: start, color)
  }

  /// Draws the head of an arrow that comes from `start`.
  package mutating func arrowHead(
    at end: Point, from start: Point, _ color: RGB, size: Double = 9
  ) {
    let (dx, dy) = Self.direction(from: start, to: end)
    let (x, y) = (end.x - dx * size, end.y - dy * size)
    let half = size * 0.42
    fill(
      .polygon([end, Point(x - dy * half, y + dx * half), Point(x + dy * half, y - dx * half)]),
      color)
  }

  /// The end of an arrow's line, so that it does not stick out of the head.
  private static func shaft(from start: Point, to end: Point) -> Point {
    let (dx, dy) = direction(from: start, to: end)
    return Point(end.x - dx * 6, end.y - dy * 6)
  }

  private static func direction(from start: Point, to end: Point) -> (Double, Double) {
    let (x, y) = (end.x - start.x, end.y - start.y)
    let length = (x * x + y * y).squareRoot()
    return length > 0 ? (x / length, y / length) : (1, 0)
  }
}
