import Tensors

/// The object of which a phantom's slices are made.
package enum PhantomKind: String, CaseIterable, Sendable {
  case thorax
  /// A cylinder of water with rods of several contrasts.
  case inserts
  /// A cylinder of water alone.
  case water
}

/// A rod along the axis of the phantom with inserts.
package struct PhantomInsert: Hashable, Sendable {
  /// The middle, in mm from the middle of the picture, columns and rows.
  package let x: Double, y: Double
  /// In mm.
  package let radius: Double
  /// The value of the rod, in a cylinder of water at 0 HU.
  package let hounsfield: Double
}

/// The phantoms for measurements: a cylinder of water in air, with or without rods.
///
/// An edge has the shape of a Gaussian's integral: the value at the distance d outside an edge between
/// a and b is b + (a − b)·Φ(−d/σ), with σ = ``pointSpread``. The modulation transfer is thus
/// exp(−2π²σ²f²).
extension ThoraxPhantom {
  /// The radius of the cylinder in mm.
  static let cylinder = 140.0
  /// The values of the rods in HU: those of air and plastics, and low contrasts.
  static let rods: [Double] = [-1000, -200, -100, -35, 20, 120, 340, 990]

  /// The standard deviation of the point spread in mm.
  package var pointSpread: Double { max(0.6, 0.45 * pixelSpacing) }

  /// The rods of a patient, turned a little from patient to patient; none in other kinds.
  package func inserts(patient: Int) -> [PhantomInsert] {
    guard kind == .inserts else { return [] }
    // Steps of an eighth and of a fortieth of a turn, by the cosine and sine of the smaller one.
    let (cosine, sine) = (0.9876883405951378, 0.15643446504023087)
    let turns = (Int(seed % 5) + patient) % 5
    return Self.rods.indices.map { index in
      var (x, y) = (80.0, 0.0)
      for _ in 0..<5 * index + turns { (x, y) = (x * cosine - y * sine, x * sine + y * cosine) }
      return PhantomInsert(x: x, y: y, radius: 14, hounsfield: Self.rods[index])
    }
  }

  /// A slice of water with or without rods; all slices of a patient are alike.
  func measurementSlice(patient: Int) -> [Float] {
    let rods = inserts(patient: patient)
    let middle = Double(size - 1) / 2
    return (0..<size * size).map { pixel in
      let x = (Double(pixel % size) - middle) * pixelSpacing
      let y = (Double(pixel / size) - middle) * pixelSpacing
      // Air of −1000 HU outside; water is 0.
      var value = -1000 * edge((x * x + y * y).squareRoot() - Self.cylinder)
      for rod in rods {
        let (dx, dy) = (x - rod.x, y - rod.y)
        value += rod.hounsfield * edge(rod.radius - (dx * dx + dy * dy).squareRoot())
      }
      return Float(value.rounded()) + 0
    }
  }

  /// The share Φ(d/σ), 0 far below d = 0, 1 far above.
  ///
  /// Source: Abramowitz and Stegun 7.1.26.
  private func edge(_ distance: Double) -> Double {
    let x = abs(distance) / pointSpread * 0.5.squareRoot()
    guard x < 6 else { return distance > 0 ? 1 : 0 }
    let t = 1 / (1 + 0.3275911 * x)
    var series = 1.061405429
    for factor in [-1.453152027, 1.421413741, -0.284496736, 0.254829592] {
      series = series * t + factor
    }
    let rest = series * t * ReproducibleMath.exp(-x * x) / 2
    return distance > 0 ? 1 - rest : rest
  }
}

extension ThoraxPhantom: CustomStringConvertible {
  /// The parameters, by which identifiers of derived series are made.
  package var description: String {
    "ThoraxPhantom(size: \(size), slices: \(slices), patients: \(patients), seed: \(seed)"
      + (kind == .thorax ? ")" : ", kind: \(kind.rawValue))")
  }
}
