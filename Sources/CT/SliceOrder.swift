import Foundation

/// Slices in the order of the body, with what their positions tell.
///
///     distance = position · (alongRow × alongColumn)
///
/// File names and instance numbers often run otherwise; they serve only when positions are missing.
///
/// Source: PS3.3, C.7.6.2.1.1 Image Position and Image Orientation.
struct SliceOrder {
  private(set) var slices: [CTSlice]
  /// The median distance between neighbouring slices, in mm.
  private(set) var spacing: Double?
  private(set) var warnings: [String] = []

  init(_ unordered: [CTSlice]) {
    slices = unordered
    let normal = unordered.compactMap(\.plane.normal).first
    let distances = normal.map { normal in
      unordered.compactMap { $0.plane.distance(along: normal) }
    }
    if let normal, let distances, distances.count == unordered.count {
      slices = sorted(unordered, by: distances)
      describe(distances.sorted(), normal: normal)
    } else {
      fallBack()
    }
    let tilt = slices.map { abs($0.gantryTilt) }.max() ?? 0
    if tilt > 0.5, !warnings.contains(where: { $0.contains("gantry") }) {
      warnings.append("gantry tilted by \(brief(tilt))°, as the file says")
    }
  }

  /// Orders by the file's numbers, since positions are missing.
  private mutating func fallBack() {
    let numbers = slices.compactMap(\.instanceNumber)
    let locations = slices.compactMap(\.sliceLocation)
    let missing = "position or orientation is missing:"
    if numbers.count == slices.count, Set(numbers).count == numbers.count || slices.count == 1 {
      slices = sorted(slices, by: numbers.map(Double.init))
      warnings.append("\(missing) ordered by Instance Number, which may not follow the body")
    } else if locations.count == slices.count {
      slices = sorted(slices, by: locations)
      warnings.append("\(missing) ordered by Slice Location")
    } else {
      warnings.append("\(missing) in the order of the files")
    }
  }

  /// Reports spacing, gaps, repeats and tilt; `distances` is sorted, like `slices`.
  private mutating func describe(_ distances: [Double], normal: SIMD3<Double>) {
    guard distances.count > 1 else { return }
    let steps = zip(distances.dropFirst(), distances).map { $0 - $1 }
    let moved = steps.filter { $0 > 0.01 }.sorted()
    let repeats = steps.count - moved.count
    if repeats > 0 {
      warnings.append("\(repeats) \(repeats == 1 ? "slice repeats" : "slices repeat") a position")
    }
    guard !moved.isEmpty else { return }
    let typical = moved[(moved.count - 1) / 2]
    spacing = typical
    let gaps = steps.enumerated().filter { $0.element > 1.5 * typical }
    for (i, step) in gaps.prefix(3) {
      warnings.append(
        "gap of \(brief(step)) mm between slices \(i) and \(i + 1); others are \(brief(typical)) mm"
      )
    }
    if gaps.count > 3 { warnings.append("\(gaps.count - 3) more gaps") }
    let isUneven = moved.contains { $0 <= 1.5 * typical && abs($0 - typical) > 0.05 * typical }
    if isUneven {
      warnings.append(
        "uneven spacing: \(brief(moved[0])) to \(brief(moved[moved.count - 1])) mm")
    }
    if let first = slices.first?.plane.position, let last = slices.last?.plane.position {
      let way = last - first
      let length = dot(way, way).squareRoot()
      let cosine = length > 0 ? min(1, abs(dot(way, normal)) / length) : 1
      let degrees = acos(cosine) * 180 / .pi
      if degrees > 0.5 {
        warnings.append("gantry tilted by \(brief(degrees))°: slices shift as they go")
      }
    }
  }
}

/// `slices` by ascending `keys`; equal ones by frame of their file, instance number, then as found.
private func sorted(_ slices: [CTSlice], by keys: [Double]) -> [CTSlice] {
  let order = slices.indices.sorted { a, b in
    if keys[a] != keys[b] { return keys[a] < keys[b] }
    let (first, second) = (slices[a], slices[b])
    if first.frame != second.frame { return first.frame < second.frame }
    let (m, n) = (first.instanceNumber ?? .max, second.instanceNumber ?? .max)
    return m == n ? a < b : m < n
  }
  return order.map { slices[$0] }
}

/// A number of mm or degrees with at most two decimals, none that are 0.
func brief(_ number: Double) -> String {
  let hundredths = (number * 100).rounded() / 100
  return hundredths == hundredths.rounded() && abs(hundredths) < 1e15
    ? String(Int(hundredths)) : String(hundredths)
}
