import Foundation

/// A folder that receives the files of a series, all of them or none.
package struct SeriesFolder {
  let path: String

  /// Makes the folder if it does not exist.
  ///
  /// - Throws: `CTError` when it cannot be made.
  init(_ path: String) throws(CTError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw CTError(
        "unwritable", "\(printable(path, limit: 4096)): the folder cannot be made.",
        hint: "check the path and its permissions")
    }
  }

  /// Writes `count` files called `PREFIX0001.dcm` and so on.
  ///
  /// All are written under temporary names first and then renamed, so that a failure leaves an
  /// older series of the same name unchanged; surplus files of an older, longer series of the same
  /// name are removed.
  ///
  /// - Parameters:
  ///   - prefix: The beginning of the names.
  ///   - count: The number of files.
  ///   - file: Makes the file with a number, from 0.
  /// - Returns: The paths of the files.
  /// - Throws: `CTError` of `file`, or when a file cannot be written.
  func write(
    prefix: String, count: Int, file: (Int) throws(CTError) -> DICOMComposer
  ) throws(CTError) -> [String] {
    let paths = (0..<count).map { path + "/" + prefix + fourDigits($0 + 1) + ".dcm" }
    let temporary = paths.map { $0 + ".part" }
    var isDone = false
    defer {
      if !isDone { for path in temporary { unlink(path) } }
    }
    for n in 0..<count {
      let composed = try file(n)
      try composed.save(to: temporary[n], called: paths[n])
    }
    for (from, to) in zip(temporary, paths) {
      guard rename(from, to) == 0 else {
        throw CTError(
          "unwritable", "\(printable(to, limit: 4096)): cannot be replaced.",
          hint: "check the folder's permissions")
      }
    }
    isDone = true
    for place in Self.leftovers(prefix: prefix, beyond: count, in: path) { unlink(place) }
    return paths
  }

  /// Returns the files in `folder` that remain of an older, longer series with the names of
  /// `written`.
  ///
  /// - Parameters:
  ///   - written: The files of one series that ``write(prefix:count:file:)`` wrote, here or elsewhere.
  ///   - folder: The folder to look in.
  /// - Returns: The paths of files of this program with the same prefix and higher numbers.
  package static func leftovers(of written: [String], in folder: String) -> [String] {
    guard let name = written.last?.split(separator: "/").last,
      let dash = name.lastIndex(of: "-")
    else { return [] }
    return leftovers(prefix: String(name[...dash]), beyond: written.count, in: folder)
  }

  private static func leftovers(prefix: String, beyond count: Int, in path: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    // The pixels of this program's files stay on the disk; what takes more when read is not its own.
    let limits = ReadingLimits(memory: 16 << 20)
    return names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".dcm") }.compactMap { name in
      let place = path + "/" + name
      guard let number = Int(name.dropFirst(prefix.count).dropLast(4)), number > count,
        let file = try? DICOMFile(path: place, name: name, limits: limits),
        (try? file.dataset())?.text(.manufacturer) == manufacturer
      else { return nil }
      return place
    }
  }

  /// The manufacturer in the header of this program's files.
  static let manufacturer = "Backflow"

  private func fourDigits(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 4 - String(number).count)) + String(number)
  }
}
