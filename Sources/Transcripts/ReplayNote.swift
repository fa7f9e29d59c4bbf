import CommandLanguage
import Fingerprints

/// A note on how far a replay came and with which values, among the stamps of `NAME.new`.
package struct ReplayNote: Hashable, Sendable {
  /// The number of commands at the beginning that ran to their end without a failure.
  var ran = 0
  /// The reason why the next command did not; nil when all ran.
  var ending: String?
  /// The values that were given from outside, such as `sigma=80HU`.
  var lets: [String] = []
  /// The numbers of the commands whose result was taken from a checkpoint.
  var fromCheckpoint: [Int] = []
  /// A fingerprint of the recorded output that the replay was compared with.
  var outputs = ""

  private static let prefix = "replay "

  init() {}

  /// The note among the stamps of `NAME.new`; nil when there is none, as before version 0.2.
  init?(_ stamps: [Stamp]) {
    func value(_ name: String) -> String? {
      stamps.last { $0.key == Self.prefix + name }?.value
    }
    guard let count = value("ran").flatMap({ Int($0) }), count >= 0 else { return nil }
    ran = count
    ending = value("ending")
    lets = value("let").map { [$0] } ?? []
    fromCheckpoint = value("checkpoint")?.split(separator: " ").compactMap { Int($0) } ?? []
    outputs = value("outputs") ?? ""
  }

  /// The note as stamps.
  var stamps: [Stamp] {
    let values: [(String, String?)] = [
      ("ran", "\(ran)"), ("ending", ending),
      ("let", lets.isEmpty ? nil : lets.joined(separator: " ")),
      (
        "checkpoint",
        fromCheckpoint.isEmpty ? nil : fromCheckpoint.map(String.init).joined(separator: " ")
      ),
      ("outputs", outputs),
    ]
    return values.compactMap { name, value in value.map { Stamp(Self.prefix + name, $0) } }
  }

  /// The stamps without a replay's note, which no session holds.
  static func stripped(_ stamps: [Stamp]) -> [Stamp] {
    stamps.filter { !$0.key.hasPrefix(prefix) }
  }

  /// A fingerprint of everything that a session records of its commands.
  static func fingerprint(ofOutputs entries: [SessionFile.Entry]) -> String {
    let lines = entries.flatMap { entry in
      entry.outputs.map { SessionLine.escaped($0.text) } + [">"]
    }
    return String("\(SHA256Digest(of: lines.joined(separator: "\n")))".prefix(16))
  }
}
