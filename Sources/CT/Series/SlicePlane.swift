/// The position and orientation of a slice in the patient.
///
/// Source: PS3.3, C.7.6.2 Image Plane Module. Coordinates are the patient's: x to the left hand, y to
/// the back, z to the head, in mm.
package struct SlicePlane: Hashable, Sendable {
  /// The center of the first pixel, in mm.
  package let position: SIMD3<Double>?
  /// The directions in which columns and rows are counted: unit vectors.
  package let alongRow: SIMD3<Double>?, alongColumn: SIMD3<Double>?
  /// The distances between the centers of neighboring rows and of neighboring columns, in mm.
  package let rowSpacing: Double?, columnSpacing: Double?
  /// The thickness of the slice, in mm; slices may overlap or leave gaps.
  package let thickness: Double?
}

extension SlicePlane {
  /// The direction in which slices are counted: perpendicular to rows and columns.
  package var normal: SIMD3<Double>? {
    guard let a = alongRow, let b = alongColumn else { return nil }
    return SIMD3(
      a.y * b.z - a.z * b.y,
      a.z * b.x - a.x * b.z,
      a.x * b.y - a.y * b.x)
  }

  /// The distance from the patient's origin along `normal`, in mm.
  func distance(along normal: SIMD3<Double>) -> Double? {
    position.map { dot($0, normal) }
  }

  /// Reads the plane from the parts of the header that describe it.
  ///
  /// - Parameters:
  ///   - position: The data set with Image Position (Patient).
  ///   - orientation: The data set with Image Orientation (Patient); ignored unless it is two unit
  ///     vectors at a right angle.
  ///   - measures: The data set with Pixel Spacing and Slice Thickness.
  init(position: DICOMDataset, orientation: DICOMDataset, measures: DICOMDataset) {
    let at = position.reals(.imagePosition) ?? []
    self.position = at.count == 3 ? SIMD3(at[0], at[1], at[2]) : nil

    let cosines = orientation.reals(.imageOrientation) ?? []
    let row = cosines.count == 6 ? SIMD3(cosines[0], cosines[1], cosines[2]) : .zero
    let column = cosines.count == 6 ? SIMD3(cosines[3], cosines[4], cosines[5]) : .zero
    let isSound =
      abs(dot(row, row) - 1) < 0.01 && abs(dot(column, column) - 1) < 0.01
      && abs(dot(row, column)) < 0.01
    alongRow = isSound ? row : nil
    alongColumn = isSound ? column : nil

    let spacing = measures.reals(.pixelSpacing) ?? []
    let hasSpacing = spacing.count == 2 && spacing.allSatisfy { $0 > 0 }
    rowSpacing = hasSpacing ? spacing[0] : nil
    columnSpacing = hasSpacing ? spacing[1] : nil
    thickness = measures.real(.sliceThickness).flatMap { $0 > 0 ? $0 : nil }
  }
}

/// The scalar product of two vectors.
func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
  (a * b).sum()
}
