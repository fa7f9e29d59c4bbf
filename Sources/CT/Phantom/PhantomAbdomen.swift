/// The abdominal organs that reach up into the chest: the diaphragm, liver, stomach and spleen.
extension PhantomAnatomy {
  func paintAbdomen(on slice: inout PhantomSlice, _ surfaces: PhantomSurfaces) {
    guard slice.z < 90 else { return }
    let dome = slice.field(at: { index, p in
      surfaces.cavity[index] < 0 ? max(build.diaphragm(p), surfaces.cavity[index]) : 1000
    })
    slice.paint(tissue: { _ in 48 }, inside: dome)
    slice.paint(
      tissue: { -100 + 9 * texture.value($0, scale: 7) }, inside: dome, deeper: 2.2)
    paintLiver(on: &slice, below: dome)
    paintStomach(on: &slice, below: dome)
    slice.paint(
      in: .init(x: 20...180, y: -60...130), tissue: { 50 + 4 * texture.value($1, scale: 3) },
      at: { index, p in
        max(
          ellipsoidDistance(p, center: Place(96, 44, -24 + build.rise), radii: Place(36, 38, 58)),
          dome[index] + 1.6)
      })
  }

  private func paintLiver(on slice: inout PhantomSlice, below dome: [Float]) {
    let rise = build.rise
    slice.paint(
      tissue: { 58 + 4 * texture.value($1, scale: 4) + 3 * texture.value($1, scale: 1.9) },
      at: { index, p in
        guard dome[index] < 4 else { return 10 }
        let rightLobe = ellipsoidDistance(
          p, center: Place(-60, 2, -66 + rise), radii: Place(83, 93, 113))
        let leftLobe = ellipsoidDistance(
          p, center: Place(2, -34, -40 + rise), radii: Place(52, 34, 62))
        return max(join(rightLobe, leftLobe, rounding: 12), dome[index] + 0.8)
      })
    // The three hepatic veins run together towards the vena cava.
    let cava: Place = Place(-24, 18, 34 + rise)
    for end: Place in [Place(-104, 10, -18), Place(-62, -46, -22), Place(2, -48, -12)] {
      let box = PhantomSlice.Box(
        x: min(cava.x, end.x) - 8...max(cava.x, end.x) + 8,
        y: min(cava.y, end.y) - 8...max(cava.y, end.y) + 8)
      slice.paint(
        in: box, tissue: { _, _ in 40 },
        at: { max(tubeDistance($1, cava, end, 5.5, 2), dome[$0] + 6) })
    }
    slice.paint(in: .init(around: cava, reach: 24), tissue: { _ in 40 }) { p in
      tubeDistance(p, Place(-24, 20, -20), cava, 12, 12)
    }
  }

  private func paintStomach(on slice: inout PhantomSlice, below dome: [Float]) {
    let center: Place = Place(50, -26, -26 + build.rise)
    let wall = slice.field(at: { index, p in
      dome[index] < 0
        ? max(
          ellipsoidDistance(p, center: center, radii: Place(42, 42, 54)), dome[index] + 2.4)
        : 1000
    })
    slice.paint(tissue: { _ in 42 }, inside: wall)
    // Fluid below, and gas above it behind a level front.
    slice.paint(tissue: { 14 + 10 * texture.value($0, scale: 6) }, inside: wall, deeper: 4)
    slice.paint(
      tissue: { _, _ in -995 }, at: { max(wall[$0] + 4, $1.y - center.y + 12) })
  }
}
