import Foundation

/// Small files that were read wrongly once, where they lie beside the checkout.
enum Faults {
  static let folder =
    (Truth.folder as NSString).deletingLastPathComponent + "/faults/dicom"

  /// The paths of the DICOM files.
  static let files: [String] =
    ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []).sorted()
    .map { folder + "/" + $0 }
    .filter { $0.hasSuffix(".dcm") }

  static var arePresent: Bool { !files.isEmpty }
}
