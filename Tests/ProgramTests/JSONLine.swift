import Foundation

/// One line of `--json`.
struct JSONLine {
  let members: [String: Any]

  init(_ line: some StringProtocol) throws {
    let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
    guard let members = value as? [String: Any] else {
      throw Program.Failure("not an object: \(line)")
    }
    self.members = members
  }

  /// All lines of an output, each of which must be an object.
  static func all(_ output: String) throws -> [JSONLine] {
    try output.split(separator: "\n").map { try JSONLine($0) }
  }

  var keys: Set<String> { Set(members.keys) }
  var status: String? { members["status"] as? String }
  var result: JSONLine { self["result"] }

  /// The object at a key; an empty one if there is none.
  subscript(key: String) -> JSONLine {
    JSONLine(members: members[key] as? [String: Any] ?? [:])
  }

  func number(_ key: String) -> Double? { (members[key] as? NSNumber)?.doubleValue }
  func text(_ key: String) -> String? { members[key] as? String }
  func objects(_ key: String) -> [JSONLine] {
    (members[key] as? [[String: Any]] ?? []).map { JSONLine(members: $0) }
  }

  private init(members: [String: Any]) { self.members = members }
}
