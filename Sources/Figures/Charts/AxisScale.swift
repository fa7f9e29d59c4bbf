import Tensors

/// The scale of an axis: the positions of values along it, and its ticks.
///
/// An axis covers the finite values it is made for, with some room. Values beyond ±1e300, NaN and
/// infinities have no position, nor do numbers up to 0 on a logarithmic axis.
package struct AxisScale: Hashable, Sendable {
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    case linear
    case logarithmic = "log"
  }

  /// A value that is printed at the axis.
  package struct Tick: Hashable, Sendable {
    package let value: Double
    package let label: NumberLabel
  }

  package let kind: Kind
  /// Whether all ticks are whole numbers, as indices are.
  private let isWhole: Bool
  /// The ends of the axis; on a logarithmic one, their decimal logarithms.
  private let low: Double, high: Double

  /// Makes an axis that covers `values`.
  ///
  /// - Parameters:
  ///   - values: The values to show; those without a position are ignored.
  ///   - kind: Linear, or by decimal logarithms.
  ///   - room: The fraction of the extent that is left free at both ends.
  ///   - includesZero: Whether a linear axis reaches to 0, as bars must.
  ///   - isWhole: Whether the ticks of a linear axis are whole numbers, as indices are.
  package init(
    covering values: some Sequence<Double>, kind: Kind = .linear, room: Double = 0.04,
    includesZero: Bool = false, isWhole: Bool = false
  ) {
    (self.kind, self.isWhole) = (kind, isWhole)
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values {
      guard let place = Self.place(of: value, kind) else { continue }
      low = min(low, place)
      high = max(high, place)
    }
    if low > high { (low, high) = kind == .linear ? (0, 1) : (-1, 0) }
    let startsAtZero = includesZero && kind == .linear && low >= 0
    let endsAtZero = includesZero && kind == .linear && high <= 0 && low < 0
    if startsAtZero { low = 0 }
    if endsAtZero { high = 0 }
    // One value, or values that differ by rounding only, get some room around them. Logarithms
    // differ by rounding in proportion to the values, not to themselves.
    let size = max(abs(low), abs(high), kind == .logarithmic ? 1 : 0)
    if high - low <= size * 1e-12 || high - low < 1e-290 {
      let half = kind == .logarithmic ? 0.5 : size > 1e-290 ? size * 0.5 : 1
      if !startsAtZero { low -= half }
      if !endsAtZero { high += half }
      if startsAtZero, high - low < half { high = low + 2 * half }
    }
    let free = (high - low) * room
    self.low = startsAtZero ? low : low - free
    self.high = endsAtZero ? high : high + free
  }

  /// Makes a linear axis from `low` to `high`.
  package init(from low: Double, to high: Double) {
    precondition(low < high && high - low < 1e300, "An axis has an extent.")
    (kind, isWhole, self.low, self.high) = (.linear, false, low, high)
  }

  /// The position of `value`, 0 at the low end and 1 at the high one; nil if it has none.
  package func position(of value: Double) -> Double? {
    Self.place(of: value, kind).map { ($0 - low) / (high - low) }
  }

  private static func place(of value: Double, _ kind: Kind) -> Double? {
    guard value.magnitude <= 1e300 else { return nil }
    guard kind == .logarithmic else { return value }
    return value > 0 && value.isNormal ? decimalLog(value) : nil
  }

  // MARK: - Ticks

  /// The ticks, at most about `count`: 1, 2 or 5 times powers of ten.
  package func ticks(atMost count: Int) -> [Tick] {
    switch kind {
    case .linear: linearTicks(count)
    case .logarithmic: logarithmicTicks(count)
    }
  }

  private func linearTicks(_ count: Int) -> [Tick] {
    let least = (high - low) / Double(max(count, 1))
    let step = DecimalStep(atLeast: isWhole ? max(least, 1) : least)
    let first = (low / step.value - 1e-9).rounded(.up)
    let last = (high / step.value + 1e-9).rounded(.down)
    guard first <= last, last - first < 1000 else { return [] }
    // Multiplication by a power of ten below 1 would give 0.30000000000000004.
    let values = (0...Int(last - first)).map { step.multiple(first + Double($0)) }
    let size = values.map(abs).max() ?? 0
    return values.map { Tick(value: $0, label: NumberLabel($0, step: step, largest: size)) }
  }

  private func logarithmicTicks(_ count: Int) -> [Tick] {
    let (first, last) = (Int((low - 1e-9).rounded(.up)), Int((high + 1e-9).rounded(.down)))
    if first < last {
      let stride = (last - first) / max(count, 1) + 1
      return (first...last).filter { $0.isMultiple(of: stride) || stride == 1 }
        .map { Tick(value: powerOfTen($0), label: NumberLabel(1, exponent: $0)) }
    }
    // Within a decade or two, multiples of the powers are ticks, too.
    let within = (first - 1...last + 1).flatMap { exponent in
      [1, 2, 3, 5, 7].map { (digit: $0, exponent: exponent, value: scaled($0, exponent)) }
    }.filter { (0...1).contains(position(of: $0.value) ?? -1) }
    guard within.count > 1 else {
      let ends = [low, high].map { exponentiated($0) }
      return AxisScale(from: ends[0], to: max(ends[1], ends[0].nextUp)).linearTicks(count)
        .filter { $0.value > 0 }
    }
    let few = within.count <= count ? within : within.filter { [1, 2, 5].contains($0.digit) }
    return few.map { Tick(value: $0.value, label: NumberLabel($0.digit, exponent: $0.exponent)) }
  }

  /// The positions of lines between the powers of ten, if they are few; else empty.
  package var minorPositions: [Double] {
    guard kind == .logarithmic, high - low < 8 else { return [] }
    return (Int(low.rounded(.down))...Int(high.rounded(.up))).flatMap { exponent in
      (2...9).compactMap { position(of: scaled($0, exponent)) }
    }.filter { (0...1).contains($0) }
  }

  private func scaled(_ digit: Int, _ exponent: Int) -> Double {
    exponent < 0 ? Double(digit) / powerOfTen(-exponent) : Double(digit) * powerOfTen(exponent)
  }

  /// 10ˣ with a few correct digits, for the ends of an axis of less than a decade.
  private func exponentiated(_ x: Double) -> Double {
    let whole = x.rounded(.down)
    // 10^(x − whole) comes from its series: (x − whole)·ln 10 is at most 2.303.
    let t = (x - whole) * 2.302585092994046
    let fraction = (1...30).reversed().reduce(1.0) { 1 + $0 * t / Double($1) }
    return whole < 0
      ? fraction / powerOfTen(Int(-whole)) : fraction * powerOfTen(Int(whole))
  }
}

/// A distance between ticks: 1, 2 or 5 times a power of ten.
package struct DecimalStep: Hashable, Sendable {
  package let digit: Int
  package let exponent: Int

  /// The smallest step of at least `size`, which must be above 0.
  package init(atLeast size: Double) {
    var exponent = Int(decimalLog(max(size, 1e-290)).rounded(.down))
    if powerOfTen(exponent) > size { exponent -= 1 }
    for digit in [1, 2, 5] where Double(digit) * powerOfTen(exponent) >= size * (1 - 1e-9) {
      (self.digit, self.exponent) = (digit, exponent)
      return
    }
    (digit, self.exponent) = (1, exponent + 1)
  }

  package var value: Double { multiple(1) }

  /// The product of the step and `count`, exact to the last digit.
  func multiple(_ count: Double) -> Double {
    let whole = count * Double(digit)
    return exponent < 0 ? whole / powerOfTen(-exponent) : whole * powerOfTen(exponent)
  }
}

/// 10ⁿ, correctly rounded.
func powerOfTen(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? .infinity }

/// The decimal logarithm of a positive, normal `x`, with the same bits on every machine.
func decimalLog(_ x: Double) -> Double { ReproducibleMath.log(x) / 2.302585092994046 }
