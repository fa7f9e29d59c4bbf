/// The name of a DICOM attribute: a group and an element number.
///
/// Source: PS3.6, Registry of DICOM Data Elements.
struct DICOMTag: Hashable, Sendable, CustomStringConvertible {
  let group: UInt16
  let element: UInt16

  /// Makes a tag from eight hexadecimal digits, group first.
  init(_ number: UInt32) {
    group = UInt16(truncatingIfNeeded: number >> 16)
    element = UInt16(truncatingIfNeeded: number)
  }

  init(group: UInt16, element: UInt16) {
    self.group = group
    self.element = element
  }

  /// The tag as DICOM writes it: `(0028,1053)`.
  var description: String {
    "(\(hexadecimal(group)),\(hexadecimal(element)))"
  }

  private func hexadecimal(_ number: UInt16) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}

/// The attributes this module reads or writes.
extension DICOMTag {
  static let mediaStorageSOPClassUID = DICOMTag(0x0002_0002)
  static let transferSyntaxUID = DICOMTag(0x0002_0010)
  static let directoryRecordSequence = DICOMTag(0x0004_1220)
  static let referencedFileID = DICOMTag(0x0004_1500)
  static let specificCharacterSet = DICOMTag(0x0008_0005)
  static let imageType = DICOMTag(0x0008_0008)
  static let sopClassUID = DICOMTag(0x0008_0016)
  static let sopInstanceUID = DICOMTag(0x0008_0018)
  static let studyDate = DICOMTag(0x0008_0020)
  static let studyTime = DICOMTag(0x0008_0030)
  static let accessionNumber = DICOMTag(0x0008_0050)
  static let modality = DICOMTag(0x0008_0060)
  static let conversionType = DICOMTag(0x0008_0064)
  static let manufacturer = DICOMTag(0x0008_0070)
  static let institutionName = DICOMTag(0x0008_0080)
  static let referringPhysicianName = DICOMTag(0x0008_0090)
  static let studyDescription = DICOMTag(0x0008_1030)
  static let seriesDescription = DICOMTag(0x0008_103E)
  static let codeValue = DICOMTag(0x0008_0100)
  static let codingSchemeDesignator = DICOMTag(0x0008_0102)
  static let codeMeaning = DICOMTag(0x0008_0104)
  static let referencedSOPClassUID = DICOMTag(0x0008_1150)
  static let referencedSOPInstanceUID = DICOMTag(0x0008_1155)
  static let referencedFrameNumber = DICOMTag(0x0008_1160)
  static let derivationDescription = DICOMTag(0x0008_2111)
  static let sourceImageSequence = DICOMTag(0x0008_2112)
  static let patientName = DICOMTag(0x0010_0010)
  static let patientID = DICOMTag(0x0010_0020)
  static let issuerOfPatientID = DICOMTag(0x0010_0021)
  static let patientBirthDate = DICOMTag(0x0010_0030)
  static let patientSex = DICOMTag(0x0010_0040)
  static let patientIdentityRemoved = DICOMTag(0x0012_0062)
  static let deidentificationMethod = DICOMTag(0x0012_0063)
  static let sliceThickness = DICOMTag(0x0018_0050)
  static let peakKilovoltage = DICOMTag(0x0018_0060)
  static let dataCollectionDiameter = DICOMTag(0x0018_0090)
  static let triggerTime = DICOMTag(0x0018_1060)
  static let distanceSourceToDetector = DICOMTag(0x0018_1110)
  static let distanceSourceToPatient = DICOMTag(0x0018_1111)
  static let gantryDetectorTilt = DICOMTag(0x0018_1120)
  static let convolutionKernel = DICOMTag(0x0018_1210)
  static let patientPosition = DICOMTag(0x0018_5100)
  static let studyInstanceUID = DICOMTag(0x0020_000D)
  static let seriesInstanceUID = DICOMTag(0x0020_000E)
  static let studyID = DICOMTag(0x0020_0010)
  static let seriesNumber = DICOMTag(0x0020_0011)
  static let acquisitionNumber = DICOMTag(0x0020_0012)
  static let instanceNumber = DICOMTag(0x0020_0013)
  static let imagePosition = DICOMTag(0x0020_0032)
  static let imageOrientation = DICOMTag(0x0020_0037)
  static let frameOfReferenceUID = DICOMTag(0x0020_0052)
  static let temporalPosition = DICOMTag(0x0020_0100)
  static let positionReferenceIndicator = DICOMTag(0x0020_1040)
  static let sliceLocation = DICOMTag(0x0020_1041)
  static let planePositionSequence = DICOMTag(0x0020_9113)
  static let planeOrientationSequence = DICOMTag(0x0020_9116)
  static let samplesPerPixel = DICOMTag(0x0028_0002)
  static let photometricInterpretation = DICOMTag(0x0028_0004)
  static let numberOfFrames = DICOMTag(0x0028_0008)
  static let rows = DICOMTag(0x0028_0010)
  static let columns = DICOMTag(0x0028_0011)
  static let pixelSpacing = DICOMTag(0x0028_0030)
  static let bitsAllocated = DICOMTag(0x0028_0100)
  static let bitsStored = DICOMTag(0x0028_0101)
  static let highBit = DICOMTag(0x0028_0102)
  static let pixelRepresentation = DICOMTag(0x0028_0103)
  static let pixelPaddingValue = DICOMTag(0x0028_0120)
  static let pixelPaddingRangeLimit = DICOMTag(0x0028_0121)
  static let burnedInAnnotation = DICOMTag(0x0028_0301)
  static let windowCenter = DICOMTag(0x0028_1050)
  static let windowWidth = DICOMTag(0x0028_1051)
  static let rescaleIntercept = DICOMTag(0x0028_1052)
  static let rescaleSlope = DICOMTag(0x0028_1053)
  static let rescaleType = DICOMTag(0x0028_1054)
  static let windowExplanation = DICOMTag(0x0028_1055)
  static let windowFunction = DICOMTag(0x0028_1056)
  static let lossyImageCompression = DICOMTag(0x0028_2110)
  static let lossyImageCompressionRatio = DICOMTag(0x0028_2112)
  static let modalityLUTSequence = DICOMTag(0x0028_3000)
  static let lutDescriptor = DICOMTag(0x0028_3002)
  static let lutExplanation = DICOMTag(0x0028_3003)
  static let modalityLUTType = DICOMTag(0x0028_3004)
  static let lutData = DICOMTag(0x0028_3006)
  static let voiLUTSequence = DICOMTag(0x0028_3010)
  static let pixelMeasuresSequence = DICOMTag(0x0028_9110)
  static let frameVOILUTSequence = DICOMTag(0x0028_9132)
  static let pixelValueTransformationSequence = DICOMTag(0x0028_9145)
  static let purposeOfReferenceCodeSequence = DICOMTag(0x0040_A170)
  static let sharedFunctionalGroups = DICOMTag(0x5200_9229)
  static let perFrameFunctionalGroups = DICOMTag(0x5200_9230)
  static let floatPixelData = DICOMTag(0x7FE0_0008)
  static let doubleFloatPixelData = DICOMTag(0x7FE0_0009)
  static let pixelData = DICOMTag(0x7FE0_0010)
}
