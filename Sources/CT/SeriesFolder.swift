import Foundation

/// A folder that receives the files of a series, all of them or none.
struct SeriesFolder {
  let path: String

  /// Makes the folder if need be.
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
  /// All are written under temporary names first and then renamed, so that a failure leaves an older
  /// series of the same name whole; files that an older, longer series of the same name left behind
  /// are removed.
  ///
  /// - Parameters:
  ///   - prefix: What the names begin with.
  ///   - count: The number of files.
  ///   - file: Makes a file, from 0.
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
      try composed.save(to: temporary[n])
    }
    for (from, to) in zip(temporary, paths) {
      guard rename(from, to) == 0 else {
        throw CTError(
          "unwritable", "\(printable(to, limit: 4096)): cannot be replaced.",
          hint: "check the folder's permissions")
      }
    }
    isDone = true
    removeLeftovers(prefix: prefix, beyond: count)
    return paths
  }

  /// Removes files of this program that bear `prefix` and a number above `count`.
  private func removeLeftovers(prefix: String, beyond count: Int) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(".dcm") {
      guard let number = Int(name.dropFirst(prefix.count).dropLast(4)), number > count else {
        continue
      }
      let place = path + "/" + name
      guard let file = try? DICOMFile(path: place, name: name, limits: ReadingLimits()),
        (try? file.dataset())?.text(.manufacturer) == Self.manufacturer
      else { continue }
      unlink(place)
    }
  }

  /// What files of this program say of their maker.
  static let manufacturer = "Backflow"

  private func fourDigits(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 4 - String(number).count)) + String(number)
  }
}
