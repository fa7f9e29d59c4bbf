import Foundation

/// The files that a DICOMDIR names.
///
/// Source: PS3.3, F.3 Basic Directory IOD; PS3.10, 8.5 for names of files.
struct DICOMDirectory {
  /// The SOP class of a DICOMDIR.
  static let sopClassUID = "1.2.840.10008.1.3.10"

  /// The files that the directory names and that exist.
  private(set) var files: [FoundFile] = []
  /// The files that it names and that do not exist.
  private(set) var absent: [(file: String, reason: String)] = []

  /// Reads the directory in `dataset`, or returns nil when it is none; names are relative to
  /// `path`.
  init?(_ dataset: DICOMDataset, path: String) {
    guard dataset.text(.mediaStorageSOPClassUID) == Self.sopClassUID else { return nil }
    let folder = (path as NSString).deletingLastPathComponent
    var listings: [String: [String: String]] = [:]
    for record in dataset.items(.directoryRecordSequence) {
      let parts = record.texts(.referencedFileID)
      guard !parts.isEmpty else { continue }
      let name = printable(parts.joined(separator: "/"), limit: 255)
      // A name must not lead out of the folder.
      let isSound = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.contains("/") }
      if isSound, let found = Self.find(parts, in: folder.isEmpty ? "." : folder, &listings) {
        files.append(FoundFile(path: found, name: name))
      } else {
        absent.append((name, "named by the DICOMDIR but absent"))
      }
    }
  }

  /// The path of the file `parts` below `folder`; copies from discs are often in lower case.
  ///
  /// - Parameters:
  ///   - parts: The names of folders and of the file.
  ///   - folder: The folder in which the path begins.
  ///   - listings: The names in folders that were listed before, by their lower case.
  /// - Returns: The path, or `nil` when there is no such file.
  private static func find(
    _ parts: [String], in folder: String, _ listings: inout [String: [String: String]]
  ) -> String? {
    var path = folder
    for part in parts {
      let exact = path + "/" + part
      if FileManager.default.fileExists(atPath: exact) {
        path = exact
        continue
      }
      let names = listings[path] ?? Self.names(in: path)
      listings[path] = names
      guard let same = names[part.lowercased()] else { return nil }
      path += "/" + same
    }
    return path
  }

  /// The names in a folder by their lower case; the first where several are equal.
  private static func names(in folder: String) -> [String: String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return Dictionary(entries.sorted().map { ($0.lowercased(), $0) }) { first, _ in first }
  }
}
