package import OrderedCollections

/// The variables of `let`, and the values given from outside that replace them.
package struct Variables: Sendable {
  /// The values, in the order of their first `let`.
  package private(set) var values: OrderedDictionary<String, String> = [:]
  /// The values given by `--let NAME=VALUE`.
  package let overrides: [String: String]

  package init(overrides: [String: String] = [:]) { self.overrides = overrides }

  /// The value of a variable.
  package subscript(name: String) -> String? { values[name] }

  /// Gives `name` a value.
  mutating func assign(_ name: String, _ value: String) { values[name] = value }

  /// Whether `name` can name a variable: a letter or `_`, then letters, digits and `_`.
  package static func isName(_ name: some StringProtocol) -> Bool {
    guard let first = name.unicodeScalars.first, isStart(first) else { return false }
    return name.unicodeScalars.allSatisfy(isPart)
  }

  /// Whether a variable's name may begin with `scalar`.
  static func isStart(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
  }

  /// Whether a variable's name may contain `scalar`.
  static func isPart(_ scalar: Unicode.Scalar) -> Bool {
    isStart(scalar) || ("0"..."9").contains(scalar)
  }
}
