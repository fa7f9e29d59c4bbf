import CT
import CommandLanguage

extension CTInventory {
  /// The series with their numbers, as `series` prints them.
  var table: OutputTable { Self.table(of: series) }

  /// A table of series; with their index where numbers are missing or not unique.
  static func table(of series: [CTSeries]) -> OutputTable {
    let numbers = series.map(\.number)
    let needsPlaces =
      series.count > 1 && (numbers.contains(nil) || Set(numbers).count < numbers.count)
    let columns: [OutputTable.Column] = [
      .numbers("series"), .words("description"), .words("kernel"), .numbers("slices"),
      .words("size"), .numbers("spacing mm"),
    ]
    return OutputTable(
      (needsPlaces ? [.words("place")] : []) + columns,
      rows: series.enumerated().map { index, entry in
        let place: [OutputLine] = needsPlaces ? ["#\(index + 1)"] : []
        return place + [
          OutputLine(entry.number.map(String.init) ?? (needsPlaces ? "" : "\(index + 1)")),
          OutputLine(entry.seriesDescription),
          OutputLine(entry.convolutionKernel), "\(entry.slices.count)",
          "\(entry.rows)×\(entry.columns)",
          entry.sliceSpacing.map { "\($0, significant: 4)" } ?? "",
        ]
      })
  }

  /// The series that `series=` chooses; all if they have one size.
  func chosen(_ choice: ArgumentValue?) throws(CommandError) -> [CTSeries] {
    let found: [CTSeries]
    switch choice {
    case .integer(let number):
      let numbered = series.filter { $0.number == number }
      guard Set(numbered.map(\.uid)).count <= 1 else {
        let places = series.indices.filter { series[$0].number == number }
        throw CommandError(
          "series", "\(numbered.count) series bear the number \(number)",
          hint: "choose by place: \(places.map { "series=#\($0 + 1)" }.joined(separator: ", ")), "
            + "or by UID; 'series' lists them", status: .badInput)
      }
      let isPlace =
        numbered.isEmpty && series.indices.contains(number - 1)
        && series.allSatisfy { $0.number == nil }
      found = isPlace ? [series[number - 1]] : numbered
    case .text(let text) where text.hasPrefix("#"):
      let place = Int(text.dropFirst()) ?? 0
      found = series.indices.contains(place - 1) ? [series[place - 1]] : []
    case .text(let uid): found = series.filter { $0.uid == uid || $0.shownUID == uid }
    default: found = series
    }
    guard let first = found.first else {
      throw CommandError(
        "series", "there is no such series", hint: "there are \(Self.names(of: series))",
        status: .badInput)
    }
    guard found.allSatisfy({ $0.rows == first.rows && $0.columns == first.columns }) else {
      throw CommandError(
        "series", "the \(found.count) series have different sizes",
        hint: "choose one: \(Self.names(of: series))")
    }
    return found
  }

  /// The argument to type for each series: `series=2 (16 slices 512×512), …`, at most twelve.
  private static func names(of series: [CTSeries]) -> String {
    let named = series.prefix(12).enumerated().map { index, entry in
      let others = series.filter { $0.number == entry.number && entry.number != nil }
      let name = others.count == 1 ? entry.number.map(String.init) ?? "" : "#\(index + 1)"
      return "series=\(name) (\(entry.slices.count) "
        + "\(entry.slices.count == 1 ? "slice" : "slices") \(entry.rows)×\(entry.columns))"
    }
    return named.joined(separator: ", ") + (series.count > 12 ? ", …" : "")
  }

  /// The slices `range` of the chosen series, counted through all of them.
  ///
  /// - Throws: `CommandError` when some do not exist.
  func wanted(
    _ range: ClosedRange<Int>?, of chosen: [CTSeries]
  ) throws -> [CTSeries] {
    guard let range else { return chosen }
    let count = chosen.reduce(0) { $0 + $1.slices.count }
    guard range.lowerBound >= 0, range.upperBound < count else {
      throw CommandError(
        "slices", "slices \(range.lowerBound)..\(range.upperBound) are not all there",
        hint: "0..\(count - 1) exist")
    }
    var start = 0
    var parts: [CTSeries] = []
    for series in chosen {
      let own = start..<start + series.slices.count
      let part = own.clamped(to: range.lowerBound..<range.upperBound + 1)
      if !part.isEmpty {
        parts.append(try series.slices(part.lowerBound - start...part.upperBound - 1 - start))
      }
      start = own.upperBound
    }
    return parts
  }
}

extension [CTSeries] {
  /// Warnings about several series: one line for each kind.
  var warnings: [String] {
    guard count > 1 else { return first?.warnings ?? [] }
    var order: [String] = []
    var places: [String: [Int]] = [:]
    for (index, series) in enumerated() {
      for warning in series.warnings where places[warning]?.last != index {
        if places[warning] == nil { order.append(warning) }
        places[warning, default: []].append(index)
      }
    }
    return order.map { warning in
      let all = places[warning] ?? []
      guard all.count < count else { return warning }
      guard let only = all.first, all.count == 1 else { return "\(all.count) series: \(warning)" }
      let number = self[only].number
      let isUnique = number != nil && self.count { $0.number == number } == 1
      return "series \(isUnique ? "\(number ?? 0)" : "#\(only + 1)"): \(warning)"
    }
  }
}
