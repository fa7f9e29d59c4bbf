package import Tensors

/// A synthetic chest CT: anatomy in three dimensions, drawn from a seed, cut into transverse slices.
///
/// Body wall, lungs with branching vessels, airways and fissures, heart and great vessels, spine,
/// ribs, shoulder blades, breastbone, nodules, the upper abdomen and the table, without noise. It is
/// the clean image of a denoising task: nothing in it is flat, and its finest vessels are thinner
/// than a pixel. It shows no person.
///
/// A patient's anatomy depends on the seed and the patient's number alone; size and number of slices
/// only choose how it is sampled. The same values come from any number of threads and any CPU.
package struct ThoraxPhantom: Sendable {
  /// Columns and rows of a slice, at least 16.
  package let size: Int
  /// The slices of each patient, at least 1.
  package let slices: Int
  /// The number of patients, at least 1.
  package let patients: Int
  package let seed: UInt64
  package let kind: PhantomKind

  package init(
    size: Int = 256, slices: Int = 16, patients: Int = 2, seed: UInt64 = 1,
    kind: PhantomKind = .thorax
  ) {
    precondition(size >= 16, "A phantom has at least 16 columns.")
    precondition(slices >= 1 && patients >= 1, "A phantom has at least one slice of one patient.")
    (self.size, self.slices, self.patients, self.seed) = (size, slices, patients, seed)
    self.kind = kind
  }

  /// The extent of the picture in mm.
  package static let fieldOfView = 360.0
  /// The extent of the part of the body that the slices share, in mm along its axis.
  package static let scanLength = 240.0

  /// The distance of neighboring pixels' centers in mm, the same along rows and columns.
  package var pixelSpacing: Double { ThoraxPhantom.fieldOfView / Double(size) }
  /// The distance of neighboring slices in mm.
  package var sliceSpacing: Double { ThoraxPhantom.scanLength / Double(slices) }

  /// The slices of one patient, `[slices, 1, size, size]`, whole HU in −1024…3071.
  ///
  /// Slice 0 is the lowest, at the diaphragm, and slices go towards the head, the order of a series
  /// sorted along its normal. The patient lies on the back; as in clinical pictures, columns run to
  /// the patient's left and rows to the back. Once `shouldStop`, called from several threads,
  /// returns true, the rest is left out and the result is meaningless.
  package func stack(
    patient: Int, shouldStop: () -> Bool = { false }
  ) -> Tensor<Float> {
    precondition((0..<patients).contains(patient), "There is no patient \(patient).")
    let plane = size * size
    if kind != .thorax {
      let slice = measurementSlice(patient: patient)
      return Tensor(
        shape: [slices, 1, size, size], scalars: (0..<slices).flatMap { _ in slice })
    }
    let anatomy = PhantomAnatomy.of(seed: seed, patient: patient)
    return Tensor(shape: [slices, 1, size, size]) { output in
      nonisolated(unsafe) let output = output
      parallel(chunks: slices) { index, _ in
        guard !shouldStop() else { return }
        let z = (Double(index) + 0.5) * sliceSpacing
        let slice = anatomy.slice(
          size: size, pixel: Float(pixelSpacing), z: Float(z), shouldStop: shouldStop)
        _ = UnsafeMutableBufferPointer(rebasing: output[index * plane..<(index + 1) * plane])
          .update(fromContentsOf: slice)
      }
    }
  }
}
