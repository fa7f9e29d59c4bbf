/// The lungs: air-filled tissue, vessels, fissures and nodules.
extension PhantomAnatomy {
  func paintLungs(on slice: inout PhantomSlice) {
    for side in [PhantomSide.right, .left] {
      let half = PhantomSlice.Box(
        x: side == .right ? -180...30 : -30...180, y: -130...130)
      slice.paint(in: half, tissue: lungTissue) { build.lung($0, side) }
    }
    paintFissures(on: &slice)
    for nodule in nodules { paint(nodule, on: &slice) }
    let mask = vesselMask(of: slice)
    slice.paint(46, through: mask)
  }

  private func lungTissue(_ p: Place) -> Float {
    build.lung + build.gravity * (p.y / 80)
      + 11 * texture.value(p, scale: 14) + 13 * texture.value(p, scale: 4.3)
      + 10 * texture.value(p, scale: 1.9)
  }

  /// How much of each pixel is vessel, 0…1.
  ///
  /// A tube thinner than a pixel covers the share 2r/pixel of it. Where tubes meet, the larger share
  /// counts, so that joints do not swell.
  private func vesselMask(of slice: PhantomSlice) -> [Float] {
    var mask = [Float](repeating: 0, count: slice.size * slice.size)
    let pixel = slice.pixel
    for tree in bloodVessels {
      for tube in tree.tubes {
        let reach = max(tube.startRadius, tube.endRadius) + pixel
        guard min(tube.start.z, tube.end.z) - reach < slice.z,
          max(tube.start.z, tube.end.z) + reach > slice.z
        else { continue }
        let low = pointwiseMin(tube.start, tube.end) - reach
        let high = pointwiseMax(tube.start, tube.end) + reach
        let thickness = min(1, (tube.startRadius + tube.endRadius) / pixel)
        slice.forEachPixel(in: .init(x: low.x...high.x, y: low.y...high.y)) { index, p in
          let d = tubeDistance(p, tube.start, tube.end, tube.startRadius, tube.endRadius)
          let cover = min(max(0.5 - d / pixel, 0), 1) * thickness
          if cover > mask[index] { mask[index] = cover }
        }
      }
    }
    return mask
  }

  /// Paints the oblique fissure of each lung and the horizontal one of the right.
  private func paintFissures(on slice: inout PhantomSlice) {
    for side in [PhantomSide.right, .left] {
      let half = PhantomSlice.Box(
        x: side == .right ? -180...30 : -30...180, y: -130...130)
      let tilt: Float = side == .right ? 0.72 : 0.82
      slice.paint(
        in: half, strength: 0.16, tissue: { _ in 0 },
        where: { p in
          // From high behind to low in front, bowed towards the front at the side.
          let wave = 5 * texture.value(p, scale: 40)
          let bowed = p.y + 0.0011 * p.x * p.x
          let oblique = abs(bowed - 14 + (110 - p.z) * tilt + wave) / 1.25 - 0.55
          return max(oblique, build.lung(p, side) + 1)
        })
    }
    slice.paint(
      in: .init(x: -180...(-20), y: -130...40), softness: 2, strength: 0.1,
      tissue: { _ in 0 },
      where: { p in
        let oblique = p.y + 0.0011 * p.x * p.x - 14 + (110 - p.z) * 0.72
        let level = abs(p.z - 118 - build.rise - 5 * texture.value(p, scale: 45)) - 0.6
        return max(level, max(oblique + 4, build.lung(p, .right) + 1))
      })
  }

  private func paint(_ nodule: PhantomNodule, on slice: inout PhantomSlice) {
    let reach = nodule.radius * 1.8 + 4
    guard abs(nodule.center.z - slice.z) < reach else { return }
    slice.paint(
      in: .init(around: nodule.center, reach: reach), softness: nodule.softness,
      tissue: { p in nodule.tissue + 12 * texture.value(p, scale: 2.5) },
      where: { p in
        let offset = p - nodule.center
        let rough = texture.value(p + 300, scale: nodule.radius * 0.6)
        return (offset * offset).sum().squareRoot()
          - nodule.radius * (1 + nodule.roughness * rough)
      })
  }
}
