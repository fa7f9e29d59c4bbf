import Tensors

/// Smooth structure of mean about 0 and values within −1…1, a function of place alone.
///
/// Random numbers on a periodic lattice of 32³ points, interpolated with smooth weights.
struct PhantomTexture {
  private let lattice: [Float]

  init(stream: RandomStream) {
    lattice = (0..<32 * 32 * 32).map { Float(stream.uniform(at: $0, in: -1...1)) }
  }

  /// The structure at `place` with details of about `scale` mm.
  func value(_ place: Place, scale: Float) -> Float {
    let p = place / scale + 1024
    let x = Int(p.x)
    let y = Int(p.y)
    let z = Int(p.z)
    let t = p - Place(Float(x), Float(y), Float(z))
    let w = t * t * (3 - 2 * t)
    return lattice.withUnsafeBufferPointer { lattice in
      let x0 = x & 31
      let x1 = (x + 1) & 31
      let y0 = (y & 31) << 5
      let y1 = ((y + 1) & 31) << 5
      let z0 = (z & 31) << 10
      let z1 = ((z + 1) & 31) << 10
      let a = mix(lattice[x0 + y0 + z0], lattice[x1 + y0 + z0], w.x)
      let b = mix(lattice[x0 + y1 + z0], lattice[x1 + y1 + z0], w.x)
      let c = mix(lattice[x0 + y0 + z1], lattice[x1 + y0 + z1], w.x)
      let d = mix(lattice[x0 + y1 + z1], lattice[x1 + y1 + z1], w.x)
      return mix(mix(a, b, w.y), mix(c, d, w.y), w.z)
    }
  }
}
