/// How 16-bit samples stand for values: value = sample · slope + intercept.
///
/// The same two numbers as DICOM's Rescale Slope and Rescale Intercept; a PNG carries them as text.
package struct SampleMapping: Hashable, Sendable {
  package let slope: Double
  package let intercept: Double
  /// The unit of the values, such as `HU`.
  package let unit: String

  package init(slope: Double, intercept: Double, unit: String = "HU") {
    precondition(slope > 0, "A slope is above 0.")
    self.slope = slope
    self.intercept = intercept
    self.unit = unit
  }

  /// The mapping that suits the values of `plane`.
  ///
  /// It is the first of these that holds them:
  ///
  /// - whole numbers in −1024…64511: slope 1, intercept −1024, exact;
  /// - whole numbers of a span up to 65535: slope 1, intercept the smallest, exact;
  /// - HU in −1024…3071.9375 that span at least 256: slope 1/16, intercept −1024, to 1/32, so that
  ///   the slices of a series have one mapping;
  /// - others: slope (largest − smallest)/65535, intercept the smallest.
  ///
  /// NaN and infinities have no say.
  package init(suiting plane: Plane, unit: String = "HU") {
    let (low, high) = (Double(plane.range.lowerBound), Double(plane.range.upperBound))
    let whole = plane.values.allSatisfy { !$0.isFinite || $0 == $0.rounded() }
    if whole, low >= -1024, high <= 64511 {
      self.init(slope: 1, intercept: -1024, unit: unit)
    } else if whole, high - low <= 65535 {
      self.init(slope: 1, intercept: low, unit: unit)
    } else if unit == "HU", low >= -1024, high <= 3071.9375, high - low >= 256 {
      self.init(slope: 0.0625, intercept: -1024, unit: unit)
    } else {
      let slope = (high - low) / 65535
      self.init(slope: slope > 0 ? slope : 1, intercept: low, unit: unit)
    }
  }

  /// The nearest sample to `value`; values outside end at 0 or 65535, NaN is 0.
  package func sample(of value: Float) -> UInt16 {
    let sample = ((Double(value) - intercept) / slope).rounded()
    return sample.isNaN ? 0 : UInt16(min(max(sample, 0), 65535))
  }

  /// The value that `sample` stands for.
  package func value(of sample: UInt16) -> Double {
    Double(sample) * slope + intercept
  }

  /// The notes that a PNG carries: the mapping for people and for programs, and who wrote it;
  /// never whom it shows.
  package var texts: [PNG.Text] {
    [
      PNG.Text("Rescale", "\(unit) = sample * \(slope) + \(intercept)"),
      PNG.Text("RescaleSlope", "\(slope)"),
      PNG.Text("RescaleIntercept", "\(intercept)"),
      PNG.Text("RescaleType", unit),
      PNG.Text("Software", "Backflow"),
    ]
  }

  /// The mapping that a PNG's notes tell, if they do.
  package init?(texts png: PNG) {
    guard let slope = png["RescaleSlope"].flatMap(Double.init), slope > 0, slope.isFinite,
      let intercept = png["RescaleIntercept"].flatMap(Double.init), intercept.isFinite
    else { return nil }
    self.init(slope: slope, intercept: intercept, unit: png["RescaleType"] ?? "")
  }
}

extension PNG {
  /// A plane as 16-bit grey samples, with the mapping to its values in the notes.
  package static func export16(_ plane: Plane, unit: String = "HU") -> PNG {
    let mapping = SampleMapping(suiting: plane, unit: unit)
    let picture = Picture(
      width: plane.width, height: plane.height, depth: .sixteen,
      samples: plane.values.map { mapping.sample(of: $0) })
    return PNG(picture, texts: mapping.texts)
  }
}
