/// The mapping from 16-bit samples to values: value = sample · slope + intercept.
///
/// The two numbers are DICOM's Rescale Slope and Rescale Intercept; a PNG stores them as text.
package struct SampleMapping: Hashable, Sendable {
  package let slope: Double
  package let intercept: Double
  /// The unit of the values, such as `HU`.
  package let unit: String

  package init(slope: Double, intercept: Double, unit: String = "HU") {
    precondition(slope > 0, "A slope is above 0.")
    (self.slope, self.intercept, self.unit) = (slope, intercept, unit)
  }

  /// Chooses the mapping for the values of `plane`.
  ///
  /// It is the first of these that can store them:
  ///
  /// - whole numbers in −1024…64511: slope 1, intercept −1024, exact;
  /// - whole numbers of a span up to 65535: slope 1, intercept the smallest, exact;
  /// - HU in −1024…3071.9375 that span at least 256: slope 1/16, intercept −1024, to 1/32, so that
  ///   the slices of a series have one mapping;
  /// - others: slope (largest − smallest)/65535, intercept the smallest.
  ///
  /// NaN and infinities are ignored.
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

  /// The nearest sample to `value`; values outside become 0 or 65535, NaN becomes 0.
  package func sample(of value: Float) -> UInt16 {
    let sample = ((Double(value) - intercept) / slope).rounded()
    return sample.isNaN ? 0 : UInt16(min(max(sample, 0), 65535))
  }

  /// The value that `sample` stands for.
  package func value(of sample: UInt16) -> Double {
    Double(sample) * slope + intercept
  }

  /// The notes of a PNG: the mapping for people and for programs, and the program that wrote it;
  /// never the patient.
  package var texts: [PNG.Text] {
    [
      PNG.Text("Rescale", "\(unit) = sample * \(slope) + \(intercept)"),
      PNG.Text("RescaleSlope", "\(slope)"),
      PNG.Text("RescaleIntercept", "\(intercept)"),
      PNG.Text("RescaleType", unit),
      PNG.Text("Software", "Backflow"),
    ]
  }

  /// Reads the mapping in a PNG's notes; nil if there is none.
  package init?(texts png: PNG) {
    guard let slope = png["RescaleSlope"].flatMap(Double.init), slope > 0, slope.isFinite,
      let intercept = png["RescaleIntercept"].flatMap(Double.init), intercept.isFinite
    else { return nil }
    self.init(slope: slope, intercept: intercept, unit: png["RescaleType"] ?? "")
  }
}

extension PNG {
  /// Converts a plane to 16-bit grey samples, with the mapping to its values in the notes.
  package static func export16(_ plane: Plane, unit: String = "HU") -> PNG {
    let mapping = SampleMapping(suiting: plane, unit: unit)
    let picture = Picture(
      width: plane.width, height: plane.height, depth: .sixteen,
      samples: plane.values.map { mapping.sample(of: $0) })
    return PNG(picture, texts: mapping.texts)
  }
}
