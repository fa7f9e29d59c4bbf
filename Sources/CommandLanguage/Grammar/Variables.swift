import HashTreeCollections

/// The variables of `let`, and the values given from outside that replace them.
///
/// Copies share their storage, so that a copy costs the same however many variables there are.
package struct Variables: Sendable {
  /// The largest number of characters of a value.
  package static let longestValue = 1 << 16

  private struct Entry: Hashable, Sendable {
    /// The number of the `let` that gave it its first value.
    let number: Int
    var value: String
  }

  private var entries: TreeDictionary<String, Entry> = [:]
  /// The values given by `--let NAME=VALUE`.
  package let overrides: [String: String]

  package init(overrides: [String: String] = [:]) { self.overrides = overrides }

  /// The value of a variable.
  package subscript(name: String) -> String? { entries[name]?.value }

  /// The names, in no order.
  package var names: some Sequence<String> { entries.keys }

  /// The variables whose names fulfil a condition, in the order of their first `let`.
  package func values(_ isWanted: (String) -> Bool) -> [(name: String, value: String)] {
    entries.filter { isWanted($0.key) }.sorted { $0.value.number < $1.value.number }
      .map { ($0.key, $0.value.value) }
  }

  /// Gives `name` a value.
  package mutating func assign(_ name: String, _ value: String) {
    entries[name] = Entry(number: entries[name]?.number ?? entries.count, value: value)
  }

  /// Gives the variables that differ between two other states the values of the later one.
  mutating func take(from later: Variables, changedSince earlier: Variables) {
    for (name, entry) in later.entries where earlier.entries[name] != entry {
      assign(name, entry.value)
    }
  }

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
