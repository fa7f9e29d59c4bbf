import CommandLanguage

/// A fact about the machine, build or data of a record: `#@ blas: openblas 0.3.21 SkylakeX`.
package struct Stamp: Hashable, Sendable {
  package let key: String
  package let value: String

  package init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }

  /// The line of a session file.
  var line: String { "#@ \(key): \(VisibleText.visible(value))" }

  /// The key of the data called `name`, with colons replaced, since a colon ends a key.
  static func dataKey(_ name: String) -> String {
    "data \(VisibleText.visible(name).replacing(":", with: "-"))"
  }

  /// Whether the stamp is of data that a session read.
  var isOfData: Bool { key.hasPrefix("data ") }

  /// The stamps of the data that one session reads, in order; a name can occur again with other
  /// data.
  struct DataLog: Sendable {
    private(set) var stamps: [Stamp] = []
    private var counts: [String: Int] = [:]

    /// Adds data that was read and returns its stamp, `data NAME`, or `data NAME 2` for the second.
    mutating func add(_ item: Outcome.DataStamp) -> Stamp {
      let key = Stamp.dataKey(item.name)
      let count = counts[key, default: 0] + 1
      counts[key] = count
      let value = [item.fingerprint, item.size].compactMap(\.self).joined(separator: " ")
      stamps.append(Stamp(count == 1 ? key : "\(key) \(count)", value))
      return stamps[stamps.count - 1]
    }
  }

  /// Whether both stamps are of the same data, by the fingerprint at their beginning.
  func namesSameData(as other: Stamp) -> Bool {
    value.prefix { $0 != " " } == other.value.prefix { $0 != " " }
  }

  /// The keys that must be equal for a replay to agree to the digit; all data must be equal, too.
  package static let decidingKeys: Set<String> = ["backflow", "engine", blasKey]

  /// The deciding stamps, by key.
  package static func deciding(_ stamps: [Stamp]) -> [String: String] {
    Dictionary(stamps.filter { decidingKeys.contains($0.key) }.map { ($0.key, $0.value) }) { $1 }
  }

  /// The key of the library that multiplies matrices.
  private static let blasKey = "blas"

  /// The stamps that matter for a session: without BLAS where it was not used.
  static func needed(_ stamps: [Stamp], usedBLAS: Bool) -> [Stamp] {
    usedBLAS ? stamps : stamps.filter { $0.key != blasKey }
  }

  /// The key of the library that draws colored pictures.
  private static let drawingKey = "drawing"

  /// Whether pictures in color must be equal to the pixel, as far as the drawing library goes.
  ///
  /// Another version may draw the edges of shapes differently. Grey pictures need no library.
  static func drawsAlike(record: [Stamp], here: [Stamp]) -> Bool {
    record.last { $0.key == drawingKey }.map(here.contains) ?? true
  }

  /// Whether the output here must agree with the record to the digit.
  ///
  /// A key that the record leaves out was not needed for it, but without the program's version the
  /// answer is false.
  static func mustAgreeToTheDigit(record: [Stamp], here: [Stamp]) -> Bool {
    let deciding = record.filter { decidingKeys.contains($0.key) }
    return deciding.contains { $0.key == "backflow" } && deciding.allSatisfy(here.contains)
  }

  /// Returns `old` with the values of `new`; keys keep their order, new ones come last.
  static func merged(_ old: [Stamp], _ new: [Stamp]) -> [Stamp] {
    let updated = old.map { stamp in new.last { $0.key == stamp.key } ?? stamp }
    return new.reduce(into: updated) { result, stamp in
      if !result.contains(where: { $0.key == stamp.key }) { result.append(stamp) }
    }
  }
}
