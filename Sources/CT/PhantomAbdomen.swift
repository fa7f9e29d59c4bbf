/// What stands up into the chest from below: the diaphragm, liver, stomach and spleen.
extension PhantomAnatomy {
  func paintAbdomen(on slice: inout PhantomSlice) {
    guard slice.z < 90 else { return }
    slice.paint(tissue: { _ in 48 }, where: dome)
    slice.paint(tissue: { p in -100 + 9 * texture.value(p, scale: 7) }) { dome($0) + 3.2 }
    paintLiver(on: &slice)
    paintStomach(on: &slice)
    slice.paint(
      tissue: { p in 50 + 4 * texture.value(p, scale: 3) },
      where: { p in
        max(
          ellipsoidDistance(p, center: [92, 40, -26 + build.rise], radii: [34, 34, 52]),
          dome(p) + 4)
      })
  }

  /// All below the diaphragm.
  private func dome(_ p: Place) -> Float { max(build.diaphragm(p), build.cavity(p)) }

  private func paintLiver(on slice: inout PhantomSlice) {
    let rise = build.rise
    slice.paint(
      tissue: { p in 58 + 4 * texture.value(p, scale: 4) + 3 * texture.value(p, scale: 1.9) },
      where: { p in
        let rightLobe = ellipsoidDistance(p, center: [-58, 0, -66 + rise], radii: [78, 88, 108])
        let leftLobe = ellipsoidDistance(p, center: [2, -34, -40 + rise], radii: [52, 34, 62])
        return max(join(rightLobe, leftLobe, rounding: 12), dome(p) + 3)
      })
    // The three hepatic veins run together towards the vena cava.
    let cava: Place = [-24, 18, 34 + rise]
    for end: Place in [[-104, 10, -18], [-62, -46, -22], [2, -48, -12]] {
      slice.paint(tissue: { _ in 40 }) { p in
        max(tubeDistance(p, cava, end, 5.5, 2), dome(p) + 6)
      }
    }
    slice.paint(in: .init(around: cava, reach: 24), tissue: { _ in 40 }) { p in
      tubeDistance(p, [-24, 20, -20], cava, 12, 12)
    }
  }

  private func paintStomach(on slice: inout PhantomSlice) {
    let center: Place = [56, -14, -22 + build.rise]
    let wall = { (p: Place) in
      max(ellipsoidDistance(p, center: center, radii: [36, 44, 48]), dome(p) + 4.5)
    }
    slice.paint(tissue: { _ in 42 }, where: wall)
    // Fluid below, and gas above it behind a level front.
    slice.paint(tissue: { p in 14 + 10 * texture.value(p, scale: 6) }) { wall($0) + 4 }
    slice.paint(tissue: { _ in -995 }) { p in max(wall(p) + 4, p.y - center.y + 12) }
  }
}
