/// Slices of one series that can make one stack.
///
/// Exporters write the same direction with different digits. So numbers are compared with those of
/// the first slice within a tolerance; rounding would separate numbers at the edge of a bin.
struct SeriesGroup {
  private(set) var slices: [CTSlice]
  /// The slice with which others are compared.
  let first: CTSlice
  /// Whether other slices were scanned at the same positions.
  private(set) var isOneOfSeveralScans = false

  init(_ slice: CTSlice) {
    (slices, first) = ([slice], slice)
  }

  mutating func append(_ slice: CTSlice) { slices.append(slice) }

  /// A property in which slices of one series differ, so that they cannot form one stack.
  enum Difference: String, CaseIterable {
    case patient = "patients"
    case orientation = "orientations"
    case size = "sizes"
    case spacing = "spacings"
    case scan = "scans of the same positions"
  }

  /// The properties in which `slice` differs from the group; empty if it belongs to it.
  func differences(from slice: CTSlice) -> Set<Difference> {
    var all: Set<Difference> = []
    let (mine, other) = (first.plane, slice.plane)
    if !isSamePatient(slice) { all.insert(.patient) }
    if !areClose(mine.alongRow, other.alongRow) || !areClose(mine.alongColumn, other.alongColumn) {
      all.insert(.orientation)
    }
    if first.format.rows != slice.format.rows || first.format.columns != slice.format.columns {
      all.insert(.size)
    }
    if !areClose(mine.rowSpacing, other.rowSpacing)
      || !areClose(mine.columnSpacing, other.columnSpacing)
    {
      all.insert(.spacing)
    }
    return all
  }

  /// Whether a slice is of the group's patient; of unknown patients, slices of one series are,
  /// since some exporters make a study of every file.
  private func isSamePatient(_ slice: CTSlice) -> Bool {
    first.patientKey == slice.patientKey
      || (!first.isPatientKnown && !slice.isPatientKnown && !slice.seriesUID.isEmpty)
  }

  /// Whether directions differ by at most a third of a degree.
  private func areClose(_ a: SIMD3<Double>?, _ b: SIMD3<Double>?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    let way = a - b
    return dot(way, way) <= 0.006 * 0.006
  }

  /// Whether distances differ by at most a thousandth: half a pixel at the edge of a slice.
  private func areClose(_ a: Double?, _ b: Double?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) <= 0.001 * max(a, b)
  }
}

extension SeriesGroup {
  /// The group divided into volumes that were scanned one after the other at the same positions, by
  /// Acquisition Number, Temporal Position Identifier or Trigger Time; the group alone if these do
  /// not tell.
  var scans: [SeriesGroup] {
    guard let normal = first.plane.normal else { return [self] }
    let distances = slices.compactMap { $0.plane.distance(along: normal) }
    guard distances.count == slices.count else { return [self] }
    let most =
      SliceOrder.places(of: distances).reduce(into: [:]) { $0[$1, default: 0] += 1 }
      .values.max() ?? 1
    guard most > 1 else { return [self] }
    let keys: [(CTSlice) -> Double?] = [
      { $0.acquisitionNumber.map(Double.init) }, { $0.temporalPosition.map(Double.init) },
      { $0.triggerTime },
    ]
    for key in keys {
      var parts: [Double: [CTSlice]] = [:]
      for slice in slices {
        if let number = key(slice) { parts[number, default: []].append(slice) }
      }
      let isWhole = parts.values.reduce(0) { $0 + $1.count } == slices.count
      guard isWhole, parts.count == most, parts.values.allSatisfy({ $0.count > 1 }),
        parts.values.allSatisfy({ !Self.repeatsPlace($0, normal) })
      else { continue }
      return parts.sorted { $0.key < $1.key }.map { _, slices in
        var scan = SeriesGroup(slices[0])
        scan.slices = slices
        scan.isOneOfSeveralScans = true
        return scan
      }
    }
    return [self]
  }

  private static func repeatsPlace(_ slices: [CTSlice], _ normal: SIMD3<Double>) -> Bool {
    let places = SliceOrder.places(of: slices.compactMap { $0.plane.distance(along: normal) })
    return Set(places).count < places.count
  }

  /// The groups of `slices`, in the order of their first slices.
  static func groups(_ slices: [CTSlice]) -> [SeriesGroup] {
    var groups: [SeriesGroup] = []
    var places: [String: [Int]] = [:]
    for slice in slices {
      let own = places[slice.seriesUID] ?? []
      if let place = own.first(where: { groups[$0].differences(from: slice).isEmpty }) {
        groups[place].append(slice)
      } else {
        places[slice.seriesUID, default: []].append(groups.count)
        groups.append(SeriesGroup(slice))
      }
    }
    return groups.flatMap(\.scans)
  }

  /// A remark on why one series makes several stacks; nil when it makes one.
  static func remark(on siblings: [SeriesGroup]) -> String? {
    guard let first = siblings.first, !first.first.seriesUID.isEmpty, siblings.count > 1 else {
      return nil
    }
    var found = siblings.reduce(into: Set<Difference>()) {
      $0.formUnion(first.differences(from: $1.first))
    }
    if siblings.contains(where: \.isOneOfSeveralScans) { found.insert(.scan) }
    let words = Difference.allCases.filter(found.contains).map(\.rawValue)
    return "the series holds images of several \(words.joined(separator: " and of several "))"
  }
}
