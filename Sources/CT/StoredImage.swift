import Foundation

/// Values as the 16 unsigned bits of a file hold them.
///
///     value = stored · slope + intercept, within half a slope
///
/// Slope and intercept are the source's where they fit, so that values of the source survive exactly;
/// the intercept moves by whole slopes for values below it, and the slope grows only for a range that
/// 16 bits cannot hold.
struct StoredImage {
  let samples: [UInt16]
  /// Exactly as the file's decimal strings write them.
  let slope: Double, intercept: Double
  /// The bits that the largest sample needs.
  let bits: Int
  /// The samples that are padding.
  let padding: ClosedRange<UInt16>?

  /// Rounds values to samples.
  ///
  /// - Parameters:
  ///   - values: The values of one slice.
  ///   - mask: Which of them are padding; padding alone may be not finite.
  ///   - step: The distance of the source's values, or `nil` for one that suits the range.
  ///   - origin: A value of the source, from which others are whole steps away.
  ///   - name: What messages call the slice.
  /// - Throws: `CTError` when a value is not finite.
  init(
    _ values: ArraySlice<Float>, mask: ArraySlice<Bool>?, step: Double?, origin: Double,
    name: String
  ) throws(CTError) {
    let isPadding = mask.map(Array.init) ?? []
    func isMasked(_ i: Int) -> Bool { !isPadding.isEmpty && isPadding[i] }
    let numbers = Array(values)
    let lost = numbers.indices.count { !numbers[$0].isFinite && !isMasked($0) }
    guard lost == 0 else {
      throw CTError(
        "unwritable-value",
        "\(name): \(lost) \(lost == 1 ? "value is" : "values are") not finite;"
          + " DICOM slices hold finite numbers only.", hint: "look at it with stats and view")
    }
    let finite = numbers.filter(\.isFinite)
    let low = Double(finite.min() ?? 0)
    let high = Double(finite.max() ?? 0)
    let hasNaN = finite.count < numbers.count

    var step = step ?? Self.readable((high - low) / Self.room)
    if (high - low) / step > Self.room { step = Self.readable((high - low) / Self.room) }
    step = Self.asWritten(step)
    var steps = ((low - origin) / step).rounded(.down)
    if hasNaN { steps -= 1 }
    // Only as far as need be: values of one source then keep one line.
    if steps > 0, (high - origin) / step <= 65535 { steps = 0 }
    let intercept = Self.asWritten(steps == 0 ? origin : origin + steps * step)
    self.slope = step
    self.intercept = intercept

    var largest: UInt16 = 0
    var padding: ClosedRange<UInt16>?
    var samples: [UInt16] = []
    samples.reserveCapacity(numbers.count)
    for (i, value) in numbers.enumerated() {
      // A value that is not finite is padding, for which a sample below all others is left.
      let stored = value.isFinite ? ((Double(value) - intercept) / step).rounded() : 0
      guard let sample = UInt16(exactly: stored) else {
        throw CTError("unwritable-value", "\(name): the value \(value) does not fit 16 bits.")
      }
      samples.append(sample)
      largest = max(largest, sample)
      if isMasked(i) {
        padding =
          padding.map { min($0.lowerBound, sample)...max($0.upperBound, sample) }
          ?? sample...sample
      }
    }
    self.samples = samples
    self.padding = padding
    bits = max(1, 16 - largest.leadingZeroBitCount)
  }

  /// The steps that 16 bits have room for, with some to spare.
  private static let room = 65_000.0

  /// The next number above with two digits; 1 for no range.
  private static func readable(_ number: Double) -> Double {
    guard number > 0, number.isFinite else { return 1 }
    let scale = pow(10, (log10(number)).rounded(.down) - 1)
    return (number / scale).rounded(.up) * scale
  }

  /// The number that a decimal string of the file stands for.
  private static func asWritten(_ number: Double) -> Double {
    decimal(decimalString(number)) ?? number
  }
}
