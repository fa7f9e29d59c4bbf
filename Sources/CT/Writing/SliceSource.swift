package import Tomography

/// The source of a slice in memory, from which a derived series takes its attributes.
package struct SliceSource: Sendable {
  /// A slice of a file, or one that was computed.
  package enum Origin: Sendable {
    case file(CTSlice)
    /// Slice `slice` of patient `patient`, both from 0.
    case phantom(ThoraxPhantom, patient: Int, slice: Int)
  }

  package let origin: Origin
  /// The row and column of the origin at which the slice begins.
  package private(set) var row = 0, column = 0

  package init(_ origin: Origin) {
    self.origin = origin
  }

  /// The part that begins at `row` and `column`.
  package func cropped(row: Int, column: Int) -> SliceSource {
    var part = self
    part.row += row
    part.column += column
    return part
  }

  /// The windows that the file defines for the slice; of a phantom, those in the files it is saved
  /// as.
  package var windows: [CTWindow] {
    if case .file(let slice) = origin { slice.windows } else { Self.usualWindows }
  }

  /// Whether low values are bright (MONOCHROME1).
  package var isInverted: Bool {
    if case .file(let slice) = origin {
      slice.format.photometricInterpretation == "MONOCHROME1"
    } else {
      false
    }
  }

  /// Whether the file says that its image shows text, which may name the patient.
  package var hasBurnedInAnnotation: Bool {
    if case .file(let slice) = origin { slice.hasBurnedInAnnotation } else { false }
  }

  /// Whether the image was taken from something else, such as a screenshot.
  package var isSecondaryCapture: Bool {
    if case .file(let slice) = origin { slice.isSecondaryCapture } else { false }
  }

  /// The position and orientation of the slice in the patient.
  package var plane: SlicePlane {
    let whole: SlicePlane =
      switch origin {
      case .file(let slice): slice.plane
      case .phantom(let phantom, _, let slice): phantom.plane(ofSlice: slice)
      }
    guard let position = whole.position, let right = whole.alongRow, let down = whole.alongColumn,
      let rowSpacing = whole.rowSpacing, let columnSpacing = whole.columnSpacing
    else { return whole }
    return SlicePlane(
      position: position + Double(column) * columnSpacing * right + Double(row) * rowSpacing * down,
      alongRow: right, alongColumn: down, rowSpacing: rowSpacing, columnSpacing: columnSpacing,
      thickness: whole.thickness)
  }

  /// The distances of the scanner; nil where the source does not tell them.
  package var scanner: Scanner? {
    if case .file(let slice) = origin { slice.scanner } else { nil }
  }

  /// A key of the patient that does not identify a person; nil when the patient is unknown.
  var patientKey: String? {
    if case .file(let slice) = origin { slice.patientKey } else { nil }
  }

  /// The windows of the phantom, and of derived series in HU whose sources define none.
  static let usualWindows = [
    CTWindow(shape: .window(center: -600, width: 1500, .linear), name: "LUNG"),
    CTWindow(shape: .window(center: 40, width: 400, .linear), name: "MEDIASTINUM"),
  ]
}

extension ThoraxPhantom {
  /// The plane of a slice: the patient's axis is the z axis, slice 0 is at 0.
  func plane(ofSlice slice: Int) -> SlicePlane {
    let corner = -pixelSpacing * Double(size - 1) / 2
    return SlicePlane(
      position: SIMD3(corner, corner, sliceSpacing * Double(slice)),
      alongRow: SIMD3(1, 0, 0), alongColumn: SIMD3(0, 1, 0),
      rowSpacing: pixelSpacing, columnSpacing: pixelSpacing, thickness: sliceSpacing)
  }
}
