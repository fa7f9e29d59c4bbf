import Foundation
package import Tensors

/// Writes a series derived from a source series slice by slice, so that no more than one slice is in
/// memory and a stopped work can go on.
///
/// The identifiers depend on the sources, the derivation and its `content` alone. A slice's file gets
/// its name when it is whole; one that has its name and its identifier is done.
package struct DerivedStream {
  private let sources: [SliceSource]
  private let number: Int
  private let folder: SeriesFolder
  private let derivation: Derivation
  private let identity: DerivedIdentity

  /// Makes the folder.
  ///
  /// - Parameters:
  ///   - sources: The source of each slice of the series.
  ///   - number: The number of the series among those written together.
  ///   - folder: The folder of the files.
  ///   - derivation: The facts about the series in the header.
  ///   - content: A text that differs where the values do, such as a fingerprint of the weights.
  /// - Throws: `CTError` when the folder cannot be made.
  package init(
    _ sources: [SliceSource], number: Int, folder: String, derivation: Derivation, content: String
  ) throws(CTError) {
    (self.sources, self.number, self.derivation) = (sources, number, derivation)
    self.folder = try SeriesFolder(folder)
    identity = DerivedIdentity(sources, derivation, content: content)
  }

  /// The file of slice `n`, from 0.
  package func path(of n: Int) -> String {
    let digits = String(n + 1)
    return folder.path + "/\(derivation.name)-series\(number)-"
      + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".dcm"
  }

  /// The state of a slice's file.
  package enum State {
    case missing
    case written
    /// A file of that name which is no slice of this series.
    case foreign
  }

  /// Returns whether the file of slice `n` is there and its own, by the identifier in its header.
  ///
  /// - Parameter n: The number of the slice, from 0.
  /// - Returns: The state of the file.
  package func state(of n: Int) -> State {
    let place = path(of: n)
    guard FileManager.default.fileExists(atPath: place) else { return .missing }
    let limits = ReadingLimits(memory: 64 << 20)
    guard let file = try? DICOMFile(path: place, name: "slice", limits: limits),
      (try? file.dataset())?.text(.sopInstanceUID) == instance(n)
    else { return .foreign }
    return .written
  }

  /// Writes slice `n`, whole or not at all.
  ///
  /// - Parameters:
  ///   - image: The values, `[1, 1, H, W]`.
  ///   - mask: Which values are padding; nil when none is.
  ///   - n: The number of the slice, from 0.
  /// - Throws: `CTError` when a value is not finite, or the file cannot be written.
  package func write(_ image: Tensor<Float>, mask: [Bool]?, slice n: Int) throws(CTError) {
    let source = sources[n]
    let stored = try StoredImage(
      image.scalars[...], mask: mask.map { $0[...] }, step: source.step, origin: source.intercept,
      name: "\(derivation.name)[\(n)]")
    let file = try DICOMComposer()
    for (tag, value) in try source.person(keepsIdentity: derivation.keepsIdentity, identity) {
      try file.put(tag, value)
    }
    for (tag, value) in DerivedWriter.attributes(
      source, stored, isPlain: false, slice: n, image.shape, number, derivation, identity)
    {
      try file.put(tag, value)
    }
    try DerivedWriter.putReferences(
      to: source, keepsIdentity: derivation.keepsIdentity, in: file)
    try file.put(samples: stored.samples)
    let place = path(of: n)
    let partial = place + ".part"
    do throws(CTError) {
      try file.save(to: partial, called: place)
    } catch {
      unlink(partial)
      throw error
    }
    guard rename(partial, place) == 0 else {
      unlink(partial)
      throw CTError(
        "unwritable", "\(printable(place, limit: 4096)): cannot be written.",
        hint: "check the folder's permissions")
    }
  }

  private func instance(_ n: Int) -> String {
    DICOMIdentifier.make(of: "\(identity.series)\nslice \(n)")
  }
}

extension CTInventory {
  /// Files that hold no CT slice and belong to a study all the same, and files that could not be read.
  package var others: (left: [CTSkipped], unreadable: [CTSkipped]) {
    let kinds = [
      "no CT slice", "a localizer", "a screenshot or report", "a DICOMDIR", "a repetition",
      "not a DICOM file",
    ]
    func isOther(_ skipped: CTSkipped) -> Bool { kinds.contains { skipped.reason.hasPrefix($0) } }
    return (skipped.filter(isOther), skipped.filter { !isOther($0) })
  }
}

extension CTSeries {
  /// The places of the slices that lie in one file, file by file in the order of the first.
  package var placesByFile: [[Int]] {
    var order: [String: Int] = [:]
    var files: [[Int]] = []
    for (place, slice) in slices.enumerated() {
      if let file = order[slice.path] {
        files[file].append(place)
      } else {
        order[slice.path] = files.count
        files.append([place])
      }
    }
    return files
  }

  /// The slices at some places, in that order.
  package func part(_ places: [Int]) -> CTSeries {
    CTSeries(slices: places.map { slices[$0] }, sliceSpacing: sliceSpacing, warnings: [])
  }
}
