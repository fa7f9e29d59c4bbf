package import CT
package import Tensors

/// A class of tissue, by the value of the clean image in HU.
package enum Tissue: String, CaseIterable, Sendable {
  case air, lung, fat, soft, bone

  /// The values of the class; what lies between classes, such as the edges of lungs, belongs to none.
  package var values: Range<Double> {
    switch self {
    case .air: -.infinity..<(-950)
    case .lung: -950..<(-500)
    case .fat: -150..<(-30)
    case .soft: -30..<150
    case .bone: 200 ..< .infinity
    }
  }
}

/// Sums of the differences between images and clean ones, over the pixels of a class.
package struct Shift: Hashable, Sendable {
  private(set) var count = 0
  private(set) var sum = 0.0
  private(set) var squares = 0.0

  package init() {}

  mutating func add(_ difference: Double) {
    count += 1
    sum += difference
    squares += difference * difference
  }

  mutating func add(_ other: Shift) {
    count += other.count
    sum += other.sum
    squares += other.squares
  }

  /// The mean difference; NaN without a pixel.
  package var mean: Double { sum / Double(count) }

  /// The standard error of the mean, as if pixels were independent.
  package var error: Double {
    (max(0, squares / Double(count) - mean * mean) / Double(count)).squareRoot()
  }

  /// Whether the mean is off by more than `limit`, and by more than noise explains: three standard
  /// errors.
  package func exceeds(_ limit: Double) -> Bool {
    count > 0 && abs(mean) > limit && abs(mean) > 3 * error
  }
}

/// Figures of one slice beside PSNR, SSIM and RMSE: the mean absolute error, visual information fidelity,
/// and the mean shift, overall and by tissue.
package struct FurtherFigures: Hashable, Sendable {
  /// The mean absolute error in the image's unit, of values moved into the rule's limits.
  package let mae: Double
  package let vif: Double
  /// The differences image − clean of all pixels, unclipped.
  package let shift: Shift
  /// Those by tissue; empty where values are not in HU.
  package let shifts: [Tissue: Shift]

  /// Judges one slice; nil when all of it is padding.
  package init?(
    _ image: Tensor<Float>, clean: Tensor<Float>, rule: FigureRule, unit: ValueUnit, mask: [Bool]?
  ) {
    let (x, y) = (image.clamped(to: rule.errorLimits), clean.clamped(to: rule.errorLimits))
    let classes = Tissue.allCases.map(\.values)
    var (total, shift) = (0.0, Shift())
    var byClass = classes.map { _ in Shift() }
    for i in clean.scalars.indices where mask.map({ !$0[i] }) ?? true {
      total += abs(Double(x.scalars[i]) - Double(y.scalars[i]))
      let difference = Double(image.scalars[i]) - Double(clean.scalars[i])
      shift.add(difference)
      guard unit == .hounsfield else { continue }
      let value = Double(clean.scalars[i])
      if let place = classes.firstIndex(where: { $0.contains(value) }) {
        byClass[place].add(difference)
      }
    }
    guard shift.count > 0 else { return nil }
    mae = total / Double(shift.count)
    vif =
      rule.swapsFidelity
      ? VisualFidelity.of(y, reference: x) : VisualFidelity.of(x, reference: y)
    self.shift = shift
    shifts = Dictionary(
      uniqueKeysWithValues: zip(Tissue.allCases, byClass).filter { $0.1.count > 0 })
  }

  /// The means over slices; shifts are those of all pixels together.
  package init(of slices: [FurtherFigures?]) {
    let judged = slices.compactMap(\.self)
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    mae = mean(judged.map(\.mae))
    // A slice that is one value has no information to keep.
    vif = mean(judged.map(\.vif).filter { !$0.isNaN })
    var (shift, shifts) = (Shift(), [Tissue: Shift]())
    for slice in judged {
      shift.add(slice.shift)
      for (tissue, one) in slice.shifts { shifts[tissue, default: Shift()].add(one) }
    }
    (self.shift, self.shifts) = (shift, shifts)
  }
}

extension ImageStack {
  /// Returns the further figures of one image for each slice, computed on several threads; nil for a
  /// slice that is all padding.
  ///
  /// Once `shouldStop` returns true, the rest is left out and the figures are meaningless.
  ///
  /// - Parameters:
  ///   - images: The slices to judge, `[count, 1, H, W]`.
  ///   - convention: The rule for values.
  ///   - shouldStop: Called before each slice, from several threads.
  /// - Returns: The figures in the order of the slices.
  package func furtherFigures(
    of images: Tensor<Float>, convention: Convention, shouldStop: () -> Bool = { false }
  ) -> [FurtherFigures?] {
    precondition(images.shape == values.shape, "\(images.shape) are judged by \(values.shape).")
    let rule = convention.rule(for: unit)
    return parallelMap(count) { slice in
      shouldStop() || Parallelism.isOver
        ? nil
        : FurtherFigures(
          images.image(slice), clean: values.image(slice), rule: rule, unit: unit,
          mask: mask(of: slice))
    }
  }
}
