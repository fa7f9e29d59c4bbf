import Tensors

/// The proportions of one patient, in mm, and the surfaces that follow from them.
struct PhantomBuild: Sendable {
  /// Half the breadth and half the depth of the trunk.
  let breadth: Float, depth: Float
  /// The thickness of fat below the skin.
  let fat: Float
  /// The height of the breasts in mm; 0 for none.
  let breasts: Float
  /// Factors of the heart's size and of the lungs' breadth.
  let heart: Float, cage: Float
  /// The shift of the mediastinum to the left, and of domes and arch to the head.
  let shift: Float, rise: Float
  /// The mean of the lungs in HU, and its increase from front to back.
  let lung: Float, gravity: Float
  /// The distance between vertebrae, and the height of the first disc.
  let vertebra: Float, firstDisc: Float
  /// The sideways bow of the spine.
  let bow: Float

  init(stream: RandomStream) {
    func draw(_ index: Int, _ low: Double, _ high: Double) -> Float {
      Float(stream.uniform(at: index, in: low...high))
    }
    breadth = draw(0, 152, 166)
    depth = draw(1, 107, 120)
    fat = draw(2, 9, 19)
    breasts = stream.uniform(at: 3) < 0.5 ? draw(4, 16, 30) : 0
    heart = draw(5, 0.92, 1.1)
    cage = draw(6, 0.97, 1.03)
    shift = draw(7, -3, 5)
    rise = draw(8, -6, 8)
    lung = draw(9, -858, -832)
    gravity = draw(10, 25, 50)
    vertebra = draw(11, 21.5, 24.5)
    firstDisc = draw(12, -22, 0)
    bow = draw(13, -4, 4)
  }

  // MARK: - Surfaces; distances are negative inside

  /// The center of the trunk's outline in y.
  var middle: Float { -6 }

  /// The skin.
  func skin(_ p: Place) -> Float {
    let high = ramp(p.z, 150, 250)
    let trunk =
      ovalDistance(p.x, p.y - middle, breadth * mix(1, 0.96, high), depth * mix(1, 0.84, high))
      + furrow(p)
    guard breasts > 0 else { return trunk }
    let breast = ellipsoidDistance(
      Place(abs(p.x), p.y, p.z), center: Place(72, middle - depth + 16, 98),
      radii: Place(56, 20 + breasts, 58))
    return join(trunk, breast, rounding: 24)
  }

  /// The depth of the back's furrow over the spine, and of the front's over the breastbone.
  private func furrow(_ p: Place) -> Float {
    p.y > 0 ? 5 * (1 - ramp(abs(p.x), 0, 34)) : 4 * (1 - ramp(abs(p.x), 0, 46))
  }

  /// The outer surface of the chest's muscles.
  func muscle(_ p: Place) -> Float {
    let high = ramp(p.z, 150, 250)
    // Fat is thicker on the flanks and thinner over the spine.
    let flank = 0.7 + 0.5 * abs(p.x) / breadth
    return ovalDistance(
      p.x, p.y - middle, breadth * mix(1, 0.96, high) - fat, depth * mix(1, 0.84, high) - fat)
      + fat * (flank - 1) + furrow(p) * 0.8
  }

  /// Half the breadth and half the depth of the chest's inside at a height.
  func cageSize(_ z: Float) -> (a: Float, b: Float) {
    let up = max(z - 96, 0) / 158
    let dome = max(1 - up * up, 0.05).squareRoot()
    let low = ramp(z, 90, 0)
    return (
      (breadth - fat * 0.6 - 27) * cage * dome * mix(1, 0.985, low),
      (depth - fat * 0.6 - 25) * mix(1, dome, 0.82)
    )
  }

  /// The center of the chest's inside in y.
  var cageMiddle: Float { middle - 6 }

  /// The inner surface of the ribs.
  func cavity(_ p: Place) -> Float {
    let (a, b) = cageSize(p.z)
    return ovalDistance(p.x, p.y - cageMiddle, a, b)
  }

  /// The center of the vertebral body at a height.
  func spine(_ z: Float) -> (x: Float, y: Float) {
    let t = (z - 115) / 130
    return (bow * (1 - t * t), 32 + 8 * (1 - t * t) + (depth - 113) * 0.6)
  }

  /// The diaphragm, together with the organs below it.
  func diaphragm(_ p: Place) -> Float {
    let right = ellipsoidDistance(
      p, center: Place(-60, 2, -66 + rise), radii: Place(82, 92, 112))
    let left = ellipsoidDistance(
      p, center: Place(60, 8, -78 + rise), radii: Place(80, 88, 110))
    return min(right, left)
  }

  /// The center of the ventricles, and the direction of the heart's tip.
  var heartCenter: Place { Place(20 + shift, -24, 74 + rise) }
  var heartAxis: Place { Place(0.74, -0.5, -0.45) }

  /// The heart within its sac.
  func heartSac(_ p: Place) -> Float {
    let offset = p - heartCenter
    let along = offset.dot(heartAxis)
    let across = offset - along * heartAxis
    let f = ((along * along) / (64 * 64) + across.dot(across) / (45 * 45)) / (heart * heart)
    let ventricles = (f.squareRoot() - 1) * 48 * heart
    let atrium = ellipsoidDistance(
      p, center: Place(-22 + shift, -16, 84 + rise), radii: Place(26, 30, 36) * heart)
    return join(ventricles, atrium, rounding: 14)
  }

  /// All between the lungs: heart, great vessels, the spine and its muscles.
  func mediastinum(_ p: Place) -> Float {
    let (spineX, spineY) = spine(p.z)
    let core = ovalDistance(
      p.x - shift * 0.4, p.y + 6, mix(23, 32, ramp(p.z, 180, 235)),
      mix(66, 48, ramp(p.z, 150, 235)))
    let column = tubeDistance(
      p, Place(spineX, spineY, p.z), Place(spineX, spineY + 60, p.z), 20, 24)
    let aorta = tubeDistance(p, Place(27, spineY - 12, p.z), Place(27, spineY - 12, p.z), 15, 15)
    let arch = ellipsoidDistance(p, center: Place(16, 6, 166), radii: Place(24, 36, 17))
    var d = join(core, heartSac(p) - 2.6, rounding: 10)
    d = join(d, column, rounding: 10)
    d = join(d, p.z < 165 ? aorta : 100, rounding: 6)
    return join(d, arch, rounding: 8)
  }

  /// The lung of one side.
  func lung(_ p: Place, _ side: PhantomSide) -> Float {
    guard p.x * side.sign > -30 else { return 30 }
    // The two lungs end at a plane between them, and at the top in domes of their own.
    let half = 2 - p.x * side.sign
    let apex = ellipsoidDistance(
      p, center: Place(side.sign * 62, 4, 96), radii: Place(150, 170, 146))
    var d = meet(cavity(p) + 1.5, -mediastinum(p), rounding: 9)
    d = meet(d, -diaphragm(p), rounding: 5)
    d = meet(d, half, rounding: 4)
    return max(d, apex)
  }
}
