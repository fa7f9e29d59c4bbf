import Fingerprints
import Foundation
package import Tensors

/// The facts that the header of a derived series states.
package struct Derivation: Hashable, Sendable {
  /// The kind of the values, such as `denoised`; file names begin with it.
  package var name: String
  /// The series description, at most 64 characters.
  package var description: String
  /// A description of how the values were computed.
  package var explanation: String
  /// Whether names, IDs, dates and institution of the source stay.
  package var keepsIdentity: Bool

  package init(name: String, description: String, explanation: String, keepsIdentity: Bool) {
    (self.name, self.description, self.explanation) = (name, description, explanation)
    self.keepsIdentity = keepsIdentity
  }
}

/// Writes slices as a series derived from their source series, one file a slice.
///
/// Source: PS3.3, A.3 CT Image IOD; C.7.6.1.1.2 Image Type; C.12.4 Derived image references; images
/// other than CT become Secondary Capture Images, A.8.
package enum DerivedWriter {
  /// Writes the slices of one series to `folder`, which is created if need be.
  ///
  /// The files depend on nothing but the arguments, and on the source files for `keepsIdentity`.
  ///
  /// - Parameters:
  ///   - stack: The values, `[N, 1, H, W]`.
  ///   - mask: Which values are padding, in the order of `stack`; `nil` when none is.
  ///   - sources: The source of each slice, all of one series.
  ///   - number: The number of the series among those written together.
  ///   - folder: The folder of the files.
  ///   - derivation: The facts about the series in the header.
  ///   - progress: Called with the number of files done; `false` stops the writing.
  /// - Returns: The path of each file.
  /// - Throws: `CTError` when a value is not finite, or a file cannot be written; then no file is
  ///   left.
  package static func write(
    _ stack: Tensor<Float>, mask: [Bool]?, sources: [SliceSource], number: Int,
    to folder: String, derivation: Derivation, progress: (Int) -> Bool = { _ in true }
  ) throws(CTError) -> [String] {
    let area = stack.shape.planeCount
    let content = SHA256Digest(of: stack.scalars).description
    let identity = DerivedIdentity(sources, derivation, content: content)
    // One answer for all slices, since their units must not differ.
    let isPlain = stack.scalars.allSatisfy { $0 >= 0 && $0 <= 65000 }
    let folder = try SeriesFolder(folder)
    return try folder.write(
      prefix: "\(derivation.name)-series\(number)-", count: sources.count
    ) { n throws(CTError) in
      guard progress(n) else {
        throw CTError("interrupted", "writing was stopped after \(n) files; none is kept.")
      }
      let source = sources[n]
      let range = n * area..<(n + 1) * area
      let image = try StoredImage(
        stack.scalars[range], mask: mask?[range], step: source.step, origin: source.intercept,
        name: "\(derivation.name)[\(n)]")
      let file = try DICOMComposer()
      for (tag, value) in try source.person(keepsIdentity: derivation.keepsIdentity, identity) {
        try file.put(tag, value)
      }
      for (tag, value) in attributes(
        source, image, isPlain: isPlain, slice: n, stack.shape, number, derivation, identity)
      {
        try file.put(tag, value)
      }
      try putReferences(to: source, keepsIdentity: derivation.keepsIdentity, in: file)
      try file.put(samples: image.samples)
      return file
    }
  }

  static func attributes(
    _ source: SliceSource, _ image: StoredImage, isPlain: Bool, slice n: Int, _ shape: Shape,
    _ number: Int, _ derivation: Derivation, _ identity: DerivedIdentity
  ) -> [(DICOMTag, String)] {
    let bits = min(16, max(image.bits, source.storedBits))
    var all: [(DICOMTag, String)] = [
      (.specificCharacterSet, "ISO_IR 192"),
      (.imageType, source.imageType),
      (.sopClassUID, source.derivedClassUID),
      (.sopInstanceUID, DICOMIdentifier.make(of: "\(identity.series)\nslice \(n)")),
      (.modality, source.modality),
      (.manufacturer, SeriesFolder.manufacturer),
      (.seriesDescription, longString(derivation.description)),
      (.derivationDescription, derivation.explanation),
      (.seriesInstanceUID, identity.series),
      (.seriesNumber, String(source.seriesNumber(number))),
      (.acquisitionNumber, ""),
      (.instanceNumber, String(n + 1)),
      (.frameOfReferenceUID, identity.frameOfReference),
      (.positionReferenceIndicator, ""),
      (.samplesPerPixel, "1"),
      (.photometricInterpretation, source.isInverted ? "MONOCHROME1" : "MONOCHROME2"),
      (.rows, String(shape.height)), (.columns, String(shape.width)),
      (.bitsAllocated, "16"), (.bitsStored, String(bits)), (.highBit, String(bits - 1)),
      (.pixelRepresentation, "0"),
    ]
    all += geometry(source.plane) + source.kept + rescale(source, image, isPlain: isPlain)
    let windows = source.plainWindows
    if let first = windows.first {
      func values(_ value: (SliceSource.PlainWindow) -> String) -> String {
        windows.map(value).joined(separator: "\\")
      }
      all += [
        (.windowCenter, values { decimalString($0.center) }),
        (.windowWidth, values { decimalString($0.width) }),
        (.windowFunction, first.function.rawValue),
      ]
      if windows.contains(where: { !$0.name.isEmpty }) {
        all.append((.windowExplanation, values { longString($0.name) }))
      }
    }
    if let padding = image.padding {
      all.append((.pixelPaddingValue, String(padding.lowerBound)))
      if padding.count > 1 { all.append((.pixelPaddingRangeLimit, String(padding.upperBound))) }
    }
    return all
  }

  /// The attributes of the slice's plane; attributes that the source lacks are left out.
  private static func geometry(_ plane: SlicePlane) -> [(DICOMTag, String)] {
    func numbers(_ values: [Double]) -> String {
      values.map(decimalString).joined(separator: "\\")
    }
    var all: [(DICOMTag, String)] = [
      (.sliceThickness, plane.thickness.map(decimalString) ?? "")
    ]
    if let at = plane.position { all.append((.imagePosition, numbers([at.x, at.y, at.z]))) }
    if let a = plane.alongRow, let b = plane.alongColumn {
      all.append((.imageOrientation, numbers([a.x, a.y, a.z, b.x, b.y, b.z])))
    }
    if let row = plane.rowSpacing, let column = plane.columnSpacing {
      all.append((.pixelSpacing, numbers([row, column])))
    }
    if let normal = plane.normal, let distance = plane.distance(along: normal) {
      all.append((.sliceLocation, decimalString(distance)))
    }
    return all
  }

  /// The attributes of the line from samples to values; empty for plain stored numbers.
  private static func rescale(
    _ source: SliceSource, _ image: StoredImage, isPlain: Bool
  ) -> [(DICOMTag, String)] {
    let type: String
    switch source.unit {
    case .hounsfield: type = "HU"
    case .stored where isPlain && image.slope == 1 && image.intercept == 0: return []
    case .stored: type = "STORED"
    case .other("rescaled"): type = "US"
    case .other(let name): type = String(longString(name).prefix(16))
    }
    return [
      (.rescaleIntercept, decimalString(image.intercept)),
      (.rescaleSlope, decimalString(image.slope)), (.rescaleType, type),
    ]
  }

  /// Adds a reference to the image from which the slice was derived (PS3.3, C.7.6.1 Source Image
  /// Sequence).
  static func putReferences(
    to source: SliceSource, keepsIdentity: Bool, in file: borrowing DICOMComposer
  ) throws(CTError) {
    guard case .file(let slice) = source.origin, !slice.sopInstanceUID.isEmpty,
      !slice.sopClassUID.isEmpty
    else { return }
    let image: [DICOMTag] = [.sourceImageSequence]
    try file.put(image, .referencedSOPClassUID, slice.sopClassUID)
    try file.put(
      image, .referencedSOPInstanceUID,
      keepsIdentity ? slice.sopInstanceUID : IdentifierPrivacy.plain(slice.sopInstanceUID))
    if slice.format.frames > 1 {
      try file.put(image, .referencedFrameNumber, String(slice.frame + 1))
    }
    // PS3.16, CID 7202.
    let purpose = image + [.purposeOfReferenceCodeSequence]
    try file.put(purpose, .codeValue, "121322")
    try file.put(purpose, .codingSchemeDesignator, "DCM")
    try file.put(purpose, .codeMeaning, "Source image for image processing operation")
  }
}

/// The identifiers that the files of a derived series share.
struct DerivedIdentity {
  let study: String, series: String, frameOfReference: String

  init(_ sources: [SliceSource], _ derivation: Derivation, content: String) {
    let first = sources.first
    let origin = first.map(\.seriesName) ?? ""
    let slices = sources.map { "\($0.imageName) \($0.row) \($0.column)" }.joined(separator: "\n")
    study = DICOMIdentifier.make(of: "derived study\n\(first?.studyName ?? "")")
    series = DICOMIdentifier.make(
      of: "derived series\n\(derivation)\n\(origin)\n\(slices)\n\(content)")
    // It is kept so that viewers lay the derived series over its source; one with a date in it is
    // kept only with the identity.
    let known = first?.frameOfReferenceUID ?? ""
    frameOfReference =
      known.isEmpty
      ? DICOMIdentifier.make(of: "frame of reference\n\(origin)")
      : derivation.keepsIdentity ? known : IdentifierPrivacy.plain(known)
  }
}

/// A text for a value of VR LO: no backslash or control character, at most 64 characters.
func longString(_ text: String) -> String {
  String(printable(text).map { $0 == "\\" ? "/" : $0 })
}
