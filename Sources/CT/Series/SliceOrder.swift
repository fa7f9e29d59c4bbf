import Foundation

/// Sorts slices along the body, and finds gaps and tilt from their positions.
///
///     distance = position · (alongRow × alongColumn)
///
/// File names and instance numbers often have another order; they are used only when positions are
/// missing.
///
/// Source: PS3.3, C.7.6.2.1.1 Image Position and Image Orientation.
struct SliceOrder {
  private(set) var slices: [CTSlice]
  /// The median distance between neighboring slices, in mm.
  private(set) var spacing: Double?
  private(set) var warnings: [String] = []

  init(_ unordered: [CTSlice]) {
    slices = unordered
    let normal = unordered.compactMap(\.plane.normal).first
    let distances = normal.map { normal in
      unordered.compactMap { $0.plane.distance(along: normal) }
    }
    if let normal, let distances, distances.count == unordered.count {
      // Distances at one place differ by rounding, which must not change the order.
      slices = sorted(unordered, by: Self.places(of: distances).map(Double.init))
      describe(distances.sorted())
      if slices.count > 1 { describeTilt(normal: normal) }
    } else {
      fallBack()
    }
    let tilt = slices.map { abs($0.gantryTilt) }.max() ?? 0
    if tilt > 0.5, !warnings.contains(where: { $0.contains("gantry") }) {
      warnings.append("gantry tilted by \(brief(tilt))°, as the file says")
    }
  }

  /// The distance below which slices lie at the same place, in mm.
  private static let samePlace = 0.01

  /// The rank of each distance among the different places, from 0.
  static func places(of distances: [Double]) -> [Int] {
    var places = [Int](repeating: 0, count: distances.count)
    var place = 0
    var last: Double?
    for i in distances.indices.sorted(by: { distances[$0] < distances[$1] }) {
      if let last, distances[i] - last > samePlace { place += 1 }
      places[i] = place
      last = distances[i]
    }
    return places
  }

  /// The remark that a scan goes from thin to thick slices or back, each part evenly spaced.
  private func changeOfSteps(_ steps: [Double]) -> String? {
    func areAlike(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 0.05 * max(a, b) }
    var parts: [Range<Int>] = []
    for (i, step) in steps.enumerated() {
      if let part = parts.last, areAlike(step, steps[part.lowerBound]) {
        parts[parts.count - 1] = part.lowerBound..<i + 1
      } else {
        parts.append(i..<i + 1)
      }
    }
    guard (2...4).contains(parts.count), parts.allSatisfy({ $0.count > 1 }) else { return nil }
    let lengths = parts.map { steps[$0].sorted()[$0.count / 2] }
    let changes = zip(parts.dropFirst(), lengths.dropFirst()).enumerated().map { i, part in
      "at slice \(part.0.lowerBound) from \(brief(lengths[i])) to \(brief(part.1)) mm"
    }
    return "the spacing of slices changes \(changes.joined(separator: ", "))"
  }

  /// Orders by numbers in the files, since positions are missing.
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

  /// Reports spacing, gaps and repeats; `distances` is sorted, like `slices`.
  private mutating func describe(_ distances: [Double]) {
    guard distances.count > 1 else { return }
    let steps = zip(distances.dropFirst(), distances).map { $0 - $1 }
    let moved = steps.filter { $0 > Self.samePlace }.sorted()
    let repeats = steps.count - moved.count
    if repeats > 0 {
      warnings.append("\(repeats) \(repeats == 1 ? "slice repeats" : "slices repeat") a position")
    }
    guard !moved.isEmpty else { return }
    let typical = moved[(moved.count - 1) / 2]
    spacing = typical
    if let change = changeOfSteps(moved.count == steps.count ? steps : []) {
      warnings.append(change)
      return
    }
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
  }

  /// Reports a shift of the slices as they go along the normal.
  private mutating func describeTilt(normal: SIMD3<Double>) {
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

/// Returns `slices` by ascending `keys`; equal ones by acquisition, frame of their file, and
/// instance number, then in their order.
private func sorted(_ slices: [CTSlice], by keys: [Double]) -> [CTSlice] {
  let order = slices.indices.sorted { a, b in
    if keys[a] != keys[b] { return keys[a] < keys[b] }
    let (first, second) = (slices[a], slices[b])
    let (early, late) = (first.acquisitionNumber ?? .max, second.acquisitionNumber ?? .max)
    if early != late { return early < late }
    if first.frame != second.frame { return first.frame < second.frame }
    let (m, n) = (first.instanceNumber ?? .max, second.instanceNumber ?? .max)
    return m == n ? a < b : m < n
  }
  return order.map { slices[$0] }
}

/// A number of mm or degrees with at most two decimals, without trailing zeros.
func brief(_ number: Double) -> String {
  let hundredths = (number * 100).rounded() / 100
  return hundredths == hundredths.rounded() && abs(hundredths) < 1e15
    ? String(Int(hundredths)) : String(hundredths)
}
