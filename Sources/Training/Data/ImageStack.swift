package import Tensors

/// The unit of an image's numbers.
package enum ValueUnit: Hashable, Sendable {
  /// Hounsfield units; judged over a range of 4096.
  case hounsfield
  /// A file's own values, judged over the range that the file can hold, 0…255 for 8 bits.
  case stored(ClosedRange<Double>)

  /// The unit behind a number: ` HU`, or nothing.
  package var suffix: String { self == .hounsfield ? " HU" : "" }
}

/// The patient and series of a slice; both are numbered from 1 in the order of loading.
package struct SliceOrigin: Hashable, Sendable {
  package let patient: Int
  package let series: Int

  package init(patient: Int, series: Int) {
    (self.patient, self.series) = (patient, series)
  }
}

/// Slices of equal size with their padding, unit and origins.
package struct ImageStack: Sendable {
  /// `[N, 1, H, W]`, in ``unit``.
  package let values: Tensor<Float>
  /// True where a pixel is padding, not a measurement; nil if there is no padding.
  package let mask: [Bool]?
  package let unit: ValueUnit
  package let origins: [SliceOrigin]

  package init(values: Tensor<Float>, mask: [Bool]?, unit: ValueUnit, origins: [SliceOrigin]) {
    precondition(values.shape.batch == origins.count, "Each slice has an origin.")
    precondition(mask.map { $0.count == values.shape.count } ?? true, "A mask covers the stack.")
    (self.values, self.mask, self.unit, self.origins) = (values, mask, unit, origins)
  }

  package var count: Int { origins.count }
  package var height: Int { values.shape.height }
  package var width: Int { values.shape.width }

  /// The padding of slice `index`; nil without a mask.
  package func mask(of index: Int) -> [Bool]? {
    let pixels = values.shape.planeCount
    return mask.map { Array($0[index * pixels..<(index + 1) * pixels]) }
  }

  /// The indices of slices that are padding only, so that they cannot be judged.
  package var paddingOnly: [Int] {
    guard let mask else { return [] }
    let pixels = values.shape.planeCount
    return (0..<count).filter { mask[$0 * pixels..<($0 + 1) * pixels].allSatisfy(\.self) }
  }

  /// The slices at `indices` with their padding and origins.
  package func slices(_ indices: [Int]) -> ImageStack {
    if indices.elementsEqual(0..<count) { return self }
    return ImageStack(
      values: values.images(indices),
      mask: mask.map { _ in indices.flatMap { mask(of: $0) ?? [] } },
      unit: unit, origins: indices.map { origins[$0] })
  }
}
