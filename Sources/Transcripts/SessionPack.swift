import CommandLanguage
package import Foundation
import Ledgers

/// A session with its pictures, ledger and curves, in memory or as one zip file.
///
/// It holds `NAME.session`, its pictures in `NAME/`, `NAME.ledger` and `NAME.curves.json` if there
/// are any, and the stamp as `NAME.stamp.json`. Data that the session loads is never in it.
package struct SessionPack: Sendable {
  /// The session's name.
  package let name: String
  /// The bytes of each file, by its path: `first-look/noisy-3.png`.
  private(set) var files: [(path: String, bytes: [UInt8])]
  /// The part of the session that the last replay did not reach; nil if none, or for a zip file.
  private var replayDoubt: String?

  /// The largest sum of the files' sizes in a pack: 256 MiB.
  package static let sizeLimit = 256 << 20
  /// The largest number of files in a pack.
  package static let countLimit = 10_000

  /// Reads a pack, or collects the files of a session.
  package init(at path: String) throws(SessionError) {
    self =
      Self.isPack(path)
      ? try SessionPack(reading: path) : try SessionPack(collecting: SessionPaths(file: path))
  }

  /// Collects the files of a session from its folder.
  package init(collecting paths: SessionPaths) throws(SessionError) {
    let session = try SessionFile(path: paths.file)
    name = paths.name
    replayDoubt = Self.doubt(ofReplay: paths, session)
    files = [("\(name).session", try Self.contents(of: paths.file))]
    for picture in session.pictures where PictureFiles.isInside(picture) {
      let path = PictureFiles.path(paths.pictures, picture)
      try PictureFiles.requireUnlinked(paths.pictures, picture)
      guard PictureFiles.exists(path), self[picture: picture] == nil else { continue }
      files.append(("\(name)/\(picture)", try Self.contents(of: path)))
    }
    for (path, ending) in [
      (paths.ledger, ".ledger"), (paths.curves, SessionPaths.curvesEnding),
    ] where PictureFiles.exists(path) {
      try PictureFiles.requireUnlinked(path, "")
      files.append((name + ending, try Self.contents(of: path)))
    }
    let stamp = JSONValue.object(session.stamps.map { JSONValue.Member($0.key, .string($0.value)) })
    files.append(("\(name).stamp.json", Array("\(stamp.text)\n".utf8)))
    try check(paths.file)
  }

  /// Reads a zip file into memory; throws if it holds files that do not belong to its session.
  package init(reading path: String, sizeLimit: Int = sizeLimit) throws(SessionError) {
    let archive = try ZipArchive(path, sizeLimit: sizeLimit, countLimit: Self.countLimit)
    let sessions = archive.files.map(\.path)
      .filter { $0.hasSuffix(".session") && !$0.contains("/") }
    guard sessions.count == 1, let session = sessions.first else {
      throw SessionError(
        path, "holds \(sessions.count) session files at its top; a pack of a session holds one")
    }
    name = String(session.dropLast(".session".count))
    files = archive.files
    for file in files where !belongs(file.path) {
      throw SessionError(
        path,
        "holds \"\(VisibleText.visible(file.path))\", which belongs to no session called \(name)")
    }
    try check(path)
  }

  /// Whether a file is a pack: zip files begin with `PK` and two bytes.
  package static func isPack(_ path: String) -> Bool {
    // Only regular files are read, since reading a pipe would consume its bytes.
    guard PictureFiles.exists(path), let file = FileHandle(forReadingAtPath: path) else {
      return false
    }
    defer { try? file.close() }
    return (try? file.read(upToCount: 4)).map { Array($0) == [0x50, 0x4B, 3, 4] } ?? false
  }

  /// Throws when a file is a pack, since packs cannot be changed.
  package static func requireUnpacked(_ path: String) throws(SessionError) {
    guard isPack(path) else { return }
    throw SessionError(
      path,
      "is a pack, in which nothing is changed; accept the session that its replay unpacked, in "
        + "out/NAME/packed, or unzip it")
  }

  /// The text of the session file.
  package var source: String { String(decoding: self["\(name).session"] ?? [], as: UTF8.self) }

  /// The bytes of a picture by its recorded path.
  package subscript(picture path: String) -> [UInt8]? { self["\(name)/\(path)"] }

  /// The curves of the session's results.
  package var curves: CurveFile { CurveFile(bytes: self[name + SessionPaths.curvesEnding] ?? []) }

  private subscript(path: String) -> [UInt8]? { files.first { $0.path == path }?.bytes }

  /// The reasons to doubt that the session's output was computed by its commands, a sentence each.
  package func doubts() throws(SessionError) -> [String] {
    let session = try SessionFile(text: source, name: name)
    let ledger = self["\(name).ledger"].flatMap { try? Ledger(decoding: Data($0)) }
    return RecordDoubts(session, ledger).sentences + [replayDoubt].compactMap(\.self)
  }

  /// A sentence on the part of the session that a replay did not reach and that was not accepted;
  /// nil if there is none.
  private static func doubt(ofReplay paths: SessionPaths, _ session: SessionFile) -> String? {
    guard PictureFiles.exists(paths.new), let new = try? SessionFile(path: paths.new),
      let note = ReplayNote(new.stamps), let ending = note.ending
    else { return nil }
    let (entries, replayed) = (session.entries, new.entries)
    guard entries.indices.contains(note.ran), replayed.indices.contains(note.ran),
      entries[...note.ran].map(\.command) == replayed[...note.ran].map(\.command)
    else { return nil }
    return "line \(entries[note.ran].line) \(ending); what stands from there on is from before"
  }

  /// The bytes of the pack's zip file.
  package func encoded() throws(SessionError) -> Data { try ZipArchive(files: files).encoded(name) }

  /// Writes the pack as a zip file, in one step.
  package func write(to path: String) throws(SessionError) {
    let data = try encoded()
    do throws(WholeFile.Failure) {
      try WholeFile.write(data, to: path)
    } catch {
      throw SessionError(path, "cannot be written: \(error)")
    }
  }

  /// Writes the files into a folder; returns the session's paths there.
  ///
  /// Files of an earlier session of this name are removed; those of its replay stay.
  package func unpack(into folder: String) throws(SessionError) -> SessionPaths {
    let paths = SessionPaths(file: PictureFiles.path(folder, "\(name).session"))
    if !PictureFiles.isLink(folder) {
      for path in [paths.ledger, paths.curves, paths.pictures] { PictureFiles.remove(path) }
    }
    for file in files {
      let path = PictureFiles.path(folder, file.path)
      guard !PictureFiles.isLink(folder), !PictureFiles.leads(outOf: folder, path) else {
        throw SessionError(folder, "is or holds a symbolic link; a pack is unpacked into a folder")
      }
      do {
        try FileManager.default.createDirectory(
          atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try WholeFile.write(Data(file.bytes), to: path)
      } catch let failure as WholeFile.Failure {
        throw SessionError(path, "cannot be written: \(failure)")
      } catch {
        throw SessionError(path, "cannot be written: \(SystemReason.words(error))")
      }
    }
    return paths
  }

  // MARK: - Checks

  private func belongs(_ path: String) -> Bool {
    let own = [".session", ".ledger", ".stamp.json", SessionPaths.curvesEnding]
    return own.contains { path == name + $0 }
      || (path.hasPrefix("\(name)/") && PictureFiles.isInside(path) && !path.hasSuffix("/")
        && path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\\" })
  }

  /// Throws when the session's name or the size of the pack is not allowed.
  private func check(_ path: String) throws(SessionError) {
    guard !name.isEmpty, name != ".", name != "..", PictureFiles.isInside(name),
      !name.contains("/"), VisibleText.visible(name) == name
    else { throw SessionError(path, "has no usable session name; rename the session") }
    let size = files.reduce(0) { $0 + $1.bytes.count }
    guard size <= Self.sizeLimit, files.count <= Self.countLimit else {
      throw SessionError(
        path,
        "has \(size >> 20) MiB in \(files.count) files; a pack takes at most "
          + "\(Self.sizeLimit >> 20) MiB in \(Self.countLimit)")
    }
  }

  private static func contents(of path: String) throws(SessionError) -> [UInt8] {
    do {
      return Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw SessionError(path, "cannot be read: \(SystemReason.words(error))")
    }
  }
}

extension SessionFile {
  /// The paths of the pictures that the record names, in order.
  var pictures: [String] { entries.flatMap(\.outputs).compactMap { PictureLine.path(in: $0.text) } }
}
