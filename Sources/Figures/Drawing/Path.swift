/// A point of a drawing, in pixels from the upper left corner.
package struct Point: Hashable, Sendable {
  package var x: Double, y: Double

  package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

/// A path of lines and curves, to be filled or drawn along.
package struct Path: Hashable, Sendable {
  package enum Segment: Hashable, Sendable {
    case move(Point)
    case line(Point)
    /// A cubic Bézier curve through two control points.
    case curve(Point, Point, to: Point)
    case close
  }

  package private(set) var segments: [Segment] = []

  package init() {}

  package mutating func move(to point: Point) { segments.append(.move(point)) }
  package mutating func line(to point: Point) { segments.append(.line(point)) }
  package mutating func close() { segments.append(.close) }

  package mutating func curve(_ first: Point, _ second: Point, to end: Point) {
    segments.append(.curve(first, second, to: end))
  }

  /// Adds the parabola from `start` through one control point, as a cubic curve.
  mutating func parabola(from start: Point, _ control: Point, to end: Point) {
    func third(_ a: Double, _ b: Double) -> Double { (a + 2 * b) / 3 }
    curve(
      Point(third(start.x, control.x), third(start.y, control.y)),
      Point(third(end.x, control.x), third(end.y, control.y)), to: end)
  }

  /// A line through `points`.
  package static func line(_ points: [Point]) -> Path {
    var path = Path()
    for (index, point) in points.enumerated() {
      index == 0 ? path.move(to: point) : path.line(to: point)
    }
    return path
  }

  /// A closed polygon.
  package static func polygon(_ points: [Point]) -> Path {
    var path = line(points)
    path.close()
    return path
  }

  /// A rectangle, its corners rounded with `radius`.
  package static func rectangle(
    x: Double, y: Double, width: Double, height: Double, radius: Double = 0
  ) -> Path {
    let (right, bottom) = (x + width, y + height)
    guard radius > 0 else {
      return polygon([Point(x, y), Point(right, y), Point(right, bottom), Point(x, bottom)])
    }
    let r = min(radius, width / 2, height / 2)
    let c = r * (1 - arcControl)
    var path = Path()
    path.move(to: Point(x + r, y))
    path.line(to: Point(right - r, y))
    path.curve(Point(right - c, y), Point(right, y + c), to: Point(right, y + r))
    path.line(to: Point(right, bottom - r))
    path.curve(Point(right, bottom - c), Point(right - c, bottom), to: Point(right - r, bottom))
    path.line(to: Point(x + r, bottom))
    path.curve(Point(x + c, bottom), Point(x, bottom - c), to: Point(x, bottom - r))
    path.line(to: Point(x, y + r))
    path.curve(Point(x, y + c), Point(x + c, y), to: Point(x + r, y))
    path.close()
    return path
  }

  package static func circle(_ center: Point, radius: Double) -> Path {
    rectangle(
      x: center.x - radius, y: center.y - radius, width: 2 * radius, height: 2 * radius,
      radius: radius)
  }

  /// The distance of the control points of a quarter circle of radius 1: 4/3·(√2 − 1).
  private static let arcControl = 0.5522847498307936
}
