/// The heart, the great vessels and the gullet.
extension PhantomAnatomy {
  func paintMediastinum(on slice: inout PhantomSlice, _ surfaces: PhantomSurfaces) {
    paintHeart(on: &slice, surfaces)
    for vessel in greatVessels { paint(vessel, on: &slice, tissue: bloodTissue, wall: 0) }
    paintGullet(on: &slice)
    paintNodes(on: &slice)
  }

  /// A tube through several places, each with a radius in mm.
  struct Path {
    let places: [(Place, Float)]
    init(_ places: (Place, Float)...) { self.places = places }
  }

  /// Paints a path; `wall` widens it, in mm.
  func paint(
    _ path: Path, on slice: inout PhantomSlice, tissue: (Place) -> Float, wall: Float
  ) {
    for ((a, r0), (b, r1)) in zip(path.places, path.places.dropFirst()) {
      let reach = max(r0, r1) + wall + slice.pixel
      guard min(a.z, b.z) - reach < slice.z, max(a.z, b.z) + reach > slice.z else { continue }
      let low = pointwiseMin(a, b) - reach
      let high = pointwiseMax(a, b) + reach
      slice.paint(
        in: .init(x: low.x...high.x, y: low.y...high.y), tissue: tissue,
        where: { tubeDistance($0, a, b, r0 + wall, r1 + wall) })
    }
  }

  private func bloodTissue(_ p: Place) -> Float { 42 + 3 * texture.value(p, scale: 3) }

  private func paintHeart(on slice: inout PhantomSlice, _ surfaces: PhantomSurfaces) {
    let heart = surfaces.heart
    let region = PhantomSlice.Box(x: -90...110, y: -100...60)
    // Below, the heart lies on the diaphragm with little fat.
    let low = ramp(slice.z, 25, 75)
    // The sac is a thin line in fat.
    slice.paint(
      in: region, strength: 0.7, tissue: { _, _ in 35 },
      at: { index, _ in
        max(abs(heart[index] - 0.2 - 1.3 * low) - 0.6, surfaces.cavity[index] + 4)
      })
    slice.paint(
      in: region,
      tissue: { index, p in
        // Muscle is a little denser than blood.
        mix(49, 42, ramp(-heart[index], 12, 17)) + 4 * texture.value(p, scale: 5)
      },
      at: { index, p in
        guard heart[index] < 3 else { return 10 }
        return heart[index] + 0.4 + 2.2 * low * (1 + texture.value(p, scale: 17))
      })
    // The groove between atria and ventricles is filled with fat.
    slice.paint(
      in: region, softness: 2, tissue: { -78 + 10 * texture.value($1, scale: 5) },
      at: { index, p in
        let depth = -heart[index]
        guard depth > -3, depth < 22 else { return 10 }
        let along = (p - build.heartCenter).dot(build.heartAxis) + 20
        let sheet = abs(along + 6 * texture.value(p, scale: 25)) - 3.2 + depth * 0.22
        return max(max(sheet, depth - 19), 2 - depth)
      })
  }

  /// The great vessels, each from its beginning on.
  private var greatVessels: [Path] {
    let s = build.shift
    let up = build.rise * 0.5
    let back = build.spine(90).y
    let aorta = back - 10
    return [
      // Ascending aorta, arch, descending aorta.
      Path(
        ([-2 + s, -14, 92 + up], 15), ([-12 + s, -30, 126 + up], 16),
        ([-12 + s, -29, 150 + up], 15), ([-7 + s, -20, 167 + up], 14.5),
        ([5 + s, -2, 174 + up], 14), ([19, 18, 167 + up], 13),
        ([26, aorta - 1, 150 + up], 12.5), ([27, aorta + 4, 80], 12), ([22, aorta + 4, -5], 11.5)),
      // Superior vena cava and the veins that form it.
      Path(([-25 + s, -12, 96 + up], 9.5), ([-25 + s, -20, 182 + up], 8.5)),
      Path(([-25 + s, -20, 182 + up], 8), ([-36, -18, 235], 7)),
      Path(([-23 + s, -23, 184 + up], 7), ([6, -33, 196], 6.5), ([34, -24, 232], 6.5)),
      // The arch's branches.
      Path(([-6 + s, -19, 172 + up], 7), ([-15, -10, 205], 6.5), ([-19, -4, 250], 4.5)),
      Path(([-15, -10, 205], 5), ([-42, 0, 244], 5)),
      Path(([3 + s, -6, 176 + up], 4.5), ([12, -6, 250], 4)),
      Path(([13, 8, 174 + up], 5.5), ([20, 8, 215], 5), ([46, 2, 246], 5)),
      // The trunk of the lung arteries and its branches.
      Path(([8 + s, -42, 98 + up], 14), ([14 + s, -28, 132 + up], 14)),
      Path(([14 + s, -26, 133 + up], 12), ([26, -8, 138 + up], 11), ([38, 4, 130], 8)),
      Path(([12 + s, -24, 130 + up], 10), ([-14, -8, 128 + up], 10), ([-38, 0, 124], 8)),
      // The left atrium with the veins from the lungs.
      Path(([-18, 4, 104 + up], 13), ([20, 4, 102 + up], 14)),
      Path(([-14, 4, 106 + up], 8), ([-36, 6, 104], 6.5)),
      Path(([18, 4, 104 + up], 8), ([36, 7, 104], 6.5)),
      Path(([-16, 5, 98 + up], 7), ([-38, 14, 90], 5)),
      Path(([18, 5, 96 + up], 7), ([38, 14, 90], 5)),
      // Azygos vein.
      Path(
        ([-7, back - 12, -5], 3.4), ([-8, back - 13, 150 + up], 4),
        ([-20, 8, 160 + up], 4), ([-25 + s, -10, 158 + up], 4.5)),
      // Inferior vena cava.
      Path(([-24, 20, -5], 12), ([-22, 4, 66 + up], 12.5)),
    ]
  }

  private func paintGullet(on slice: inout PhantomSlice) {
    let back = build.spine(110).y
    let path = Path(
      ([14, back - 20, -5], 7.5), ([8, back - 19, 60], 6.5), ([4, back - 19, 130], 6.5),
      ([7, 19, 190], 6.2), ([5, 17, 250], 6.2))
    paint(path, on: &slice, tissue: { _ in 38 }, wall: 0)
    // A little air, here and there.
    slice.paint(in: .init(x: -5...20, y: 0...60), tissue: { _ in -900 }) { p in
      let d = texture.value(Place(7, 7, p.z), scale: 23)
      let center = p.z < 130 ? Place(6, back - 19.5, p.z) : Place(6, 18, p.z)
      return tubeDistance(p, center, center, 2, 2) + 2 - 5 * max(d, 0)
    }
  }

  /// Paints lymph nodes and small vessels, spots in the fat of the mediastinum.
  private func paintNodes(on slice: inout PhantomSlice) {
    let sites: [(Place, Place)] = [
      ([-14, 2, 172], [4.5, 3.5, 6]), ([-12, -4, 156], [5, 3.6, 5]),
      ([24, -14, 160], [4, 3, 5]), ([1, 14, 140], [6, 3.6, 6]),
      ([30, -30, 150], [2.6, 2.2, 5]), ([-4, -52, 120], [2, 1.7, 30]),
      ([5, -58, 150], [3, 2, 9]), ([-20, -58, 140], [2.1, 1.8, 12]),
      ([10, -50, 190], [2.2, 1.9, 14]),
    ]
    for (place, radii) in sites {
      let center = place + Place(build.shift, 0, build.rise * 0.5)
      guard abs(center.z - slice.z) < radii.z + 2 else { continue }
      slice.paint(in: .init(around: center, reach: 10), tissue: { _ in 36 }) {
        ellipsoidDistance($0, center: center, radii: radii)
      }
    }
  }
}
