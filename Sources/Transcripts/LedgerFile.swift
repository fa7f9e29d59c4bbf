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

  /// Writes a ledger in one step, or removes the file of a session that changed no tensor.
  static func write(_ ledger: Ledger, to path: String) throws(SessionError) {
    guard !ledger.entries.isEmpty else { return PictureFiles.remove(path) }
    do {
      try WholeFile.write(try ledger.encoded(), to: path)
    } catch {
      throw SessionError(path, "cannot be written: \(error)")
    }
  }
}
