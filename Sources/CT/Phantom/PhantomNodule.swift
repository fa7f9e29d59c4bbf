import Tensors

/// A round or spiculated spot in a lung.
struct PhantomNodule: Sendable {
  let center: Place
  let radius: Float
  /// The nodule's value in HU; about −600 for ground glass.
  let tissue: Float
  /// The deviation of its outline from a sphere, as a fraction of the radius.
  let roughness: Float
  /// The width of its edge in mm.
  let softness: Float

  /// Draws the nodules of one patient: solid ones, ground glass, and one with chalk.
  static func draw(in build: PhantomBuild, stream: RandomStream) -> [PhantomNodule] {
    var drawn = 0
    func next(_ low: Double, _ high: Double) -> Float {
      drawn += 1
      return Float(stream.uniform(at: drawn, in: low...high))
    }
    func place(depth: Float) -> Place {
      while true {
        let side: PhantomSide = next(0, 1) < 0.5 ? .right : .left
        let p = Place(side.sign * next(15, 125), next(-85, 80), next(30, 225))
        let found = -build.lung(p, side)
        if found > depth, found < depth + 22 { return p }
      }
    }
    var nodules: [PhantomNodule] = []
    for _ in 0..<9 {
      let radius = next(2.2, 5) * (next(0, 1) < 0.25 ? 1.8 : 1)
      nodules.append(
        PhantomNodule(
          center: place(depth: radius * 0.8), radius: radius, tissue: next(20, 80),
          roughness: next(0, 0.5), softness: next(0, 0.8)))
    }
    for _ in 0..<3 {
      let radius = next(6, 12)
      nodules.append(
        PhantomNodule(
          center: place(depth: radius * 0.5), radius: radius, tissue: next(-680, -560),
          roughness: 0.5, softness: 4))
    }
    nodules.append(
      PhantomNodule(
        center: place(depth: 5), radius: 2.4, tissue: 420, roughness: 0.1, softness: 0))
    return nodules
  }
}
