/// The edits that turn the recorded commands of a session into the present ones.
package struct CommandEdits: Hashable, Sendable {
  /// A command that was changed, added or removed.
  package enum Edit: Hashable, Sendable {
    /// The places are indices into the present commands.
    case changed(at: Int, from: String)
    case added(at: Int)
    /// The removed command stood before the one at this index.
    case removed(before: Int, String)

    /// The index of the first present command that is affected.
    package var place: Int {
      switch self {
      case .changed(let place, _), .added(let place), .removed(let place, _): place
      }
    }
  }

  /// The edits, in the order of the session.
  package private(set) var edits: [Edit] = []
  /// The present index of each recorded command; nil where it was changed or removed.
  package private(set) var places: [Int?]

  /// The largest number of commands between the first and the last edit for which the shortest list
  /// of edits is searched.
  private static let searched = 2000

  /// Compares two lists of commands.
  package init(from recorded: [String], to now: [String]) {
    places = Array(repeating: nil, count: recorded.count)
    var first = 0
    while first < recorded.count, first < now.count, recorded[first] == now[first] { first += 1 }
    var (oldEnd, newEnd) = (recorded.count, now.count)
    while oldEnd > first, newEnd > first, recorded[oldEnd - 1] == now[newEnd - 1] {
      (oldEnd, newEnd) = (oldEnd - 1, newEnd - 1)
    }
    for index in 0..<first { places[index] = index }
    for index in oldEnd..<recorded.count { places[index] = newEnd + index - oldEnd }
    let (old, new) = (Array(recorded[first..<oldEnd]), Array(now[first..<newEnd]))
    let isShort = max(old.count, new.count) <= Self.searched
    let steps = isShort ? new.difference(from: old) : nil
    let removed = Set(steps?.removals.map(Self.offset) ?? Array(old.indices))
    let inserted = Set(steps?.insertions.map(Self.offset) ?? Array(new.indices))
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      let (oldStart, newStart) = (i, j)
      while i < old.count, removed.contains(i) { i += 1 }
      while j < new.count, inserted.contains(j) { j += 1 }
      add(old[oldStart..<i], newStart..<j, after: first)
      guard i < old.count, j < new.count else { continue }
      places[first + i] = first + j
      (i, j) = (i + 1, j + 1)
    }
  }

  /// Adds the edits of one gap: as many changed commands as there are partners.
  private mutating func add(_ old: ArraySlice<String>, _ new: Range<Int>, after start: Int) {
    let common = min(old.count, new.count)
    for (place, command) in zip(new, old) {
      edits.append(.changed(at: start + place, from: command))
    }
    for place in new.dropFirst(common) { edits.append(.added(at: start + place)) }
    for command in old.dropFirst(common) {
      edits.append(.removed(before: start + new.upperBound, command))
    }
  }

  private static func offset(_ change: CollectionDifference<String>.Change) -> Int {
    switch change {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }
}
