import CommandLanguage
import Fingerprints
import Foundation
import Synchronization

/// The existing files that a write may replace.
package enum Replacing: Sendable {
  /// Only files that this session wrote.
  case own
  /// Files that this session wrote, and in the output folder of a script those of earlier runs.
  case known
  /// All files, since a person or a script allowed it.
  case all
}

/// The files that a session wrote, and the rule for those that are there already; all copies of its
/// `Files` share one.
///
/// A file counts as written by the session while its bytes are those that it wrote. Of scripts, the
/// manifest in the output folder remembers what earlier runs wrote, so that a script runs again.
final class WrittenFiles: Sendable {
  private struct Own {
    let digest: SHA256Digest
    /// Whether the record shows its pixels.
    let isPicture: Bool
    /// Whether it was written before the lines that now run again.
    var isKept = false
  }

  /// A file about to be written.
  struct Plan {
    let place: String
    /// Its name in messages.
    let name: String
    /// The digest of the new bytes; nil for a file that is removed.
    let digest: SHA256Digest?
    let isPicture: Bool
  }

  private let own = Mutex<[String: Own]>([:])
  /// The files that lines wrote which now run again, and may replace them.
  private let former: [String: Own]
  private let manifest: FileManifest?

  init(manifest: FileManifest?) { (self.manifest, former) = (manifest, [:]) }

  /// No files yet, but those of `other` may be replaced.
  init(after other: WrittenFiles) {
    manifest = other.manifest
    former = other.own.withLock { other.former.merging($0) { $1 } }
  }

  /// Takes files that lines wrote before as written again.
  func keep(_ places: [String]) {
    own.withLock { own in
      for place in places where own[place] == nil {
        own[place] = former[place]
        own[place]?.isKept = true
      }
    }
  }

  /// Whether this session wrote a file here.
  func contains(_ place: String) -> Bool { own.withLock { $0[place] != nil } }

  /// Whether a line wrote a file here since lines began to run again.
  func isNew(_ place: String) -> Bool { own.withLock { $0[place].map { !$0.isKept } ?? false } }

  /// Throws when a file is there that must not be replaced.
  func check(_ plan: Plan, _ replacing: Replacing) throws(CommandError) {
    guard replacing != .all, let found = try Found(plan) else { return }
    guard let old = found.digest else { throw Self.refusal(plan, "is there as a link or a device") }
    try stopIfInterrupted()
    if old == plan.digest { return }
    let mine = own.withLock { $0[plan.place] }
    if let mine, mine.digest == old {
      guard mine.isPicture, plan.digest != nil else { return }
      throw CommandError(
        .exists, "\(plan.name) is a picture of this session, whose record shows it as it is",
        hint: "give the new one another name, or replace the old with replace=yes")
    }
    if mine == nil, former[plan.place]?.digest == old { return }
    if replacing == .known, manifest?.holds(plan.place, old) == true { return }
    throw Self.refusal(
      plan,
      mine == nil
        ? "is there, and this session did not write it" : "was changed since this session wrote it")
  }

  private static func refusal(_ plan: Plan, _ reason: String) -> CommandError {
    CommandError(
      .exists, "\(plan.name) \(reason)", hint: "give another name, or replace it with replace=yes")
  }

  /// Records in the manifest files that are about to get their names.
  func announce(_ plans: [Plan]) {
    manifest?.add(plans.compactMap { plan in plan.digest.map { (plan.place, $0) } })
  }

  /// Records files that are in place.
  func take(_ plans: [Plan]) {
    own.withLock { own in
      for plan in plans {
        own[plan.place] = plan.digest.map { Own(digest: $0, isPicture: plan.isPicture) }
      }
    }
  }

  /// The entry that stands where a file is to be written.
  private struct Found {
    /// The digest of its bytes; nil if it is no regular file.
    let digest: SHA256Digest?

    /// Reads the entry; nil when there is none, or a folder, which nothing replaces.
    init?(_ plan: Plan) throws(CommandError) {
      var status = stat()
      guard lstat(plan.place, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { return nil }
      guard status.st_mode & S_IFMT == S_IFREG else {
        digest = nil
        return
      }
      do {
        digest = SHA256Digest(
          of: try Data(contentsOf: URL(filePath: plan.place), options: .alwaysMapped))
      } catch {
        throw CommandError(
          .exists, "\(plan.name) is there and cannot be read: \(SystemReason.words(error))",
          hint: "give another name")
      }
    }
  }
}

extension SHA256Digest {
  /// Digests the bytes of a file; what the command that runs writes is not written once it is asked
  /// to stop.
  init(of data: Data) {
    let interruption = Interruption.ofCommand
    self = data.withUnsafeBytes { bytes in
      SHA256Digest(of: bytes) { interruption?.isRequested ?? false }
    }
  }
}
