import Fingerprints

/// A command whose output is recorded, and a fingerprint of the commands that computed it.
package struct RecordedCommand: Hashable, Sendable, Codable {
  /// The command as the session holds it.
  package let command: String
  /// The first 16 digits of a SHA-256 over this command and all before it.
  package let chain: String

  /// The commands of a session that ran from the first to the last.
  package static func all(of commands: [String]) -> [RecordedCommand] {
    var chain = ""
    return commands.map { command in
      chain = String("\(SHA256Digest(of: "\(chain)\n\(command)"))".prefix(16))
      return RecordedCommand(command: command, chain: chain)
    }
  }
}
