import CT
import Fingerprints
import Foundation
import Tensors

/// The reference files that lie beside the checkout, with what is known of each.
enum Truth {
  /// What is known of one file.
  struct File: Decodable {
    let expect: String
    let floatHash: String?
    let isExact: Bool?
    let values: Statistics?
    let paddingPixels: Int?
    let sopInstanceUID: String?
    let modality: String?

    enum CodingKeys: String, CodingKey {
      case expect
      case floatHash = "hu_float32le_sha256"
      case isExact = "hu_exact_integers"
      case values = "hu"
      case paddingPixels = "padding_pixels"
      case sopInstanceUID = "SOPInstanceUID"
      case modality = "Modality"
    }
  }

  struct Statistics: Decodable {
    let min: Double, max: Double, mean: Double
  }

  struct Series: Decodable {
    let uid: String
    let order: [String]

    enum CodingKeys: String, CodingKey {
      case uid = "SeriesInstanceUID"
      case order = "sorted_by_position_along_normal"
    }
  }

  private struct Table: Decodable {
    let files: [String: File]
    let series: [Series]
  }

  /// `shared/dicom` next to the package.
  static let folder: String = {
    var url = URL(fileURLWithPath: #filePath)
    while url.path != "/",
      !FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path)
    {
      url.deleteLastPathComponent()
    }
    return url.deletingLastPathComponent().appendingPathComponent("shared/dicom").path
  }()

  private static let table: Table? = {
    guard let data = FileManager.default.contents(atPath: folder + "/truth.json") else {
      return nil
    }
    return try? JSONDecoder().decode(Table.self, from: data)
  }()

  static var isPresent: Bool { table != nil }
  static var files: [String: File] { table?.files ?? [:] }
  /// The series of CT slices; scans of folders leave others out.
  static var series: [Series] {
    (table?.series ?? []).filter { files[$0.order.first ?? ""]?.modality == "CT" }
  }

  /// The names of the files of which `expect` says one of `expectations`.
  static func names(_ expectations: String...) -> [String] {
    files.filter { expectations.contains($0.value.expect) }.keys.sorted()
  }
}

/// The values of one file in the order of its frames.
func values(of path: String) throws -> (values: [Float], loaded: LoadedSeries) {
  let series = try CTInventory.scan(path).series
  let loaded = try series[0].load()
  let area = loaded.stack.shape.planeCount
  let order = loaded.series.slices.indices.sorted {
    loaded.series.slices[$0].frame < loaded.series.slices[$1].frame
  }
  return (order.flatMap { loaded.stack.scalars[$0 * area..<($0 + 1) * area] }, loaded)
}
