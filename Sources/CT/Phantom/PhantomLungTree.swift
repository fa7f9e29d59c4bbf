import Tensors

/// The arteries or the veins of one lung: a tree of tapering tubes that fills it.
///
/// From the root, the tree heads for the middle of a cloud of end points, divides the cloud in two,
/// and goes on with each part until single points remain. A tube's radius follows the number n of
/// ends that it feeds, r = r₁·n^(5/16), close to Murray's cube
/// root (1926).
struct PhantomLungTree: Sendable {
  /// A straight piece of a vessel.
  struct Tube: Sendable {
    var start: Place, end: Place
    /// The radii at both ends in mm.
    var startRadius: Float, endRadius: Float
    /// The ends fed through it.
    var ends: Int
  }

  let side: PhantomSide
  /// Whether airways run beside these vessels.
  let hasAirways: Bool
  private(set) var tubes: [Tube] = []

  private let stream: RandomStream
  private let endRadius: Float
  private var drawn = 0

  init(arteriesOf side: PhantomSide, _ build: PhantomBuild, stream: RandomStream) {
    let root: Place = Place(34 * side.sign, 1, side == .right ? 124 : 130)
    self.init(side, build, stream, root: root, ends: 1500, endRadius: 0.55, airways: true)
  }

  init(veinsOf side: PhantomSide, _ build: PhantomBuild, stream: RandomStream) {
    let root: Place = Place(32 * side.sign, 6, 104)
    self.init(side, build, stream, root: root, ends: 1100, endRadius: 0.55, airways: false)
  }

  private init(
    _ side: PhantomSide, _ build: PhantomBuild, _ stream: RandomStream, root: Place, ends: Int,
    endRadius: Float, airways: Bool
  ) {
    (self.side, self.stream, self.endRadius) = (side, stream, endRadius)
    hasAirways = airways
    let points = drawEnds(ends, in: build)
    grow(from: root, towards: points, heading: Place(side.sign, 0, 0))
  }

  /// Draws points in the lung, away from its surface.
  private mutating func drawEnds(_ count: Int, in build: PhantomBuild) -> [Place] {
    var points: [Place] = []
    while points.count < count {
      let p = Place(
        side.sign * (8 + 125 * next()), -90 + 180 * next(), -25 + 275 * next())
      let depth = -build.lung(p, side)
      // Few vessels are visible near the surface.
      if depth > 2 + 6 * next() { points.append(p) }
    }
    return points
  }

  private mutating func next() -> Float {
    drawn += 1
    return Float(stream.uniform(at: drawn))
  }

  /// r₁·n^(5/16), by square roots alone.
  private func radius(_ ends: Int) -> Float {
    let fourth = Float(ends).squareRoot().squareRoot()
    return endRadius * fourth * fourth.squareRoot().squareRoot()
  }

  private mutating func grow(from start: Place, towards points: [Place], heading: Place) {
    guard points.count > 1 else {
      if let end = points.first { addBent(from: start, to: end, ends: 1, heading: heading) }
      return
    }
    let center = points.reduce(Place(), +) / Float(points.count)
    // A node stands on the way to the middle, nearer when many ends are left.
    let share: Float = points.count > 60 ? 0.34 : 0.48
    let node = start + (center - start) * (share + 0.12 * next())
    addBent(from: start, to: node, ends: points.count, heading: heading)
    let direction = node - start
    let (first, second) = divided(points, center: center)
    grow(from: node, towards: first, heading: direction)
    grow(from: node, towards: second, heading: direction)
  }

  /// Divides points by a plane across the line between two that lie far apart.
  private mutating func divided(_ points: [Place], center: Place) -> ([Place], [Place]) {
    let a = farthest(points, from: center)
    let b = farthest(points, from: a)
    let line = b - a
    let sorted = points.map { (p: $0, at: ($0 - a).dot(line)) }.sorted { $0.at < $1.at }
    let share = 0.28 + 0.44 * next()
    let cut = min(max(Int(Float(points.count) * share), 1), points.count - 1)
    return (sorted[..<cut].map(\.p), sorted[cut...].map(\.p))
  }

  private func farthest(_ points: [Place], from place: Place) -> Place {
    var best = points[0]
    var most: Float = -1
    for point in points {
      let offset = point - place
      let square = offset.dot(offset)
      if square > most {
        most = square
        best = point
      }
    }
    return best
  }

  /// Adds a tube in three straight pieces that sets out near `heading`.
  private mutating func addBent(from start: Place, to end: Place, ends: Int, heading: Place) {
    let offset = end - start
    let length = offset.length
    let speed = max(heading.length, 1e-3)
    let wobble = Place(next() - 0.5, next() - 0.5, next() - 0.5) * (0.16 * length)
    let pull = heading / speed * (0.22 * length)
    let thick = radius(ends)
    let thin = ends == 1 ? thick * 0.7 : thick * 0.93
    var last = start
    for step in 1...3 {
      let t = Float(step) / 3
      // A parabola from start to end, bent towards the heading.
      let place = start + offset * t + (pull + wobble) * (4 * t * (1 - t) * (1 - 0.5 * t))
      tubes.append(
        Tube(
          start: last, end: place, startRadius: mix(thick, thin, t - 1 / 3),
          endRadius: mix(thick, thin, t), ends: ends))
      last = place
    }
  }
}
