package import Tensors

/// The unit of an image's numbers.
package enum ValueUnit: Hashable, Sendable {
  /// Hounsfield units; judged over a range of 4096.
  case hounsfield
  /// A file's own values, judged over the range that the file can hold, 0…255 for 8 bits.
  case stored(ClosedRange<Double>)

  /// The unit behind a number: ` HU`, or nothing.
  package var suffix: String { self == .hounsfield ? " HU" : "" }

  /// The unit of stored values: from 0, or from the smallest value if a file reaches below, or if
  /// its numbers have no range of their own; the range is never empty.
  package static func stored(from smallest: Double, extent: Double) -> ValueUnit {
    let isWhole = extent == extent.rounded() && smallest >= 0 && smallest <= extent
    let lower = smallest.isFinite && !isWhole ? smallest : 0
    let width = extent > 0 && extent.isFinite ? extent : 1
    // Far from 0, where `lower` + 1 rounds to the same Float, the range reaches to the next Float.
    return .stored(lower...max(lower + width, lower + Double(Float(lower).ulp)))
  }
}

/// The patient and series of a slice; both are numbered from 1 in the order of loading.
package struct SliceOrigin: Hashable, Sendable {
  package let patient: Int
  package let series: Int

  package init(patient: Int, series: Int) {
    (self.patient, self.series) = (patient, series)
  }
}

/// Slices of equal size with their padding, unit, origins and sources.
package struct ImageStack: Sendable {
  /// `[N, 1, H, W]`, in ``unit``.
  package let values: Tensor<Float>
  /// True where a pixel is padding, not a measurement; nil if there is no padding.
  package var mask: [Bool]?
  package var unit: ValueUnit
  package let origins: [SliceOrigin]
  /// The source of each slice, with its position, spacing and windows; empty for arrays, which do
  /// not store it.
  package let sources: [SliceSource]

  /// Makes a stack; without `origins`, its slices are one series of one patient.
  package init(
    values: Tensor<Float>, mask: [Bool]? = nil, unit: ValueUnit, origins: [SliceOrigin]? = nil,
    sources: [SliceSource] = []
  ) {
    let origins =
      origins
      ?? Array(repeating: SliceOrigin(patient: 1, series: 1), count: values.shape.batch)
    precondition(values.shape.batch == origins.count, "Each slice has an origin.")
    precondition(sources.isEmpty || sources.count == origins.count, "All slices have sources.")
    precondition(mask.map { $0.count == values.shape.count } ?? true, "A mask covers the stack.")
    (self.values, self.mask, self.unit) = (values, mask, unit)
    (self.origins, self.sources) = (origins, sources)
  }

  package var count: Int { origins.count }
  package var height: Int { values.shape.height }
  package var width: Int { values.shape.width }

  /// The source of slice `index`; nil where there is no such slice or it has none.
  package func source(of index: Int) -> SliceSource? {
    sources.indices.contains(index) ? sources[index] : nil
  }

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
}

extension ImageStack {
  /// The stack with other values.
  package func with(_ values: Tensor<Float>) -> ImageStack {
    ImageStack(values: values, mask: mask, unit: unit, origins: origins, sources: sources)
  }

  /// The slices at `indices`.
  package func slices(_ indices: [Int]) -> ImageStack {
    if indices.elementsEqual(0..<count) { return self }
    return ImageStack(
      values: values.images(indices),
      mask: mask.map { _ in indices.flatMap { mask(of: $0) ?? [] } }, unit: unit,
      origins: indices.map { origins[$0] }, sources: indices.compactMap { source(of: $0) })
  }

  /// The rectangle of `rows` and `columns` of the slices at `indices`.
  package func part(_ indices: [Int], rows: Range<Int>, columns: Range<Int>) -> ImageStack {
    let places = indices.flatMap { slice in
      rows.flatMap { row in columns.map { (slice * height + row) * width + $0 } }
    }
    return ImageStack(
      values: Tensor(
        shape: [indices.count, 1, rows.count, columns.count],
        scalars: places.map { values.scalars[$0] }),
      mask: mask.map { mask in places.map { mask[$0] } }, unit: unit,
      origins: indices.map { origins[$0] },
      sources: indices.compactMap {
        source(of: $0)?.cropped(row: rows.lowerBound, column: columns.lowerBound)
      })
  }
}
