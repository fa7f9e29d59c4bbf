import Synchronization
import Tensors

/// The anatomy of one patient of the phantom: sizes, places and trees, drawn once from the seed.
struct PhantomAnatomy: Sendable {
  let build: PhantomBuild
  let bloodVessels: [PhantomLungTree]
  let nodules: [PhantomNodule]
  let texture: PhantomTexture

  /// The patients that were asked for last, and the most that are kept.
  private static let known = Mutex<[Patient: PhantomAnatomy]>([:])
  private static let mostKnown = 32

  private struct Patient: Hashable {
    let seed: UInt64, number: Int
  }

  /// Returns the anatomy of a patient; to grow its vessels takes longer than to draw a small slice, so the
  /// last ones are kept.
  static func of(seed: UInt64, patient: Int) -> PhantomAnatomy {
    let key = Patient(seed: seed, number: patient)
    if let anatomy = known.withLock({ $0[key] }) { return anatomy }
    let anatomy = PhantomAnatomy(seed: seed, patient: patient)
    known.withLock { known in
      if known.count >= mostKnown { known = [:] }
      known[key] = anatomy
    }
    return anatomy
  }

  private init(seed: UInt64, patient: Int) {
    func stream(_ name: String) -> RandomStream {
      RandomStream(seed: seed, name: "phantom/patient\(patient)/\(name)")
    }
    let build = PhantomBuild(stream: stream("build"))
    self.build = build
    bloodVessels = [PhantomSide.right, .left].flatMap { side in
      [
        PhantomLungTree(arteriesOf: side, build, stream: stream("arteries/\(side)")),
        PhantomLungTree(veinsOf: side, build, stream: stream("veins/\(side)")),
      ]
    }
    nodules = PhantomNodule.draw(in: build, stream: stream("nodules"))
    texture = PhantomTexture(stream: stream("texture"))
  }

  /// The transverse slice at height `z` mm, `size`² values in HU, row-major; not whole once
  /// `shouldStop` returns true.
  func slice(
    size: Int, pixel: Float, z: Float, shouldStop: () -> Bool = { false }
  ) -> [Float] {
    var slice = PhantomSlice(size: size, pixel: pixel, z: z)
    paintTable(on: &slice)
    // Bending avoids perfect ovals and mirror images, which no body has.
    slice.bend { p in
      Place(
        texture.value(p, scale: 70), texture.value(p + 500, scale: 66),
        texture.value(p + 900, scale: 60)) * 4.2
    }
    guard !shouldStop() else { return slice.hounsfield }
    let surfaces = PhantomSurfaces(build, of: slice)
    let parts: [(inout PhantomSlice) -> Void] = [
      { paintWall(on: &$0, surfaces) }, { paintAbdomen(on: &$0, surfaces) },
      { paintLungs(on: &$0, surfaces) }, { paintMediastinum(on: &$0, surfaces) },
      { paintAirways(on: &$0) }, { paintBones(on: &$0, surfaces) },
    ]
    for paint in parts {
      guard !shouldStop() else { return slice.hounsfield }
      paint(&slice)
    }
    return shouldStop() ? slice.hounsfield : slice.scanned()
  }
}

/// A side of the body, from the patient's view.
enum PhantomSide: String, Sendable {
  case right
  case left

  /// The direction of x: −1 to the right, +1 to the left.
  var sign: Float { self == .right ? -1 : 1 }
}
