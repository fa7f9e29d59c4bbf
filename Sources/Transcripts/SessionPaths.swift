import CommandLanguage
import Foundation

/// The files that belong to a session: `NAME.session`, its pictures in `NAME/`, its tensors in
/// `NAME.ledger`, and `NAME.new` with what the last replay produced.
package struct SessionPaths: Hashable, Sendable {
  /// The session file.
  package let file: String

  /// The paths of a session file, whatever its ending.
  package init(file: String) { self.file = file }

  /// The paths of a session called `name`, with or without `.session`.
  package init(named name: String) {
    file = name.hasSuffix(".session") ? name : name + ".session"
  }

  /// The session file that a person means by `path`: itself, or with `.session` behind it where
  /// there is none, or only the folder of its pictures.
  package static func meant(by path: String) -> String {
    var stem = path
    while stem.count > 1, stem.hasSuffix("/") { stem.removeLast() }
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let session = stem + ".session"
    return (!isThere || isFolder.boolValue) && PictureFiles.exists(session) ? session : path
  }

  /// The file without `.session`.
  private var stem: String {
    file.hasSuffix(".session") ? String(file.dropLast(".session".count)) : file + ".d"
  }

  /// The name alone: `01-first-look`.
  package var name: String {
    let last = file.split(separator: "/").last.map(String.init) ?? file
    return last.hasSuffix(".session") ? String(last.dropLast(".session".count)) : last
  }

  /// The folder that holds the session file.
  package var folder: String {
    // Not NSString's, which traps on ".".
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }

  /// Makes the folder that holds the session file, if it is not there.
  package func makeFolder() throws(SessionError) {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw SessionError(folder, "cannot be made: \(SystemReason.words(error))")
    }
  }

  /// The folder of the recorded pictures.
  package var pictures: String { stem }

  /// The names of the pictures below ``pictures`` that the session file at this place records, if
  /// there is one.
  package var recordedPictures: [String] {
    guard PictureFiles.exists(file), !PictureFiles.isLink(pictures),
      let session = try? SessionFile(path: file)
    else { return [] }
    return session.pictures.filter { name in
      PictureFiles.isInside(name)
        && !PictureFiles.leads(outOf: pictures, PictureFiles.path(pictures, name))
    }
  }

  /// What the session's commands left in each tensor.
  package var ledger: String { stem + ".ledger" }

  /// The curves behind the recorded results.
  package var curves: String { stem + Self.curvesEnding }

  static let curvesEnding = ".curves.json"

  /// What the last replay produced.
  package var new: String {
    file.hasSuffix(".session") ? stem + ".new" : file + ".new"
  }

  /// The folder of the pictures that the last replay produced.
  package var newPictures: String { new + ".pictures" }

  /// What the commands of the last replay left in each tensor.
  package var newLedger: String { new + ".ledger" }

  /// The curves behind the results of the last replay.
  var newCurves: String { new + Self.curvesEnding }
}
