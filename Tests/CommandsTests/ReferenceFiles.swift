import Foundation

/// The reference files that lie beside the checkout, where they are present.
enum ReferenceFiles {
  /// A file with the SHA-256 of its 8-bit picture in its first window.
  struct Windowed: CustomStringConvertible, Sendable {
    let path: String
    let fingerprint: String
    var description: String { (path as NSString).lastPathComponent }
  }

  private struct Table: Decodable {
    let files: [String: File]
  }

  private struct File: Decodable {
    let expect: String
    let photometric: String?
    let frames: Double?
    let picture: Picture?

    enum CodingKeys: String, CodingKey {
      case expect
      case photometric = "PhotometricInterpretation"
      case frames = "NumberOfFrames"
      case picture = "window1_8bit"
    }
  }

  private struct Picture: Decodable {
    let sha256: String?
  }

  private static let folder: String = {
    var url = URL(filePath: #filePath)
    while url.path != "/",
      !FileManager.default.fileExists(atPath: url.appending(path: "Package.swift").path)
    {
      url.deleteLastPathComponent()
    }
    return url.deletingLastPathComponent().appending(path: "shared/dicom").path
  }()

  /// Files of one frame that load exactly and have a window; the reference inverts nothing.
  static let windowed: [Windowed] = {
    guard let data = FileManager.default.contents(atPath: folder + "/truth.json"),
      let table = try? JSONDecoder().decode(Table.self, from: data)
    else { return [] }
    return table.files.sorted { $0.key < $1.key }.compactMap { name, file in
      guard file.expect.hasPrefix("load"), file.expect != "load_lossy",
        file.photometric == "MONOCHROME2", file.frames ?? 1 == 1,
        let fingerprint = file.picture?.sha256
      else { return nil }
      return Windowed(path: "\(folder)/\(name)", fingerprint: fingerprint)
    }
  }()
}
