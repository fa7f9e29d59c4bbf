/// The skeleton: spine, ribs, breastbone, shoulder blades and collar bones.
extension PhantomAnatomy {
  func paintBones(on slice: inout PhantomSlice, _ surfaces: PhantomSurfaces) {
    paintRibs(on: &slice, surfaces.cavity)
    paintSpine(on: &slice)
    paintBreastbone(on: &slice)
    paintShoulders(on: &slice)
  }

  private func cortex(_ p: Place) -> Float { 860 + 130 * texture.value(p, scale: 7) }

  private func marrow(_ p: Place) -> Float {
    195 + 40 * texture.value(p, scale: 4) + 45 * texture.value(p, scale: 1.7)
  }

  /// Paints a bone: cortex, and marrow `shell` mm below its surface.
  private func paintBone(
    on slice: inout PhantomSlice, in box: PhantomSlice.Box, shell: Float,
    where distance: (Place) -> Float
  ) {
    slice.paint(in: box, outer: cortex, shell: shell, inner: marrow, where: distance)
  }

  // MARK: - Spine

  private func paintSpine(on slice: inout PhantomSlice) {
    let z = slice.z
    let (x, y) = build.spine(z)
    let box = PhantomSlice.Box(x: x - 55...x + 55, y: y - 30...y + 75)
    let upper = ramp(z, 40, 230)
    let a = mix(19, 15, upper)
    let b = mix(15.5, 12, upper)
    // The distance from the nearest disc tells body, end plate and disc apart.
    let period = build.vertebra
    let level = (z - build.firstDisc) / period
    let fromDisc = abs(level - level.rounded()) * period
    let waist = ramp(fromDisc, 2, 9)
    let canal = Place(x, y + b + 6.5, z)
    let body = { (p: Place) in
      let outline = ovalDistance(p.x - x, p.y - y, a - 1.6 * waist, b - 1.4 * waist)
      return meet(outline, (canal.y - 7.2 - p.y) * -1, rounding: 4)
    }
    if fromDisc < 2.4 {
      slice.paint(in: box, tissue: { p in 92 + 8 * texture.value(p, scale: 5) }, where: body)
    } else {
      let plate = 1 - ramp(fromDisc, 2.4, 5)
      slice.paint(in: box, tissue: { p in cortex(p) * 0.85 }, where: body)
      slice.paint(
        in: box, tissue: { p in mix(marrow(p), 480, plate) }, where: { body($0) + 1.5 })
    }
    paintProcesses(on: &slice, box, canal: canal, b: b)
    // The canal: fluid about the cord.
    slice.paint(in: box, tissue: { _ in 12 }) { ovalDistance($0.x - x, $0.y - canal.y, 8.6, 7.6) }
    slice.paint(in: box, tissue: { _ in 38 }) {
      ovalDistance($0.x - x, $0.y - canal.y - 0.4, 4.9, 3.9)
    }
  }

  /// Paints the arches with their processes, vertebra by vertebra.
  private func paintProcesses(
    on slice: inout PhantomSlice, _ box: PhantomSlice.Box, canal: Place, b: Float
  ) {
    let period = build.vertebra
    let nearest = ((slice.z - build.firstDisc) / period).rounded(.down)
    for step in -1...2 {
      let center = build.firstDisc + (nearest + Float(step) + 0.5) * period
      let arch = { (p: Place) -> Float in
        let ring = ovalDistance(p.x - canal.x, p.y - canal.y, 12.4, 11.4)
        let hole = -ovalDistance(p.x - canal.x, p.y - canal.y, 8.6, 7.6)
        return max(meet(ring, hole, rounding: 1), abs(p.z - center - 1) - 11)
      }
      let spike = { (p: Place) -> Float in
        let start = Place(canal.x, canal.y + 10, center - 2)
        let end = Place(canal.x, canal.y + 33, center - 19)
        let flat = Place(p.x * 1.35 - canal.x * 0.35, p.y, p.z * 0.62)
        return tubeDistance(
          flat, Place(start.x, start.y, start.z * 0.62), Place(end.x, end.y, end.z * 0.62), 4, 3.4)
      }
      let wing = { (p: Place) -> Float in
        let offset = Place(abs(p.x - canal.x), p.y, p.z)
        return tubeDistance(
          offset, Place(9, canal.y + 1, center + 3), Place(33, canal.y + 12, center + 7), 4.6, 4.2)
      }
      let whole = { (p: Place) in
        join(join(arch(p), spike(p), rounding: 3), wing(p), rounding: 4)
      }
      paintBone(on: &slice, in: box, shell: 1.5, where: whole)
    }
  }

  // MARK: - Ribs

  /// Paints the ribs: bands on the chest's inner surface that fall from back to front.
  ///
  /// With c = 1 at the back and −1 in front, rib i lies at zᵢ − fall·(1 − c)/2.
  private func paintRibs(on slice: inout PhantomSlice, _ cavity: [Float]) {
    let ribs = slice.field(at: { ribDistance($1, cavity[$0]) })
    slice.paint(tissue: { ribTissue($0, inner: false) }, inside: ribs)
    slice.paint(tissue: { ribTissue($0, inner: true) }, inside: ribs, deeper: 1.35)
  }

  /// The angle of a place around the chest: its cosine is 1 at the back, −1 in front.
  private func ribAngle(_ p: Place, _ a: Float, _ b: Float) -> (cosine: Float, sine: Float) {
    let u = p.x / a
    let v = (p.y - build.cageMiddle) / b
    let r = max((u * u + v * v).squareRoot(), 1e-4)
    return (v / r, abs(u) / r)
  }

  /// The distance from the nearest rib of a place at `cavity` mm from the chest's inside.
  private func ribDistance(_ p: Place, _ cavity: Float) -> Float {
    let outside = cavity - 5.2
    guard abs(outside) < 9 else { return 9 }
    let (a, b) = build.cageSize(p.z)
    let (c, s) = ribAngle(p, a, b)
    let period = build.vertebra
    let forward = (1 - c) / 2
    let radius = max((p.x * p.x + p.y * p.y).squareRoot(), 10)
    var nearest: Float = 9
    for index in 0..<14 {
      let head = build.firstDisc + Float(index) * period + 4
      let fall = 96 - 2.6 * Float(index)
      let dz = p.z - (head - fall * forward)
      guard abs(dz) < 14 else { continue }
      let high: Float = mix(5.6, 4.8, forward)
      let thick: Float = mix(4, 3.4, forward)
      let f = ((outside / thick) * (outside / thick) + (dz / high) * (dz / high)).squareRoot()
      // The gradient of f within the slice.
      let along = fall / 2 * s / radius
      let gx = outside / (thick * thick)
      let gz = dz / (high * high) * along
      let slope = (gx * gx + gz * gz).squareRoot() / max(f, 1e-3)
      nearest = min(nearest, (f - 1) / max(slope, 0.12))
    }
    // Ribs begin beside the vertebrae and end beside the breastbone.
    let (spineX, _) = build.spine(p.z)
    let back = c > 0 ? 17 - abs(p.x - spineX) : -10
    let front = c < 0 ? 23 - abs(p.x) : -10
    return meet(nearest, max(back, front), rounding: 4)
  }

  private func ribTissue(_ p: Place, inner: Bool) -> Float {
    let (a, b) = build.cageSize(p.z)
    let (c, _) = ribAngle(p, a, b)
    // In front, bone turns into cartilage.
    let cartilage = ramp(-c, 0.74, 0.79)
    return inner
      ? mix(marrow(p), 95, cartilage)
      : mix(cortex(p), 150 + 60 * texture.value(p, scale: 6), cartilage)
  }

  // MARK: - Breastbone and shoulders

  private func paintBreastbone(on slice: inout PhantomSlice) {
    let z = slice.z
    guard z > 52, z < 214 else { return }
    let front = build.cageMiddle - build.cageSize(z).b - 5.5
    let broad = z > 168 ? mix(17, 29, ramp(z, 168, 205)) : mix(12, 18, ramp(z, 52, 110))
    let joint = abs(z - 168) < 2.5
    let box = PhantomSlice.Box(x: -45...45, y: front - 15...front + 15)
    let bone = { (p: Place) in
      ovalDistance(p.x, p.y - front - 0.004 * p.x * p.x, broad, 6.2)
    }
    if joint {
      slice.paint(in: box, tissue: { _ in 130 }, where: bone)
    } else {
      paintBone(on: &slice, in: box, shell: 1.4, where: bone)
    }
  }

  private func paintShoulders(on slice: inout PhantomSlice) {
    let z = slice.z
    for side in [Float(-1), 1] {
      let reach = PhantomSlice.Box(x: side < 0 ? -180...(-10) : 10...180, y: -120...120)
      // The collar bone.
      if z > 196 {
        paintBone(on: &slice, in: reach, shell: 2) { p in
          tubeDistance(
            p, Place(side * 22, build.cageMiddle - 56, 208), Place(side * 118, -34, 250), 7.4, 6.2)
        }
      }
      guard z > 108 else { continue }
      // The blade, wider towards the head, and its spine behind.
      let open = ramp(z, 108, 170)
      let scale = build.breadth / 165
      let depth = (build.depth - 113) * 0.85 - 7 * ramp(z, 190, 240)
      let inner = Place(side * mix(92, 66, open) * scale, 80 + depth, z)
      let outer = Place(side * mix(100, 118, open) * scale, mix(68, 40, open) + depth, z)
      let middle = (inner + outer) / 2 + Place(side * 4, 6, 0)
      paintBone(on: &slice, in: reach, shell: 1.5) { p in
        join(
          tubeDistance(p, inner, middle, 2.4, 1.6), tubeDistance(p, middle, outer, 1.7, 4.4),
          rounding: 2)
      }
      if z > 196 {
        let up = ramp(z, 196, 232)
        let tip = Place(side * mix(100, 117, up) * scale, mix(72, 63, up) + depth, z)
        paintBone(on: &slice, in: reach, shell: 1.6) { p in
          tubeDistance(p, middle, tip, 2.6, 4.2)
        }
      }
    }
  }
}
