/// The first difference of two tensors, as far as a ledger holds it.
package enum ElementDifference: Hashable, Sendable {
  /// The element at a row-major index, with both values.
  case element(Int, recorded: Float, found: Float)
  /// One or more of these elements, whose values the ledger does not hold.
  case somewhere(Range<Int>)
  /// The shapes differ.
  case shape(recorded: [Int], found: [Int])

  /// The recorded value, the value found, and their distance, as texts for a person.
  package func words(
    of name: String, shape: [Int]
  ) -> (recorded: String, found: String, distance: String?) {
    switch self {
    case .element(let index, let recorded, let found):
      let place = Self.place(index, in: shape).map(String.init).joined(separator: ",")
      let distance = Self.distance(recorded, found).map { "\($0) ulp apart" }
      return ("\(name)[\(place)] = \(recorded)", "\(name)[\(place)] = \(found)", distance)
    case .somewhere(let range):
      let place = "of its elements \(range.lowerBound)…\(range.upperBound - 1)"
      return ("\(name) as in the ledger", "\(name) with other values in several \(place)", nil)
    case .shape(let recorded, let found):
      return ("\(name) \(Self.words(recorded))", "\(name) \(Self.words(found))", nil)
    }
  }

  /// The position of a row-major index along each axis.
  package static func place(_ index: Int, in shape: [Int]) -> [Int] {
    var rest = index
    return shape.reversed().map { extent in
      defer { rest /= max(1, extent) }
      return rest % max(1, extent)
    }.reversed()
  }

  /// The number of steps between neighboring floating-point numbers from one value to the other;
  /// nil for NaN.
  ///
  /// 0 and −0 are the same number but have other bits: they are 1 apart.
  package static func distance(_ a: Float, _ b: Float) -> Int? {
    guard !a.isNaN, !b.isNaN else { return nil }
    if a == b { return a.bitPattern == b.bitPattern ? 0 : 1 }
    return abs(ordinal(a) - ordinal(b))
  }

  private static func ordinal(_ value: Float) -> Int {
    let bits = Int(value.bitPattern & 0x7FFF_FFFF)
    return value.sign == .minus ? -bits : bits
  }

  private static func words(_ shape: [Int]) -> String {
    "[\(shape.map(String.init).joined(separator: ","))]"
  }
}
