import Fingerprints

/// A command whose output is recorded, and a fingerprint of the commands that computed it.
package struct RecordedCommand: Hashable, Sendable, Codable {
  /// The text of the command in the session.
  package let command: String
  /// The first 16 digits of a SHA-256 over this command and all those before it.
  package let chain: String

  /// The recorded commands of a session whose commands all ran in this order.
  package static func all(of commands: [String]) -> [RecordedCommand] {
    var chain = ""
    return commands.map { command in
      chain = String("\(SHA256Digest(of: "\(chain)\n\(command)"))".prefix(16))
      return RecordedCommand(command: command, chain: chain)
    }
  }
}
