import Fingerprints
package import Tomography

/// The description of one image in the header of a file; ``CTSeries/load`` reads the values.
package struct CTSlice: Sendable {
  /// The path of the file, and its name in messages.
  package let path: String, name: String
  /// The index of the image in its file, from 0.
  package let frame: Int
  package let format: PixelFormat
  package let plane: SlicePlane
  package let unit: CTUnit
  /// The windows that the file proposes, usable ones only.
  package let windows: [CTWindow]
  /// The identifiers of image, series and kind of object; empty when they are missing.
  package let sopInstanceUID: String, seriesUID: String, sopClassUID: String
  package let instanceNumber: Int?, seriesNumber: Int?
  /// Numbers that distinguish volumes scanned at the same place; the trigger time is in ms.
  let acquisitionNumber: Int?, temporalPosition: Int?
  let triggerTime: Double?
  /// Slice Location in the file, in mm; less reliable than the position.
  package let sliceLocation: Double?
  package let modality: String, seriesDescription: String, convolutionKernel: String
  /// Whether the image was compressed with loss at some time.
  package let isLossy: Bool
  /// Whether the image is an overview for planning the scan.
  package let isLocalizer: Bool
  /// The distances of the scanner; nil where the file does not tell them.
  package let scanner: Scanner?
  /// The tilt of the gantry in the file, in degrees.
  package let gantryTilt: Double
  /// A key of the patient that does not identify a person: a part of a SHA-256.
  package let patientKey: String
  /// Whether the file names the patient; otherwise, the key is that of the study.
  package let isPatientKnown: Bool
  /// Whether the file says that the patient's identity was removed, and whether it says that text
  /// is burned into the image.
  package let isIdentityRemoved: Bool, hasBurnedInAnnotation: Bool

  /// The identifiers of the study and of the space of coordinates; empty when they are missing.
  let studyUID: String, frameOfReferenceUID: String
  /// The position of the patient in the scanner, such as `HFS`; empty when it is missing.
  let patientPosition: String
  /// The ratio of lossy compression in the file; empty when it is missing.
  let compressionRatio: String

  let transform: ValueTransform
  let syntax: TransferSyntax
  /// The description in the compressed image; nil when there is none.
  let compressedImage: CompressedImage?
  /// The length of pixel data that are not compressed, in bytes.
  let nativeLength: Int?
  /// The stored values that mean "outside the scan".
  let padding: ClosedRange<Int>?
}

extension CTSlice {
  /// Whether the slice has the modality CT, or no modality but the class of CT images.
  package var isCT: Bool {
    modality == "CT" || (modality.isEmpty && Self.ctClasses.contains(sopClassUID))
  }

  /// Whether the image was taken from something else, such as a screenshot (PS3.4, B.5).
  package var isSecondaryCapture: Bool {
    sopClassUID.hasPrefix("1.2.840.10008.5.1.4.1.1.7")
  }

  /// The extent of the numbers that the file can hold, in its unit: 255 for 8 bits.
  package var fileRange: Double {
    if case .table(let table) = transform { return Double(1 << table.bits - 1) }
    return (format.isReal ? 1 : Double(1 << format.bitsStored - 1)) * transform.step
  }

  fileprivate static let ctClasses: Set<String> = [
    "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2",
  ]

  /// Describes every image of a file.
  ///
  /// - Parameters:
  ///   - file: The file, which stands at `path`.
  ///   - dataset: Its attributes.
  ///   - path: The path of the file.
  /// - Returns: The images, one a frame, in file order.
  /// - Throws: `CTError` when the file holds no image that can be loaded.
  static func slices(
    of file: borrowing DICOMFile, _ dataset: DICOMDataset, path: String
  ) throws(CTError) -> [CTSlice] {
    let name = file.name
    let (format, syntax, stored) = try encoding(of: file, dataset)
    let compressed =
      stored.isCompressed
      ? try CompressedImage.checked(file, format, syntax, stored: stored.bytes) : nil
    let patient = patientKey(dataset, name: name)
    let common = FileFacts(dataset, syntax: syntax)
    let secrets = Secrets(dataset)
    var slices: [CTSlice] = []
    for frame in 0..<format.frames {
      guard !file.limits.shouldStop() else {
        throw CTError("interrupted", "\(name): reading was stopped.")
      }
      let groups = FunctionalGroups(dataset, frame: frame)
      let values = groups.macro(.pixelValueTransformationSequence)
      let transform = try ValueTransform(values, format: format, name: name)
      slices.append(
        CTSlice(
          path: path, name: name, frame: frame, format: format,
          plane: SlicePlane(
            position: groups.macro(.planePositionSequence),
            orientation: groups.macro(.planeOrientationSequence),
            measures: groups.macro(.pixelMeasuresSequence)),
          unit: unit(transform, values, isCT: common.isCT, secrets),
          windows: CTWindow.windows(
            groups.macro(.frameVOILUTSequence), isSigned: transform.reachesBelowZero(format),
            fileName: name, secrets: secrets),
          sopInstanceUID: dataset.text(.sopInstanceUID) ?? "",
          seriesUID: dataset.text(.seriesInstanceUID) ?? "",
          sopClassUID: common.sopClassUID,
          instanceNumber: dataset.integer(.instanceNumber),
          seriesNumber: dataset.integer(.seriesNumber),
          acquisitionNumber: dataset.integer(.acquisitionNumber),
          temporalPosition: dataset.integer(.temporalPosition),
          triggerTime: dataset.real(.triggerTime),
          sliceLocation: dataset.real(.sliceLocation),
          modality: common.modality,
          seriesDescription: secrets.shown(dataset.text(.seriesDescription) ?? ""),
          convolutionKernel: secrets.shown(
            dataset.texts(.convolutionKernel).joined(separator: " ")),
          isLossy: common.isLossy, isLocalizer: common.isLocalizer,
          scanner: scanner(dataset), gantryTilt: dataset.real(.gantryDetectorTilt) ?? 0,
          patientKey: patient.key, isPatientKnown: patient.isKnown,
          isIdentityRemoved: dataset.text(.patientIdentityRemoved) == "YES",
          hasBurnedInAnnotation: dataset.text(.burnedInAnnotation) == "YES",
          studyUID: dataset.text(.studyInstanceUID) ?? "",
          frameOfReferenceUID: dataset.text(.frameOfReferenceUID) ?? "",
          patientPosition: printable(dataset.text(.patientPosition) ?? "", limit: 16),
          compressionRatio: dataset.texts(.lossyImageCompressionRatio)
            .filter { decimal($0) != nil }.joined(separator: "\\"),
          transform: transform, syntax: syntax, compressedImage: compressed,
          nativeLength: stored.isCompressed ? nil : stored.bytes,
          padding: padding(dataset, format)))
    }
    return slices
  }

  /// The format of the pixels, their transfer syntax, and the bytes that the file holds of them.
  ///
  /// - Throws: `CTError` when they contradict one another, or cannot be read.
  private static func encoding(
    of file: borrowing DICOMFile, _ dataset: DICOMDataset
  ) throws(CTError) -> (
    format: PixelFormat, syntax: TransferSyntax, stored: (bytes: Int, isCompressed: Bool)
  ) {
    let name = file.name
    let format = try PixelFormat(dataset, name: name)
    let syntax = try TransferSyntax(decodable: dataset, of: file)
    guard !(syntax.isBigEndian && format.bitsAllocated > 16) else {
      throw CTError(
        "unsupported-bits",
        "\(name): \(format.bitsAllocated)-bit samples with the high byte first are not supported.",
        hint: "convert it to explicit VR little endian")
    }
    let stored = try storedLength(of: file, format)
    // A header alone must not be able to ask for the memory of billions of frames.
    guard format.frames <= 65536 else {
      throw CTError("too-large", "\(name): \(format.frames) frames; at most 65536 are read.")
    }
    guard stored.isCompressed == syntax.isCompressed else {
      throw CTError(
        "bad-header",
        "\(name): the image is \(stored.isCompressed ? "compressed" : "not compressed"), the"
          + " transfer syntax says \(syntax.name ?? syntax.uid).",
        hint: "the header does not say how to decode it")
    }
    return (format, syntax, stored)
  }

  /// The distances of source, center and detector, and the field of the scan; without a field, half the
  /// distance to the center (PS3.3, C.8.2.1).
  private static func scanner(_ dataset: DICOMDataset) -> Scanner? {
    guard let detector = dataset.real(.distanceSourceToDetector),
      let center = dataset.real(.distanceSourceToPatient), center > 0, detector > center,
      detector.isFinite
    else { return nil }
    let field = dataset.real(.dataCollectionDiameter).map { $0 / 2 } ?? 0
    return Scanner(
      sourceToCenter: center, sourceToDetector: detector,
      fieldRadius: field > 0 && field < 0.7 * center ? field : center / 2)
  }

  /// The unit of the transformed values: HU for CT unless the file names another (C.11.1.1.2).
  private static func unit(
    _ transform: ValueTransform, _ macro: DICOMDataset, isCT: Bool, _ secrets: Secrets
  ) -> CTUnit {
    let table = macro.items(.modalityLUTSequence).first
    let named = table?.text(.modalityLUTType) ?? macro.text(.rescaleType) ?? ""
    return switch (transform, named) {
    case (.none, _): .stored
    case (_, "HU"): .hounsfield
    case (_, ""), (_, "US"): isCT ? .hounsfield : .other("rescaled")
    case (_, let name): .other(secrets.shown(name))
    }
  }

  /// The stored values from Pixel Padding Value to its range limit (PS3.3, C.7.5.1.1.2).
  private static func padding(_ dataset: DICOMDataset, _ format: PixelFormat) -> ClosedRange<Int>? {
    guard !format.isReal, let stated = dataset.integer(.pixelPaddingValue) else { return nil }
    let value = format.folded(stated)
    let limit = dataset.integer(.pixelPaddingRangeLimit).map(format.folded) ?? value
    return min(value, limit)...max(value, limit)
  }

  /// An opaque key of the patient: the same for all files of one patient, and without a name.
  private static func patientKey(
    _ dataset: DICOMDataset, name: String
  ) -> (key: String, isKnown: Bool) {
    var identity = ["Backflow patient"]
    var isKnown = true
    if let number = dataset.text(.patientID) {
      identity += ["number", number, dataset.text(.issuerOfPatientID) ?? ""]
    } else if let person = dataset.text(.patientName) {
      identity += ["name", person, dataset.text(.patientBirthDate) ?? ""]
    } else {
      isKnown = false
      if let study = dataset.text(.studyInstanceUID) {
        identity += ["study", study]
      } else {
        identity += ["series", dataset.text(.seriesInstanceUID) ?? name]
      }
    }
    let digest = SHA256Digest(of: identity.joined(separator: "\n")).description
    return (String(digest.prefix(16)), isKnown)
  }
}

/// Facts that hold for all frames of a file.
private struct FileFacts {
  let modality: String, sopClassUID: String
  let isLossy: Bool, isLocalizer: Bool, isCT: Bool

  init(_ dataset: DICOMDataset, syntax: TransferSyntax) {
    modality = printable(dataset.text(.modality) ?? "")
    sopClassUID = dataset.text(.sopClassUID) ?? dataset.text(.mediaStorageSOPClassUID) ?? ""
    isLossy = syntax.isLossy || dataset.text(.lossyImageCompression) == "01"
    isLocalizer = dataset.texts(.imageType).contains("LOCALIZER")
    isCT = modality == "CT" || (modality.isEmpty && CTSlice.ctClasses.contains(sopClassUID))
  }
}

/// The description of one frame: its own, else the one that all frames share, else the file's.
///
/// Source: PS3.3, C.7.6.16 Multi-frame Functional Groups Module.
private struct FunctionalGroups {
  let dataset: DICOMDataset
  let own: DICOMDataset?, shared: DICOMDataset?

  init(_ dataset: DICOMDataset, frame: Int) {
    self.dataset = dataset
    let frames = dataset.items(.perFrameFunctionalGroups)
    own = frame < frames.count ? frames[frame] : nil
    shared = dataset.items(.sharedFunctionalGroups).first
  }

  /// The item of the sequence `tag`, or the whole data set for files without such groups.
  func macro(_ tag: DICOMTag) -> DICOMDataset {
    own?.items(tag).first ?? shared?.items(tag).first ?? dataset
  }
}
