package import CommandLanguage
package import Foundation

/// Keeps an unsaved session on disk after every command, so that it survives a crash.
///
/// Beside the session stands a file that this program holds locked while it runs; the system
/// releases the lock however the program ends. A session whose lock is free was left behind, and
/// the next start reports it once.
package final class Recovery {
  /// The session's files.
  package let paths: SessionPaths
  private let lockPath: String
  private var lock: Int32 = -1
  /// The header in the file, and the number of entries written; nil before the first.
  private var kept: (header: String, count: Int)?
  private var isSettled = true
  /// Whether the file holds commands that were not saved.
  package private(set) var holdsWork = false

  /// Prepares the files of a session in `folder` that begins now.
  package init(in folder: URL, start: Date = Date()) {
    let format = Date.ISO8601FormatStyle(timeZone: .gmt)
      .year().month().day().dateSeparator(.omitted).time(includingFractionalSeconds: false)
      .timeSeparator(.omitted)
    let stem = "\(start.formatted(format))-\(getpid())"
    paths = SessionPaths(file: folder.appending(path: "\(stem).session").path)
    lockPath = folder.appending(path: "\(stem).lock").path
  }

  deinit { if lock >= 0 { close(lock) } }

  /// Writes the record, and the pictures of its last command.
  package func keep(
    _ recorder: Recorder, after execution: Execution, picturesFrom output: String, stamps: [Stamp]
  ) throws(SessionError) {
    guard execution.spec?.isRecorded ?? false,
      execution.error == nil || execution.error?.kept != nil
    else { return }
    try begin()
    try copy(execution.outcome?.pictures ?? [], from: output)
    try write(recorder, stamps: stamps)
    holdsWork = true
  }

  /// Makes the next write begin anew, since earlier lines are others now.
  package func beginAnew() { kept = nil }

  /// Brings the file up to date: new entries are appended, so that a command costs the same however
  /// many came before; only a changed header rewrites it.
  private func write(_ recorder: Recorder, stamps: [Stamp]) throws(SessionError) {
    let header = recorder.header(stamps: stamps)
    var isAppended = false
    if let kept, kept.header == header {
      isAppended = try append(recorder.text(from: kept.count))
    }
    if !isAppended {
      do throws(WholeFile.Failure) {
        let text = header + recorder.text(from: 0)
        try WholeFile.write(Data(text.utf8), to: paths.file, isPrivate: true)
      } catch {
        throw SessionError(paths.file, "cannot be written: \(error)")
      }
    }
    kept = (header, recorder.count)
  }

  /// Appends whole lines to the file, which ``settle()`` flushes; returns false when it is gone.
  private func append(_ text: String) throws(SessionError) -> Bool {
    let descriptor = open(paths.file, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    isSettled = false
    do throws(Descriptor.Failure) {
      try Descriptor.write(text.utf8, to: descriptor)
      return true
    } catch {
      // No part of a line stays.
      _ = ftruncate(descriptor, size)
      throw SessionError(paths.file, "cannot be written: \(error)")
    }
  }

  /// Flushes the appended lines to the disk, for times when the program is idle.
  package func settle() {
    guard !isSettled else { return }
    isSettled = true
    let descriptor = open(paths.file, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }

  /// Removes an unfinished line or continued command that a power cut left at the end of a file.
  private static func trim(_ file: String) {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return }
    var lines = text.components(separatedBy: "\n")
    let torn = lines.removeLast()
    var isWhole = torn.isEmpty
    while let last = lines.last, last.hasPrefix("> "), last.hasSuffix("\\") {
      lines.removeLast()
      isWhole = false
    }
    guard !isWhole else { return }
    try? WholeFile.write(
      Data((lines + [""]).joined(separator: "\n").utf8), to: file, isPrivate: true)
  }

  /// Writes the record after a note; one before the first command is written with that.
  package func keepNotes(of recorder: Recorder, stamps: [Stamp]) throws(SessionError) {
    if holdsWork { try write(recorder, stamps: stamps) }
  }

  private func copy(_ pictures: [RecordedPicture], from output: String) throws(SessionError) {
    let files = WholeFiles(isPrivate: true)
    // A picture outside the folder stays where it is.
    for picture in pictures where PictureFiles.isInside(picture.path) {
      let file = picture.place ?? PictureFiles.path(output, picture.path)
      try PictureFiles.add(file, as: picture.path, in: paths.pictures, to: files)
    }
    try PictureFiles.commit(files)
  }

  /// Removes the session's files, since it is saved elsewhere.
  package func discard() {
    guard holdsWork else { return }
    (holdsWork, kept, isSettled) = (false, nil, true)
    for path in [paths.file, paths.pictures] { PictureFiles.remove(path) }
  }

  /// Ends the session; without unsaved work, its lock file is removed.
  package func end() {
    if !holdsWork, lock >= 0 { unlink(lockPath) }
  }

  /// The sessions that were left without being saved, oldest first; each is returned once.
  package static func left(in folder: URL) -> [SessionPaths] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".lock") }.sorted().compactMap { name in
      let path = folder.appending(path: name).path
      let descriptor = open(path, O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      defer { close(descriptor) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, unlink(path) == 0 else { return nil }
      let session = String(path.dropLast(".lock".count)) + ".session"
      guard PictureFiles.exists(session) else { return nil }
      trim(session)
      return SessionPaths(file: session)
    }
  }

  /// The number of unsaved sessions that are kept.
  package static let keptCount = 20

  /// Removes all but the newest unsaved sessions, with the files of their replays.
  package static func prune(in folder: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    // Names begin with the time, so their order is that of time.
    let sessions = names.filter { $0.hasSuffix(".session") }.sorted().dropLast(keptCount)
    for paths in sessions.map({ SessionPaths(file: folder.appending(path: $0).path) }) {
      let lock = String(paths.file.dropLast(".session".count)) + ".lock"
      let descriptor = open(lock, O_RDWR | O_CLOEXEC)
      defer { if descriptor >= 0 { close(descriptor) } }
      // A locked session belongs to a prompt that runs.
      guard descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
      for path in [
        paths.file, paths.pictures, paths.ledger, paths.curves, paths.new, paths.newPictures,
        paths.newLedger, paths.newCurves, lock,
      ] {
        PictureFiles.remove(path)
      }
    }
  }

  // MARK: - Files

  /// Makes the folder and takes the lock, before the first command is written.
  private func begin() throws(SessionError) {
    guard lock < 0 else { return }
    do {
      try FileManager.default.createDirectory(
        atPath: paths.folder, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw SessionError(paths.folder, "cannot be made: \(SystemReason.words(error))")
    }
    let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure(lockPath) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw Self.failure(lockPath)
    }
    lock = descriptor
  }

  private static func failure(_ path: String) -> SessionError {
    SessionError(path, "cannot be written: \(SystemReason.ofLastCall)")
  }
}
