/// The state before each line of a session, from which lines run again when one is edited.
///
/// Workspaces are values that share what did not change, so a moment costs what its line replaced.
/// The oldest are dropped while all of them together hold too much memory.
package struct LineMoments<Workspace> {
  /// The state of everything that a command line can change, before a line ran.
  typealias Moment = UndoLog<Workspace>.Moment

  private var moments: [(line: Int, moment: Moment, parts: [(identity: Int, bytes: Int)])] = []
  /// How many moments hold a large part, and its size in bytes, by its identity.
  private var held: [Int: (count: Int, bytes: Int)] = [:]
  private var bytes = 0

  /// The largest number of moments.
  private static var capacity: Int { 500 }

  /// Keeps the moment before the first line of all.
  mutating func begin(_ moment: Moment) { first = moment }

  /// Adds the moment before a line, within the memory that `rules` allow.
  mutating func add(_ moment: Moment, before line: Int, _ rules: UndoRules<Workspace>) {
    var moment = moment
    rules.strip(&moment.workspace)
    first = first ?? moment
    let parts = rules.weigh(moment.workspace)
    for part in parts {
      if held[part.identity] == nil { bytes += part.bytes }
      held[part.identity, default: (0, part.bytes)].count += 1
    }
    moments.append((line, moment, parts))
    while moments.count > Self.capacity || (bytes > rules.budget && moments.count > 1) {
      removeFirst()
    }
  }

  private mutating func removeFirst() {
    for part in moments.removeFirst().parts {
      guard let (count, size) = held[part.identity] else { continue }
      held[part.identity] = count > 1 ? (count - 1, size) : nil
      if count == 1 { bytes -= size }
    }
  }

  /// The moment before the last line with this number; nil if it was dropped.
  func before(_ line: Int) -> Moment? { moments.last { $0.line == line }?.moment }

  /// The moment before the first line of all, which is never dropped.
  private(set) var first: Moment?

  /// Drops the moments of lines from a number on.
  mutating func removeAll(from line: Int) {
    let kept = moments.filter { $0.line < line }
    (moments, held, bytes) = ([], [:], 0)
    for entry in kept {
      moments.append(entry)
      for part in entry.parts {
        if held[part.identity] == nil { bytes += part.bytes }
        held[part.identity, default: (0, part.bytes)].count += 1
      }
    }
  }
}
