/// The lungs: air-filled tissue, vessels, fissures and nodules.
extension PhantomAnatomy {
  func paintLungs(on slice: inout PhantomSlice, _ surfaces: PhantomSurfaces) {
    slice.paint(tissue: lungTissue, inside: surfaces.lungs)
    paintFissures(on: &slice, surfaces.lungs)
    for nodule in nodules { paint(nodule, on: &slice) }
    let mask = vesselMask(of: slice)
    slice.paint(46, through: mask)
  }

  private func lungTissue(_ p: Place) -> Float {
    build.lung + build.gravity * (p.y / 80)
      + 11 * texture.value(p, scale: 14) + 13 * texture.value(p, scale: 4.3)
      + 10 * texture.value(p, scale: 1.9)
  }

  /// The fraction of each pixel that is vessel, 0…1.
  ///
  /// A tube thinner than a pixel covers the share 2r/pixel of it. Where tubes meet, the larger share
  /// counts, so that joints do not swell.
  private func vesselMask(of slice: PhantomSlice) -> [Float] {
    var mask = [Float](repeating: 0, count: slice.size * slice.size)
    let pixel = slice.pixel
    // A slice has a thickness: along z, distances count less.
    let flat: Place = Place(1, 1, 0.4)
    for tree in bloodVessels {
      for tube in tree.tubes {
        let radius = max(tube.startRadius, tube.endRadius)
        let depth = 2.5 * (radius + pixel)
        guard min(tube.start.z, tube.end.z) - depth < slice.z,
          max(tube.start.z, tube.end.z) + depth > slice.z
        else { continue }
        // A tube covers nothing of a pixel half a pixel from it; the rest is for rounding.
        let reach = radius + 0.6 * pixel
        let low = pointwiseMin(tube.start, tube.end) - reach
        let high = pointwiseMax(tube.start, tube.end) + reach
        let thickness = min(1, (tube.startRadius + tube.endRadius) / pixel)
        slice.forEachPixel(in: .init(x: low.x...high.x, y: low.y...high.y)) { index, p in
          let d = tubeDistance(
            p * flat, tube.start * flat, tube.end * flat, tube.startRadius, tube.endRadius)
          let cover = min(max(0.5 - d / pixel, 0), 1) * thickness
          if cover > mask[index] { mask[index] = cover }
        }
      }
    }
    return mask
  }

  /// Paints the oblique fissure of each lung and the horizontal one of the right.
  private func paintFissures(on slice: inout PhantomSlice, _ lungs: [Float]) {
    // From high behind to low in front, bowed towards the front at the side.
    func oblique(_ p: Place) -> Float {
      p.y + 0.0011 * p.x * p.x - 14 + (110 - p.z) * (p.x < 0 ? 0.72 : 0.82)
    }
    slice.paint(
      strength: 0.16, tissue: { _, _ in 0 },
      at: { index, p in
        guard lungs[index] < 0, abs(oblique(p)) < 8 else { return 10 }
        let sheet = abs(oblique(p) + 5 * texture.value(p, scale: 40)) / 1.25 - 0.55
        return max(sheet, lungs[index] + 1)
      })
    let level = 118 + build.rise
    guard abs(slice.z - level) < 12 else { return }
    slice.paint(
      in: .init(x: -180...(-20), y: -130...40), softness: 2, strength: 0.1,
      tissue: { _, _ in 0 },
      at: { index, p in
        let sheet = abs(p.z - level - 5 * texture.value(p, scale: 45)) - 0.6
        return max(sheet, max(oblique(p) + 4, lungs[index] + 1))
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
        let d =
          offset.length - nodule.radius * (1 + nodule.roughness * rough)
        return max(d, build.lung(p, nodule.center.x < 0 ? .right : .left) - 1)
      })
  }
}
