import CommandLanguage
import Foundation
package import Ledgers

/// Reads and writes the ledger beside a session.
package enum LedgerFile {
  /// The ledger in a file, or nil if there is no file.
  package static func read(_ path: String) throws(SessionError) -> Ledger? {
    guard PictureFiles.exists(path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SessionError(path, "cannot be read; check its permissions")
    }
    do throws(LedgerError) {
      return try Ledger(decoding: data)
    } catch {
      throw SessionError(path, "is no ledger: \(error.message)")
    }
  }

  /// Writes a ledger in one step, or removes the file of a session without commands.
  static func write(_ ledger: Ledger, to path: String) throws(SessionError) {
    let files = WholeFiles()
    try add(ledger, to: files, as: path)
    try PictureFiles.commit(files)
  }

  /// Adds a ledger, or removes the file of a session without commands.
  static func add(
    _ ledger: Ledger, to files: WholeFiles, as path: String
  ) throws(SessionError) {
    guard !ledger.entries.isEmpty || ledger.commands?.isEmpty == false else {
      return files.remove(path)
    }
    let data: Data
    do {
      data = try ledger.encoded()
    } catch {
      throw SessionError(path, "cannot be written: the ledger cannot be packed")
    }
    try PictureFiles.reporting { () throws(WholeFiles.Failure) in try files.add(data, as: path) }
  }
}
