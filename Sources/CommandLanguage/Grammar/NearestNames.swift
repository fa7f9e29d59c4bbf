/// Finds names similar to one that is not known.
package enum NearestNames {
  /// The names closest to `word`, best first, at most three.
  ///
  /// A name counts when its Damerau-Levenshtein distance is at most 1 for words up to three
  /// characters, 2 up to seven, 3 beyond, or when it starts with `word`.
  package static func nearest(to word: String, among names: some Sequence<String>) -> [String] {
    let wanted = Array(word.lowercased().prefix(40))
    guard !wanted.isEmpty else { return [] }
    let limit = wanted.count <= 3 ? 1 : wanted.count <= 7 ? 2 : 3
    var found: [(name: String, distance: Int)] = []
    for name in names where !found.contains(where: { $0.name == name }) {
      let candidate = Array(name.lowercased().prefix(40))
      // Words are at least as far apart as their lengths.
      let isFar = abs(candidate.count - wanted.count) > limit
      let distance = isFar ? .max : distance(wanted, candidate)
      if distance <= limit && distance < max(wanted.count, candidate.count) {
        found.append((name, distance))
      } else if wanted.count >= 2 && candidate.starts(with: wanted) {
        found.append((name, limit + 1))
      }
    }
    return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  /// `did you mean "sigma"?`, or nil when no name is near.
  package static func question(for word: String, among names: some Sequence<String>) -> String? {
    let near = nearest(to: word, among: names).map { "\"\($0)\"" }
    guard let last = near.last else { return nil }
    guard near.count > 1 else { return "did you mean \(last)?" }
    return "did you mean \(near.dropLast().joined(separator: ", ")) or \(last)?"
  }

  /// The Damerau-Levenshtein distance (adjacent transpositions count one).
  ///
  /// Source: Damerau, "A technique for computer detection and correction of spelling errors"
  /// (1964), in the optimal string alignment form.
  package static func distance(_ first: [Character], _ second: [Character]) -> Int {
    var beforeLast = [Int](repeating: 0, count: second.count + 1)
    var last = Array(0...second.count)
    for (i, a) in first.enumerated() {
      var row = [i + 1]
      for (j, b) in second.enumerated() {
        var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a == b ? 0 : 1))
        if i > 0 && j > 0 && a == second[j - 1] && first[i - 1] == b {
          best = min(best, beforeLast[j - 1] + 1)
        }
        row.append(best)
      }
      (beforeLast, last) = (last, row)
    }
    return last[second.count]
  }
}
