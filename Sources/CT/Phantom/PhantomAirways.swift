/// The windpipe, the main bronchi, and the bronchi beside the arteries.
extension PhantomAnatomy {
  func paintAirways(on slice: inout PhantomSlice) {
    let air = { (p: Place) -> Float in -995 }
    let wall = { (p: Place) -> Float in 30 }
    let large = largeAirways
    for path in large { paint(path, on: &slice, tissue: wall, wall: 1.2) }
    let small = smallAirways(near: slice.z)
    for (path, thickness) in small { paint(path, on: &slice, tissue: wall, wall: thickness) }
    for path in large { paint(path, on: &slice, tissue: air, wall: 0) }
    for (path, _) in small { paint(path, on: &slice, tissue: air, wall: 0) }
  }

  private var largeAirways: [Path] {
    let up = build.rise * 0.5
    let carina: Place = [-1, 4, 148 + up]
    return [
      Path(([1, 1, 252], 8.4), ([-1, 3, 160 + up], 8.8), (carina, 8.6)),
      Path((carina, 7.4), ([-24, 9, 132 + up], 6.6), ([-34, 8, 126], 5.6)),
      Path((carina, 6.8), ([22, 9, 131 + up], 6), ([34, 9, 126], 5.2)),
      // These lead to the upper lobes, and on to the lower.
      Path(([-24, 9, 132 + up], 4.6), ([-46, 4, 146], 3.4)),
      Path(([-34, 8, 126], 5), ([-38, 12, 108], 4.6), ([-44, 22, 84], 3.6)),
      Path(([30, 9, 128 + up], 4.4), ([46, 2, 142], 3.2)),
      Path(([34, 9, 126], 4.8), ([38, 16, 106], 4.4), ([46, 26, 84], 3.4)),
    ]
  }

  /// The bronchi beside arteries that feed at least 14 ends, with the thickness of their walls in
  /// mm.
  private func smallAirways(near z: Float) -> [(Path, Float)] {
    bloodVessels.filter(\.hasAirways).flatMap { tree in
      tree.tubes.compactMap { tube -> (Path, Float)? in
        guard tube.ends >= 14, tube.ends < 700, abs(tube.start.z - z) < 60 else { return nil }
        let radius = tube.startRadius
        // Towards the middle of the body and up from the artery.
        guard build.lung(tube.start, tree.side) < -3, build.lung(tube.end, tree.side) < -3
        else { return nil }
        let beside = Place(-tree.side.sign * 0.75, -0.35, 0.56) * (1.95 * radius + 0.9)
        return (
          Path(
            (tube.start + beside, 0.78 * radius), (tube.end + beside, 0.78 * tube.endRadius)),
          0.35 + 0.13 * radius
        )
      }
    }
  }
}
