import Foundation

/// The values of a slice as samples of 16 unsigned bits for a file.
///
///     value = stored · slope + intercept, within half a slope
///
/// Slope and intercept are the source's where they fit, so that values of the source survive exactly;
/// the intercept moves by whole slopes for values below it, and the slope grows only for a range that
/// 16 bits cannot hold.
struct StoredImage {
  let samples: [UInt16]
  /// The line from samples to values, exactly as the file's decimal strings give it.
  let slope: Double, intercept: Double
  /// The number of bits that the largest sample needs.
  let bits: Int
  /// The samples that are padding.
  let padding: ClosedRange<UInt16>?

  /// Rounds values to samples.
  ///
  /// - Parameters:
  ///   - values: The values of one slice.
  ///   - mask: Which of them are padding; only padding may be NaN or infinite.
  ///   - step: The distance between neighboring values of the source, or `nil` to choose one for
  ///     the range.
  ///   - origin: A value of the source, from which others are whole steps away.
  ///   - name: The name of the slice in messages.
  /// - Throws: `CTError` when a value is not finite.
  init(
    _ values: ArraySlice<Float>, mask: ArraySlice<Bool>?, step: Double?, origin: Double,
    name: String
  ) throws(CTError) {
    let numbers = Array(values)
    let isPadding = mask.map(Array.init) ?? Array(repeating: false, count: numbers.count)
    let lost = zip(numbers, isPadding).count { !$0.isFinite && !$1 }
    guard lost == 0 else {
      throw CTError(
        "unwritable-value",
        "\(name): \(lost) \(lost == 1 ? "value is" : "values are") not finite;"
          + " DICOM slices hold finite numbers only.", hint: "look at it with stats and view")
    }
    // The sample below all others is kept for padding that is not finite.
    let line = Self.line(
      through: numbers.filter(\.isFinite), step: step, origin: origin,
      spare: numbers.contains { !$0.isFinite } ? 1 : 0)
    (slope, intercept) = line

    var samples: [UInt16] = []
    samples.reserveCapacity(numbers.count)
    var padding: ClosedRange<UInt16>?
    for (value, isPadding) in zip(numbers, isPadding) {
      let stored = value.isFinite ? ((Double(value) - line.intercept) / line.slope).rounded() : 0
      guard let sample = UInt16(exactly: stored) else {
        throw CTError("unwritable-value", "\(name): the value \(value) does not fit 16 bits.")
      }
      samples.append(sample)
      if isPadding {
        padding =
          padding.map { min($0.lowerBound, sample)...max($0.upperBound, sample) }
          ?? sample...sample
      }
    }
    if let range = padding {
      padding = Self.keepApart(&samples, isPadding, range) {
        (Double(numbers[$0]) - line.intercept) / line.slope
      }
    }
    self.samples = samples
    self.padding = padding
    bits = max(1, 16 - (samples.max() ?? 0).leadingZeroBitCount)
  }

  /// Moves measured samples that would be read as padding to other samples.
  ///
  /// They move by one. So where padding takes a range of samples and some measured ones lie in it,
  /// all padding first becomes the lowest of them.
  ///
  /// - Parameters:
  ///   - samples: The samples of a slice.
  ///   - isPadding: Which of them are padding.
  ///   - padding: The range of those.
  ///   - exact: The value of a sample before it was rounded.
  /// - Returns: The samples that are padding.
  private static func keepApart(
    _ samples: inout [UInt16], _ isPadding: [Bool], _ padding: ClosedRange<UInt16>,
    exact: (Int) -> Double
  ) -> ClosedRange<UInt16> {
    guard samples.indices.contains(where: { !isPadding[$0] && padding.contains(samples[$0]) })
    else { return padding }
    let sample = padding.lowerBound
    for i in samples.indices {
      if isPadding[i] {
        samples[i] = sample
      } else if samples[i] == sample {
        let isUp = sample == 0 || (sample < .max && exact(i) >= Double(sample))
        samples[i] = isUp ? sample + 1 : sample - 1
      }
    }
    return sample...sample
  }

  /// Returns the slope and intercept of the line from samples to values.
  ///
  /// - Parameters:
  ///   - numbers: The finite values.
  ///   - step: The distance between neighboring values of the source, or `nil` to choose one for
  ///     the range.
  ///   - origin: A value of the source, from which others are whole steps away.
  ///   - spare: The samples to leave free below the smallest value.
  /// - Returns: Both, exactly as the file's decimal strings write them.
  private static func line(
    through numbers: [Float], step: Double?, origin: Double, spare: Double
  ) -> (slope: Double, intercept: Double) {
    let low = Double(numbers.min() ?? 0)
    let high = Double(numbers.max() ?? 0)
    var step = step ?? readable((high - low) / room)
    if (high - low) / step > room { step = readable((high - low) / room) }
    step = asWritten(step)
    var steps = ((low - origin) / step).rounded(.down) - spare
    // The line moves only if needed, so that values of one source have the same line.
    if steps > 0, (high - origin) / step <= 65535 { steps = 0 }
    return (step, asWritten(steps == 0 ? origin : origin + steps * step))
  }

  /// The number of steps for which 16 bits have room, with some to spare.
  private static let room = 65_000.0

  /// The next larger number with two digits; 1 for an empty range.
  private static func readable(_ number: Double) -> Double {
    guard number > 0, number.isFinite else { return 1 }
    let scale = pow(10, (log10(number)).rounded(.down) - 1)
    return (number / scale).rounded(.up) * scale
  }

  /// The number that the file's decimal string represents.
  private static func asWritten(_ number: Double) -> Double {
    decimal(decimalString(number)) ?? number
  }
}
