import CommandLanguage
import Foundation

/// The files of a session: `NAME.session`, its pictures in `NAME/`, its tensors in `NAME.ledger`,
/// and `NAME.new` with the output of the last replay.
package struct SessionPaths: Hashable, Sendable {
  /// The session file.
  package let file: String

  /// The paths for a session file with any ending.
  package init(file: String) { self.file = file }

  /// The paths of a session called `name`, with or without `.session`.
  package init(named name: String) {
    file = name.hasSuffix(".session") ? name : name + ".session"
  }

  /// The session file that a person means by `path`: the path itself, or with `.session` behind it
  /// if no file or only the folder of pictures has that path.
  package static func meant(by path: String) -> String {
    var stem = path
    while stem.count > 1, stem.hasSuffix("/") { stem.removeLast() }
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let session = stem + ".session"
    return (!isThere || isFolder.boolValue) && PictureFiles.exists(session) ? session : path
  }

  /// The path without `.session`.
  private var stem: String {
    file.hasSuffix(".session") ? String(file.dropLast(".session".count)) : file + ".d"
  }

  /// The name alone: `01-first-look`.
  package var name: String {
    let last = file.split(separator: "/").last.map(String.init) ?? file
    let ending = [".session", ".ipynb"].first(where: last.hasSuffix)
    return ending.map { String(last.dropLast($0.count)) } ?? last
  }

  /// The folder that holds the session file.
  package var folder: String {
    // NSString's method would trap on ".".
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }

  /// Makes the folder that holds the session file, if it does not exist.
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

  /// The names of the pictures below ``pictures`` that the session file at this place records;
  /// empty without a file.
  package var recordedPictures: [String] {
    guard PictureFiles.exists(file), !PictureFiles.isLink(pictures),
      let session = try? SessionFile(path: file)
    else { return [] }
    return session.pictures.filter { name in
      PictureFiles.isInside(name)
        && !PictureFiles.leads(outOf: pictures, PictureFiles.path(pictures, name))
    }
  }

  /// The ledger of the tensors that the session's commands changed.
  package var ledger: String { stem + ".ledger" }

  /// The file of the curves of the recorded results.
  package var curves: String { stem + Self.curvesEnding }

  static let curvesEnding = ".curves.json"

  /// The session file with the output of the last replay.
  package var new: String {
    file.hasSuffix(".session") ? stem + ".new" : file + ".new"
  }

  /// The folder of the new pictures of the last replay.
  package var newPictures: String { new + ".pictures" }

  /// The ledger of the tensors that the commands of the last replay changed.
  package var newLedger: String { new + ".ledger" }

  /// The file of the curves of the last replay's results.
  var newCurves: String { new + Self.curvesEnding }
}
