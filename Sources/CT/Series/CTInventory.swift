import Foundation
import Synchronization
import Tensors

/// The series of CT slices at a path, found by reading headers only.
package struct CTInventory: Sendable {
  /// The series, by number, then by identifier.
  package let series: [CTSeries]
  /// The files left out, by the reason, in the order of their first file.
  package let skipped: [CTSkipped]
  /// A note that other images were taken because there are no CT slices; nil otherwise.
  let substitute: String?
  /// The number of files whose headers were read.
  package let fileCount: Int

  /// One line for each reason why files were left out: `2 files left out: a localizer (I10, …)`; a
  /// note on other images comes first.
  package var notes: [String] { (substitute.map { [$0] } ?? []) + skipped.map(\.description) }
}

/// Files left out of a scan for one reason.
package struct CTSkipped: Hashable, Sendable, CustomStringConvertible {
  /// The reason, such as `a localizer` or `not a DICOM file`.
  package let reason: String
  /// The names of the files.
  package let files: [String]

  package var description: String {
    let shown = files.prefix(3).joined(separator: ", ")
    let more = files.count > 3 ? ", …" : ""
    return "\(files.count) \(files.count == 1 ? "file" : "files") left out: \(reason)"
      + " (\(shown)\(more))"
  }
}

extension CTInventory {
  /// Finds the series in a file, a folder or a DICOMDIR.
  ///
  /// In a folder, the content of files decides, not their names; files that are foreign, damaged,
  /// repeated or no CT slice are left out and counted. A file named explicitly is taken even if it
  /// is a localizer or no CT.
  ///
  /// - Parameters:
  ///   - path: The file or folder.
  ///   - limits: The memory for a file, and when to stop.
  ///   - progress: Called with the number of headers read and of all, on any thread, one call at a
  ///     time; `false` stops the scan.
  /// - Returns: The series at the path.
  /// - Throws: `CTError` when there is nothing at `path`, a named file cannot be loaded, or a folder
  ///   holds no CT slice.
  package static func scan(
    _ path: String, limits: ReadingLimits = ReadingLimits(),
    progress: @escaping @Sendable (_ done: Int, _ all: Int) -> Bool = { _, _ in true }
  ) throws(CTError) -> CTInventory {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CTError(
        "not-found", "\(PathText.shown(path)): no such file or folder.",
        hint: "check the path")
    }
    let name = printable((path as NSString).lastPathComponent, limit: 255)
    if isFolder.boolValue {
      let walk = try FolderWalk(path, limits)
      return try gathered(walk.files, in: name, skipped: walk.unreadable, limits, progress)
    }
    let file = try DICOMFile(path: path, name: name, limits: limits)
    let dataset = try file.dataset()
    if let directory = DICOMDirectory(dataset, path: path) {
      return try named(by: directory, at: path, name: name, limits, progress)
    }
    return CTInventory(
      series: CTSeries.grouped(try CTSlice.slices(of: file, dataset, path: path)),
      skipped: [], substitute: nil, fileCount: 1)
  }

  /// Reads the slices that a DICOMDIR names, at the root of a disc (PS3.10, 8.6); of other
  /// directories, those in its folder, since some name no image.
  private static func named(
    by directory: DICOMDirectory, at path: String, name: String, _ limits: ReadingLimits,
    _ progress: @escaping @Sendable (Int, Int) -> Bool
  ) throws(CTError) -> CTInventory {
    do throws(CTError) {
      return try gathered(
        directory.files, in: name, skipped: directory.absent, limits, progress)
    } catch {
      guard name.uppercased() == "DICOMDIR", error.code != "interrupted" else { throw error }
      let folder = (path as NSString).deletingLastPathComponent
      let walk = try FolderWalk(folder.isEmpty ? "." : folder, limits)
      return try gathered(
        walk.files, in: name,
        skipped: [(name, "it names no CT slice; its folder was searched instead")]
          + directory.absent + walk.unreadable, limits, progress)
    }
  }

  /// Groups the CT slices among `files` into series; in a folder without any, grey images of a
  /// single other kind are taken.
  private static func gathered(
    _ files: [FoundFile], in name: String, skipped: [(file: String, reason: String)],
    _ limits: ReadingLimits, _ progress: @escaping @Sendable (Int, Int) -> Bool
  ) throws(CTError) -> CTInventory {
    let found = Mutex(Headers(outcomes: Array(repeating: nil, count: files.count)))
    parallel(chunks: files.count) { i, _ in
      guard !limits.shouldStop(), found.withLock({ $0.mayContinue }) else { return }
      let outcome = Outcome(files[i], limits)
      found.withLock { headers in
        headers.outcomes[i] = outcome
        headers.done += 1
        if !progress(headers.done, files.count) { headers.mayContinue = false }
      }
    }
    let headers = found.withLock { $0 }
    guard headers.mayContinue, !limits.shouldStop() else {
      throw CTError(
        "interrupted",
        "\(name): the search was stopped after \(headers.done) of"
          + " \(files.count) files.")
    }
    var slices: [CTSlice] = []
    var leftOut = skipped
    var seen: Set<String> = []
    let substitute = Outcome.substitute(for: headers.outcomes)
    for (file, outcome) in zip(files, headers.outcomes) {
      switch outcome {
      case .slices(let found),
        .other(let found, _) where substitute != nil:
        let uid = found.first?.sopInstanceUID ?? ""
        if uid.isEmpty || seen.insert(uid).inserted {
          slices += found
        } else {
          leftOut.append((file.name, "a repetition of another file's image"))
        }
      case .leftOut(let reason), .other(_, let reason):
        leftOut.append((file.name, reason))
      case nil:
        break
      }
    }
    let reasons = counted(leftOut)
    guard !slices.isEmpty else {
      let found = reasons.prefix(4).map(\.description).joined(separator: "; ")
      throw CTError(
        "nothing-found", "\(name): no CT slice\(found.isEmpty ? "" : ": " + found).",
        hint: "name one of the files to load it anyway")
    }
    return CTInventory(
      series: CTSeries.grouped(slices), skipped: reasons, substitute: substitute,
      fileCount: files.count + skipped.count)
  }

  private static func counted(_ leftOut: [(file: String, reason: String)]) -> [CTSkipped] {
    var order: [String] = []
    var files: [String: [String]] = [:]
    for (file, reason) in leftOut {
      if files[reason] == nil { order.append(reason) }
      files[reason, default: []].append(file)
    }
    return order.map { CTSkipped(reason: $0, files: files[$0] ?? []) }
  }
}

/// A file to read, and its name in messages.
struct FoundFile: Sendable {
  let path: String
  let name: String
}

/// The headers read so far, and whether to go on.
private struct Headers {
  var outcomes: [Outcome?]
  var done = 0
  var mayContinue = true
}

/// The result of reading the header of one file in a folder.
private enum Outcome: Sendable {
  case slices([CTSlice])
  /// Images that are no CT slices, and the reason why they are left out where there are CT slices.
  case other([CTSlice], String)
  case leftOut(String)

  init(_ found: FoundFile, _ limits: ReadingLimits) {
    do throws(CTError) {
      let file = try DICOMFile(path: found.path, name: found.name, limits: limits)
      let dataset = try file.dataset()
      if dataset.text(.mediaStorageSOPClassUID) == DICOMDirectory.sopClassUID {
        self = .leftOut("a DICOMDIR")
        return
      }
      let slices = try CTSlice.slices(of: file, dataset, path: found.path)
      if let reason = slices.first.flatMap(reasonToLeaveOut) {
        self = slices.contains(where: \.isLocalizer) ? .leftOut(reason) : .other(slices, reason)
      } else {
        self = .slices(slices)
      }
    } catch {
      self = .leftOut(reason(error, name: found.name))
    }
  }
}

extension Outcome {
  /// A note on the images to take where there are no CT slices: those left out for a single reason;
  /// nil if there is none.
  static func substitute(for outcomes: [Outcome?]) -> String? {
    var reasons: Set<String> = []
    for outcome in outcomes {
      switch outcome {
      case .slices: return nil
      case .other(_, let reason): reasons.insert(reason)
      case .leftOut, nil: break
      }
    }
    return reasons.count == 1
      ? reasons.first.map { "there are no CT slices, so other images are taken: \($0)" } : nil
  }
}

/// The reason why a scan of a folder leaves out an image that could be loaded; nil for a CT slice.
private func reasonToLeaveOut(_ slice: CTSlice) -> String? {
  if !slice.isCT {
    return slice.modality.isEmpty ? "no CT slice" : "no CT slice but \(slice.modality)"
  }
  if slice.isLocalizer { return "a localizer" }
  // Dose sheets and screenshots also have the modality CT.
  if slice.isSecondaryCapture { return "a screenshot or report" }
  return nil
}

/// The reason in an error's message, without the name of the file, so that equal reasons can be
/// counted.
private func reason(_ error: CTError, name: String) -> String {
  let prefix = name + ": "
  let text =
    error.message.hasPrefix(prefix)
    ? String(error.message.dropFirst(prefix.count)) : error.message
  return text.hasSuffix(".") ? String(text.dropLast()) : text
}
