import Foundation

/// Matches noisy slices with clean ones by their positions in the patient.
///
/// Series are paired first: by the frame of reference where all have different ones, else in their
/// order. Within a pair of series, a noisy slice belongs to the clean one at the same distance
/// along the normal.
///
/// Source: PS3.3, C.7.6.2.1.1 Image Position and Image Orientation; C.7.4.1 Frame of Reference.
package struct SlicePairing {
  /// The indices of slices that belong together, in the order of the clean ones.
  package private(set) var clean: [Int] = [], noisy: [Int] = []
  /// Remarks on the pairing, for example that positions differ by a shift.
  package private(set) var warnings: [String] = []

  /// The largest distance between slices of one place, as a fraction of the distance of neighbors.
  private static let tolerance = 0.1

  /// Pairs slices; nil when some have no position, so that only their number can be compared.
  ///
  /// - Throws: `CTError` when the slices are of different patients, have different orientations or
  ///   pixel sizes, or share no position.
  package init?(clean: ImageStack, noisy: ImageStack) throws(CTError) {
    guard !clean.sources.isEmpty, !noisy.sources.isEmpty,
      (clean.sources + noisy.sources).allSatisfy({
        $0.plane.position != nil && $0.plane.normal != nil
      })
    else { return nil }
    let (first, second) = (Series.all(of: clean), Series.all(of: noisy))
    var shifts: [Shift] = []
    for (one, other) in try Self.pairs(first, second) {
      try one.requireLikeness(to: other, &warnings)
      shifts += match(one, other)
    }
    guard !shifts.isEmpty else { throw Self.nothingMatches(first[0], second[0]) }
    describe(shifts, clean.count, noisy.count)
  }

  /// The slices of one series, by their indices in the stack.
  fileprivate struct Series {
    var places: [Int] = []
    var sources: [SliceSource] = []

    static func all(of stack: ImageStack) -> [Series] {
      var all: [Int: Series] = [:]
      for (place, source) in stack.sources.enumerated() {
        all[stack.origins[place].series, default: Series()].places.append(place)
        all[stack.origins[place].series, default: Series()].sources.append(source)
      }
      return all.keys.sorted().compactMap { all[$0] }
    }

    var plane: SlicePlane { sources[0].plane }
    var frame: String { sources[0].frameOfReferenceUID }

    /// The distance of each slice along `normal`, in mm.
    func distances(along normal: SIMD3<Double>) -> [Double] {
      sources.compactMap { $0.plane.distance(along: normal) }
    }
  }

  /// The shift of a noisy slice from its clean one.
  private struct Shift {
    /// The difference of the indices within the two series.
    let slices: Int
    /// The shift along the normal and within the plane, in mm.
    let along: Double, beside: Double
    /// Half the distance between rows, in mm.
    let halfPixel: Double
    /// The distance between neighboring slices, in mm.
    let spacing: Double
  }

  private static func pairs(
    _ clean: [Series], _ noisy: [Series]
  ) throws(CTError) -> [(Series, Series)] {
    let frames = [clean, noisy].map { Set($0.map(\.frame)) }
    let tells =
      frames[0].count == clean.count && frames[1].count == noisy.count
      && !frames[0].contains("") && !frames[1].contains("")
    if tells, !frames[0].isDisjoint(with: frames[1]) {
      return clean.compactMap { one in
        noisy.first { $0.frame == one.frame }.map { (one, $0) }
      }
    }
    guard clean.count == noisy.count else {
      throw CTError(
        "pair", "there are \(clean.count) clean series, and \(noisy.count) noisy ones.",
        hint: "load those that belong together, with series=N")
    }
    return Array(zip(clean, noisy))
  }

  private mutating func match(_ one: Series, _ other: Series) -> [Shift] {
    guard let normal = one.plane.normal else { return [] }
    let (ours, theirs) = (one.distances(along: normal), other.distances(along: normal))
    let spacing = Self.spacing(ours, one.plane.thickness)
    let limit = max(0.01, Self.tolerance * spacing)
    var taken: Set<Int> = []
    var shifts: [Shift] = []
    for (place, distance) in ours.enumerated() {
      let near = theirs.indices.filter {
        !taken.contains($0) && abs(theirs[$0] - distance) <= limit
      }
      .min { abs(theirs[$0] - distance) < abs(theirs[$1] - distance) }
      guard let near, let a = one.sources[place].plane.position,
        let b = other.sources[near].plane.position
      else { continue }
      taken.insert(near)
      clean.append(one.places[place])
      noisy.append(other.places[near])
      let way = b - a
      let along = dot(way, normal)
      let aside = way - along * normal
      shifts.append(
        Shift(
          slices: near - place, along: along, beside: dot(aside, aside).squareRoot(),
          halfPixel: (one.plane.rowSpacing ?? 1) / 2, spacing: spacing))
    }
    return shifts
  }

  /// The median distance between neighbors; for a single slice, its thickness, or 1 mm.
  private static func spacing(_ distances: [Double], _ thickness: Double?) -> Double {
    let sorted = distances.sorted()
    let steps = zip(sorted.dropFirst(), sorted).map { $0 - $1 }.filter { $0 > 0.01 }.sorted()
    return steps.isEmpty ? thickness ?? 1 : steps[(steps.count - 1) / 2]
  }

  private mutating func describe(_ shifts: [Shift], _ cleanCount: Int, _ noisyCount: Int) {
    let offsets = Set(shifts.map(\.slices))
    if offsets != [0], let spacing = shifts.map(\.spacing).first {
      let by =
        if offsets.count == 1, let offset = offsets.first {
          "by \(abs(offset)) \(abs(offset) == 1 ? "slice" : "slices") "
            + "(\(brief(Double(abs(offset)) * spacing)) mm)"
        } else {
          "by \(offsets.min() ?? 0) to \(offsets.max() ?? 0) slices"
        }
      warnings.append(
        "the noisy series is shifted \(by) against the clean one: matched by position")
    }
    for (name, count, matched) in [
      ("clean", cleanCount, clean.count), ("noisy", noisyCount, noisy.count),
    ] where matched < count {
      let rest = count - matched
      warnings.append(
        "\(rest) of \(count) \(name) slices \(rest == 1 ? "has" : "have") no counterpart and "
          + "\(rest == 1 ? "is" : "are") left out")
    }
    let along = shifts.map(\.along).max { abs($0) < abs($1) } ?? 0
    if abs(along) > 0.01 {
      warnings.append("the noisy slices lie up to \(brief(abs(along))) mm off along the normal")
    }
    let beside = shifts.map(\.beside).max() ?? 0
    if let half = shifts.map(\.halfPixel).min(), beside > half {
      warnings.append("the noisy slices lie \(brief(beside)) mm beside the clean ones in the plane")
    }
  }

  private static func nothingMatches(_ one: Series, _ other: Series) -> CTError {
    guard let normal = one.plane.normal else { return CTError("pair", "no slice has a normal.") }
    func range(_ series: Series) -> String {
      let distances = series.distances(along: normal)
      return "\(brief(distances.min() ?? 0)) to \(brief(distances.max() ?? 0)) mm"
    }
    return CTError(
      "pair",
      "no noisy slice lies where a clean one does: clean ones at \(range(one)) along the normal, "
        + "noisy ones at \(range(other)).",
      hint: "load the noisy counterpart; pair=order takes them in their order, pair=no alone")
  }
}

extension SlicePairing.Series {
  /// Throws when slices of two series cannot be at the same place; adds warnings about other
  /// differences.
  fileprivate func requireLikeness(
    to other: Self, _ warnings: inout [String]
  ) throws(CTError) {
    let cure = "load the noisy counterpart; pair=order takes them in their order, pair=no alone"
    let haveFrames = !frame.isEmpty && !other.frame.isEmpty
    if haveFrames, frame != other.frame {
      if let a = sources[0].patientKey, let b = other.sources[0].patientKey, a != b {
        throw CTError(
          "pair", "the noisy slices are of another patient or study than the clean ones.",
          hint: cure)
      }
      let warning = "the series have different frames of reference: positions may not be comparable"
      if !warnings.contains(warning) { warnings.append(warning) }
    }
    if let a = plane.normal, let b = other.plane.normal, let c = plane.alongRow,
      let d = other.plane.alongRow, dot(a, b) < 0.999 || dot(c, d) < 0.999
    {
      throw CTError(
        "pair", "the noisy slices lie in another direction than the clean ones.", hint: cure)
    }
    for (name, a, b) in [
      ("rows", plane.rowSpacing, other.plane.rowSpacing),
      ("columns", plane.columnSpacing, other.plane.columnSpacing),
    ] {
      guard let a, let b, abs(a - b) > 0.01 * max(a, b) else { continue }
      throw CTError(
        "pair",
        "the noisy \(name) lie \(brief(b)) mm apart, the clean ones \(brief(a)) mm.", hint: cure)
    }
  }
}
