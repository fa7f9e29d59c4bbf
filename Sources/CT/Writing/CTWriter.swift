import Fingerprints
import Foundation
package import Tensors

/// The facts that the header of a written series states.
package struct SeriesDescription: Hashable, Sendable {
  /// The number of the patient: 1 is `PHANTOM-1`.
  package var patient: Int
  /// The seed the values were drawn from; patients of different seeds are different people.
  package var seed: UInt64
  /// The distance between the centers of neighboring pixels and of neighboring slices, in mm.
  package var pixelSpacing: Double, sliceSpacing: Double
  package var seriesNumber: Int
  /// The series description, at most 64 characters without backslashes.
  package var description: String

  package init(
    patient: Int, seed: UInt64, pixelSpacing: Double, sliceSpacing: Double, seriesNumber: Int,
    description: String
  ) {
    (self.patient, self.seed, self.pixelSpacing) = (patient, seed, pixelSpacing)
    (self.sliceSpacing, self.seriesNumber) = (sliceSpacing, seriesNumber)
    self.description = description
  }
}

/// Writes stacks of Hounsfield units as CT Image Storage series, one file a slice.
///
/// Source: PS3.3, A.3 CT Image IOD.
package enum CTWriter {
  /// The Hounsfield units that 12 unsigned bits hold with the intercept −1024.
  package static let range = -1024...3071

  /// Writes `stack` to `folder`, which is created if need be, and returns the paths in slice order.
  ///
  /// The files depend on nothing but the arguments; all are written or none, and an older series of
  /// the same name is replaced as a whole.
  ///
  /// - Parameters:
  ///   - stack: Whole Hounsfield units in ``range``, `[N, 1, H, W]`; slice 0 is the lowest.
  ///   - folder: The folder of the files.
  ///   - description: The facts about the series in the header.
  /// - Returns: The path of each file.
  /// - Throws: `CTError` when a value cannot be stored exactly, or a file cannot be written.
  package static func write(
    _ stack: Tensor<Float>, to folder: String, description: SeriesDescription
  ) throws(CTError) -> [String] {
    let shape = stack.shape
    guard shape.rank == 4, shape.channels == 1, shape.batch > 0,
      (1...65535).contains(shape.height), (1...65535).contains(shape.width)
    else {
      throw CTError("bad-shape", "cannot write \(shape) as DICOM; expected [N,1,H,W].")
    }
    guard (1e-6..<1e6).contains(description.pixelSpacing),
      (1e-6..<1e6).contains(description.sliceSpacing)
    else {
      throw CTError("bad-spacing", "the spacing of pixels and slices must be above 0 mm.")
    }
    let samples = try storedSamples(stack)
    let identity = SeriesIdentity(description, content: SHA256Digest(of: samples))
    return try SeriesFolder(folder).write(
      prefix: "patient\(description.patient)-series\(description.seriesNumber)-",
      count: shape.batch
    ) { n throws(CTError) in
      let plane = Array(samples[n * shape.planeCount..<(n + 1) * shape.planeCount])
      return try composed(plane, slice: n, shape, description, identity)
    }
  }

  /// The stored numbers: HU + 1024, exactly.
  private static func storedSamples(_ stack: Tensor<Float>) throws(CTError) -> [UInt16] {
    let bad = stack.scalars.first { value in
      !(value >= Float(range.lowerBound) && value <= Float(range.upperBound))
        || value.rounded() != value
    }
    if let bad {
      throw CTError(
        "unwritable-value",
        "the value \(bad) would not survive; DICOM slices hold whole HU from"
          + " \(range.lowerBound) to \(range.upperBound).", hint: "round and clip the values first")
    }
    return stack.scalars.map { UInt16(Int($0) - range.lowerBound) }
  }

  private static func composed(
    _ samples: [UInt16], slice n: Int, _ shape: Shape, _ series: SeriesDescription,
    _ identity: SeriesIdentity
  ) throws(CTError) -> DICOMComposer {
    let file = try DICOMComposer()
    let pixel = decimalString(series.pixelSpacing)
    let left = decimalString(-series.pixelSpacing * Double(shape.width - 1) / 2)
    let front = decimalString(-series.pixelSpacing * Double(shape.height - 1) / 2)
    let height = decimalString(series.sliceSpacing * Double(n))
    let attributes: [(DICOMTag, String)] = [
      (.specificCharacterSet, "ISO_IR 192"),
      (.imageType, "ORIGINAL\\PRIMARY\\AXIAL"),
      (.sopClassUID, "1.2.840.10008.5.1.4.1.1.2"),
      (.sopInstanceUID, DICOMIdentifier.make(of: "\(identity.series)\nslice \(n)")),
      (.studyDate, ""), (.studyTime, ""), (.accessionNumber, ""),
      (.modality, "CT"),
      (.manufacturer, SeriesFolder.manufacturer),
      (.referringPhysicianName, ""),
      (.seriesDescription, longString(series.description)),
      (.patientName, "Phantom^\(series.patient)"),
      (.patientID, "PHANTOM-\(series.patient)"),
      (.issuerOfPatientID, "Backflow seed \(series.seed)"),
      (.patientBirthDate, ""), (.patientSex, ""),
      (.patientIdentityRemoved, "YES"),
      (.deidentificationMethod, "Computed phantom, no person"),
      (.sliceThickness, decimalString(series.sliceSpacing)),
      (.peakKilovoltage, ""),
      (.patientPosition, "HFS"),
      (.studyInstanceUID, identity.study),
      (.seriesInstanceUID, identity.series),
      (.studyID, ""),
      (.seriesNumber, String(series.seriesNumber)),
      (.acquisitionNumber, ""),
      (.instanceNumber, String(n + 1)),
      (.imagePosition, "\(left)\\\(front)\\\(height)"),
      (.imageOrientation, "1\\0\\0\\0\\1\\0"),
      (.frameOfReferenceUID, identity.frameOfReference),
      (.positionReferenceIndicator, ""),
      (.sliceLocation, height),
      (.samplesPerPixel, "1"),
      (.photometricInterpretation, "MONOCHROME2"),
      (.rows, String(shape.height)), (.columns, String(shape.width)),
      (.pixelSpacing, "\(pixel)\\\(pixel)"),
      (.bitsAllocated, "16"), (.bitsStored, "12"), (.highBit, "11"), (.pixelRepresentation, "0"),
      (.windowCenter, "-600\\40"), (.windowWidth, "1500\\400"),
      (.windowExplanation, "LUNG\\MEDIASTINUM"),
      (.rescaleIntercept, String(range.lowerBound)), (.rescaleSlope, "1"), (.rescaleType, "HU"),
    ]
    for (tag, value) in attributes { try file.put(tag, value) }
    try file.put(samples: samples)
    return file
  }
}

/// The identifiers that the files of a series share.
private struct SeriesIdentity {
  let study: String, series: String, frameOfReference: String

  init(_ description: SeriesDescription, content: SHA256Digest) {
    let patient = "patient \(description.patient) of seed \(description.seed)"
    study = DICOMIdentifier.make(of: "study\n\(patient)")
    frameOfReference = DICOMIdentifier.make(of: "frame of reference\n\(patient)")
    series = DICOMIdentifier.make(
      of: """
        series \(description.seriesNumber)
        \(patient)
        \(description.description)
        \(description.pixelSpacing) \(description.sliceSpacing)
        \(content)
        """)
  }
}

/// `number` in at most 16 characters, as VR DS demands (PS3.5, 6.2).
func decimalString(_ number: Double) -> String {
  if number.shortest.utf8.count <= 16 { return number.shortest }
  return String(format: "%.9g", number)
}
