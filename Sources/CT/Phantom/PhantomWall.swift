/// The table and the wall of the chest: skin, fat and muscles.
extension PhantomAnatomy {
  /// Paints the table: a curved shell about light foam, and a thin mattress.
  func paintTable(on slice: inout PhantomSlice) {
    let top = build.middle + build.depth + 3.5
    let curve = { (p: Place) -> Float in p.y - (top - p.x * p.x / 850) }
    let reach = PhantomSlice.Box(x: -178...178, y: top - 60...top + 40)
    slice.paint(in: reach, tissue: { _ in -930 }) { p in
      max(abs(curve(p) - 3) - 3, abs(p.x) - 150)
    }
    slice.paint(in: reach, tissue: { _ in -310 }) { p in
      max(abs(curve(p) - 15) - 9, abs(p.x) - 172)
    }
    slice.paint(in: reach, tissue: { _ in -890 }) { p in
      max(abs(curve(p) - 15) - 7.2, abs(p.x) - 169)
    }
  }

  /// Paints skin, fat and muscles, and fills the chest with the fat of the mediastinum.
  func paintWall(on slice: inout PhantomSlice, _ surfaces: PhantomSurfaces) {
    slice.paint(tissue: { _ in 25 }, inside: surfaces.skin)
    slice.paint(
      tissue: { p in
        -106 + 7 * texture.value(p, scale: 9) + 4 * texture.value(p, scale: 3.1)
      },
      inside: surfaces.skin, deeper: 1.9)
    if build.breasts > 0 { paintGlands(on: &slice) }
    slice.paint(tissue: muscleTissue, inside: surfaces.muscle)
    paintFatPlanes(on: &slice, surfaces)
    paintArmpits(on: &slice)
    slice.paint(
      tissue: { p in
        let fat = -98 + 9 * texture.value(p, scale: 6) + 5 * texture.value(p, scale: 2.3)
        // Towards the neck, muscles take the place of fat.
        return mix(fat, muscleTissue(p), ramp(p.z + 9 * texture.value(p, scale: 12), 219, 231))
      },
      inside: surfaces.cavity)
    // Muscles beside the spine, within the circle of the ribs.
    let (x, y) = build.spine(slice.z)
    let back = PhantomSlice.Box(x: x - 30...x + 30, y: y - 5...y + 100)
    slice.paint(in: back, tissue: muscleTissue) { p in
      max(
        tubeDistance(p, Place(x, y + 26, p.z), Place(x, y + 60, p.z), 21, 24),
        build.cavity(p) - 6)
    }
  }

  private func muscleTissue(_ p: Place) -> Float {
    // Fibers run along the body, so the texture changes slowly with z.
    let fibers = Place(p.x, p.y, p.z * 0.3)
    return 54 + 8 * texture.value(fibers, scale: 5) + 5 * texture.value(fibers, scale: 2)
  }

  /// Paints the fat between the layers of muscle: sheets that come and go.
  private func paintFatPlanes(on slice: inout PhantomSlice, _ surfaces: PhantomSurfaces) {
    slice.paint(
      softness: 0.6, tissue: { -88 + 8 * texture.value($1, scale: 4) },
      at: { index, p in
        let depth = -surfaces.muscle[index]
        let outside = surfaces.cavity[index]
        guard depth > 2, outside > 9 else { return 10 }
        let wave = texture.value(p, scale: 34)
        let fine = texture.value(p, scale: 11)
        let first = abs(depth - 9 - 4 * wave) - 1.3 - 1.5 * fine
        let second = abs(depth - 20 - 7 * wave) - 1.2 - 2.4 * fine
        let overRibs = abs(outside - 12.5 - 1.5 * wave) - 1.2 - 1.6 * fine
        return min(first, min(second, overRibs))
      })
  }

  /// Paints the armpits: fat with vessels and nodes.
  private func paintArmpits(on slice: inout PhantomSlice) {
    guard slice.z > 135 else { return }
    for side in [Float(-1), 1] {
      let center: Place = Place(side * (build.breadth - 44), -14, 205)
      slice.paint(
        in: .init(around: center, reach: 50), softness: 3,
        tissue: { p in -95 + 10 * texture.value(p, scale: 5) },
        where: { p in
          max(
            ellipsoidDistance(p, center: center, radii: Place(17, 30, 58))
              + 4 * texture.value(p, scale: 12), 10.5 - build.cavity(p))
        })
      for index in 0..<5 {
        let t = Float(index)
        let vessel = center + Place(side * (t - 2) * 3.5, (t - 2) * 8 + 3, 0)
        slice.paint(in: .init(around: vessel, reach: 9), tissue: { _ in 44 }) { p in
          ellipsoidDistance(
            Place(p.x, p.y, p.z - 205), center: Place(vessel.x, vessel.y, 9 * (t - 2)),
            radii: index == 2 ? Place(3.6, 3.6, 60) : Place(2.6, 3.4, 22))
        }
      }
    }
  }

  /// Paints the glands of breasts: strands in fat.
  private func paintGlands(on slice: inout PhantomSlice) {
    for side in [Float(-1), 1] {
      let center: Place = Place(side * 74, build.middle - build.depth + 6, 98)
      slice.paint(
        in: .init(around: center, reach: 60), softness: 3,
        tissue: { p in 22 + 18 * texture.value(p, scale: 4) },
        where: { p in
          let body = ellipsoidDistance(
            p, center: center, radii: Place(36, 8 + build.breasts * 0.8, 38))
          return max(
            body + 6 * texture.value(p, scale: 9) + 5 * texture.value(p, scale: 4),
            build.skin(p) + 5)
        })
    }
  }
}
