package import CT

/// The parts of the data by their use.
package enum Share: String, CaseIterable, Sendable {
  case train
  case validation
  case test
}

/// The unit of data that a split keeps together.
package enum Grouping: String, CaseIterable, Sendable {
  case patient
  case series
  case slice
}

/// The slices for training, for watching a training, and for the final judgement.
package struct Split: Hashable, Sendable {
  package let grouping: Grouping
  /// The numbers of the groups in each share: patients and series from 1, slices from 0.
  package let groups: [Share: [Int]]
  private let slices: [Share: [Int]]

  /// The slices of a share, in order.
  package func slices(_ share: Share) -> [Int] { slices[share] ?? [] }

  private init(_ grouping: Grouping, _ groups: [Share: [Int]], _ origins: [SliceOrigin]) {
    self.grouping = grouping
    self.groups = groups
    slices = groups.mapValues { numbers in
      let numbers = Set(numbers)
      return origins.indices.filter { numbers.contains(origins.group($0, grouping)) }
    }
  }

  /// Distributes consecutive groups in proportion to `shares`.
  ///
  /// Each share above 0 gets at least one group as long as there are enough, training first, then
  /// test, then validation; what rounding leaves goes to the largest remainder.
  ///
  /// - Throws: `DataError` when shares are not proportions, nothing is left to train on, or groups
  ///   are too few.
  package init(
    _ shares: [Share: Double], by grouping: Grouping?, _ origins: [SliceOrigin]
  ) throws(DataError) {
    let grouping = grouping ?? origins.naturalGrouping
    let numbers = origins.groups(grouping)
    let total = shares.values.reduce(0, +)
    guard shares.values.allSatisfy({ $0 >= 0 }), total > 0, total <= 1 + 1e-9 else {
      throw DataError(
        code: "split", "the shares add up to \(total), at most 1 is there to share",
        hint: "for example train=0.7 validation=0.1 test=0.2")
    }
    let wanted = Share.allCases.filter { shares[$0] ?? 0 > 0 }
    guard wanted.contains(.train) else { throw .nothingToTrain(on: "for example train=0.7") }
    let required = wanted.filter { $0 != .validation }
    guard numbers.count >= required.count else {
      throw DataError(
        code: "split",
        "\(numbers.count) \(grouping.rawValue) cannot be split into \(required.count) shares",
        hint: grouping == .slice ? "load more slices" : "split by=slice, or load more")
    }
    var counts = wanted.map { share in Int(Double(numbers.count) * (shares[share] ?? 0) + 1e-9) }
    for (i, share) in wanted.enumerated() where counts[i] == 0 && share != .validation {
      counts[i] = 1
    }
    // Where the minimum of one each is too much, groups are taken from the largest that can spare
    // one.
    while counts.reduce(0, +) > numbers.count {
      let sparing = counts.indices.filter {
        counts[$0] > (wanted[$0] == .validation ? 0 : 1)
      }
      guard let largest = sparing.max(by: { counts[$0] < counts[$1] }) else { break }
      counts[largest] -= 1
    }
    let intended = min(numbers.count, Int((Double(numbers.count) * total).rounded()))
    while counts.reduce(0, +) < intended {
      let remainders = wanted.enumerated().map { i, share in
        Double(numbers.count) * (shares[share] ?? 0) - Double(counts[i])
      }
      guard let largest = remainders.indices.max(by: { remainders[$0] < remainders[$1] }) else {
        break
      }
      counts[largest] += 1
    }
    var rest = numbers[...]
    var groups: [Share: [Int]] = [:]
    for (i, share) in wanted.enumerated() {
      groups[share] = Array(rest.prefix(counts[i]))
      rest = rest.dropFirst(counts[i])
    }
    self.init(grouping, groups, origins)
  }

  /// Makes a split from named groups: `train=series:1,2 test=series:3`.
  ///
  /// - Throws: `DataError` when a group does not exist or is in two shares.
  package init(
    groups: [Share: [Int]], by grouping: Grouping, _ origins: [SliceOrigin]
  ) throws(DataError) {
    let known = Set(origins.groups(grouping))
    var seen: Set<Int> = []
    for share in Share.allCases {
      for number in groups[share] ?? [] {
        guard known.contains(number) else {
          throw DataError(
            code: "split", "there is no \(grouping.rawValue) \(number)",
            hint: "\(known.min() ?? 0) to \(known.max() ?? 0) exist")
        }
        guard seen.insert(number).inserted else {
          throw DataError(
            code: "split", "\(grouping.rawValue) \(number) stands in two shares",
            hint: "a \(grouping.rawValue) that trains must not judge")
        }
      }
    }
    guard let train = groups[.train], !train.isEmpty else {
      throw .nothingToTrain(on: "name train=\(grouping.rawValue):…")
    }
    self.init(grouping, groups, origins)
  }
}

extension DataError {
  /// The error of a split without training slices; `hint` says how to name some.
  fileprivate static func nothingToTrain(on hint: String) -> DataError {
    DataError(code: "split", "nothing is left to train on", hint: hint)
  }
}

extension [SliceOrigin] {
  /// The default grouping: by patient when there are several, else by series when there are
  /// several, else by slice.
  fileprivate var naturalGrouping: Grouping {
    if groups(.patient).count > 1 { return .patient }
    return groups(.series).count > 1 ? .series : .slice
  }

  /// The group that slice `index` belongs to.
  fileprivate func group(_ index: Int, _ grouping: Grouping) -> Int {
    switch grouping {
    case .patient: self[index].patient
    case .series: self[index].series
    case .slice: index
    }
  }

  fileprivate func groups(_ grouping: Grouping) -> [Int] {
    Set(indices.map { group($0, grouping) }).sorted()
  }
}
