package import Foundation

/// Files that are written together, all of them or none.
///
/// Everything is written into staging folders first, through to the disk; only then do names
/// change, in the order in which files were added. What was there before keeps a second name until
/// all is done, so that a step that fails brings it back.
package final class WholeFiles {
  package typealias Failure = WholeFile.Failure

  private struct Step {
    let target: String
    /// The path of the new bytes; nil if the file is to be removed.
    let staged: String?
  }

  private var steps: [Step] = []
  /// A staging folder for each folder that gets files, since a file cannot be renamed to another
  /// disk.
  private var staging: [String: StagingFolder] = [:]
  private let isPrivate: Bool
  /// Folders that were created for the files, the outermost first.
  private var made: [String] = []

  /// Begins with no files; `isPrivate` says whether only this person may read them.
  package init(isPrivate: Bool = false) { self.isPrivate = isPrivate }

  deinit {
    for folder in staging.values { folder.remove() }
    // A failed attempt leaves nothing behind; a folder that holds something stays.
    for folder in made.reversed() { rmdir(folder) }
  }

  /// Adds a file with these bytes.
  package func add(_ data: Data, as target: String) throws(Failure) {
    let staged = try stagingFolder(for: target).nextName
    if let reason = WholeFile.store(data, in: staged, mode: isPrivate ? 0o600 : 0o666) {
      throw Failure(path: target, description: reason)
    }
    steps.append(Step(target: target, staged: staged))
  }

  /// Makes a folder into which other code writes files; ``add(folder:as:)`` adds them.
  package func makeFolder(for target: String) throws(Failure) -> String {
    let path = try stagingFolder(for: target).nextName
    guard mkdir(path, 0o777) == 0 else { throw failure(target) }
    return path
  }

  /// Adds the files in a folder of ``makeFolder(for:)``, under the same names in `target`.
  package func add(folder: String, as target: String) throws(Failure) {
    for name in Self.names(in: folder).sorted() {
      let (staged, path) = ("\(folder)/\(name)", "\(target)/\(name)")
      let descriptor = open(staged, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw failure(path) }
      defer { close(descriptor) }
      guard fsync(descriptor) == 0 else { throw failure(path) }
      steps.append(Step(target: path, staged: staged))
    }
  }

  /// Removes a file on commit, after the new files are in place; it may be absent.
  package func remove(_ target: String) {
    steps.append(Step(target: target, staged: nil))
  }

  /// The files that are written, in order, and the paths of their bytes until then.
  package var written: [(target: String, staged: String)] {
    steps.compactMap { step in step.staged.map { (step.target, $0) } }
  }

  /// The files that are removed.
  package var removed: [String] { steps.compactMap { $0.staged == nil ? $0.target : nil } }

  /// Moves all files to their places.
  ///
  /// - Throws: `Failure`; then everything is as it was before.
  package func commit() throws(Failure) {
    var done: [(target: String, old: String?, existed: Bool)] = []
    do throws(Failure) {
      for step in steps {
        let existed = Self.isThere(step.target)
        let old = existed ? try secondName(of: step.target) : nil
        if let staged = step.staged {
          try makeFolders(above: step.target)
          guard rename(staged, step.target) == 0 else { throw failure(step.target) }
        } else if unlink(step.target) != 0, errno != ENOENT {
          throw failure(step.target)
        }
        done.append((step.target, old, existed))
      }
    } catch {
      for (target, old, existed) in done.reversed() {
        if let old { rename(old, target) } else if !existed { unlink(target) }
      }
      throw error
    }
    made = []
    for folder in staging.values { folder.remove() }
    staging = [:]
  }

  /// Gives an old file a second name and returns it; nil where the file system has no hard links.
  private func secondName(of target: String) throws(Failure) -> String? {
    let name = try stagingFolder(for: target).nextName
    return link(target, name) == 0 ? name : nil
  }

  private func stagingFolder(for target: String) throws(Failure) -> StagingFolder {
    let folder = Self.folder(of: target)
    if let known = staging[folder] { return known }
    try makeFolders(above: target)
    guard let made = StagingFolder(in: folder) else { throw failure(target) }
    staging[folder] = made
    return made
  }

  /// Creates the folders above a file that are missing.
  private func makeFolders(above target: String) throws(Failure) {
    var missing: [String] = []
    var folder = Self.folder(of: target)
    while access(folder, F_OK) != 0, !missing.contains(folder) {
      missing.append(folder)
      folder = Self.folder(of: folder)
    }
    for folder in missing.reversed() {
      guard mkdir(folder, isPrivate ? 0o700 : 0o777) == 0 || errno == EEXIST else {
        throw failure(target)
      }
      made.append(folder)
    }
  }

  private func failure(_ path: String) -> Failure {
    Failure(path: path, description: SystemReason.ofLastCall)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Whether the path exists, also as a link to nothing.
  private static func isThere(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }
}
