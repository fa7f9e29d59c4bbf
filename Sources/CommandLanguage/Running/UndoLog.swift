/// The rules of `undo` for a kind of workspace.
package struct UndoRules<Workspace> {
  /// Removes results that can be computed again, before a moment is kept.
  package var strip: (inout Workspace) -> Void
  /// Keeps values that an undo does not restore, such as the names of pictures that were written.
  package var carry: (_ restored: inout Workspace, _ current: Workspace) -> Void
  /// The large parts of a workspace and their sizes in bytes; workspaces that share a part give it
  /// the same identity.
  package var weigh: (Workspace) -> [(identity: Int, bytes: Int)]
  /// The memory that all moments together may keep in use, in bytes.
  package var budget: Int

  package init(
    budget: Int = .max, strip: @escaping (inout Workspace) -> Void = { _ in },
    carry: @escaping (inout Workspace, Workspace) -> Void = { _, _ in },
    weigh: @escaping (Workspace) -> [(identity: Int, bytes: Int)] = { _ in [] }
  ) {
    (self.budget, self.strip, self.carry, self.weigh) = (budget, strip, carry, weigh)
  }
}

/// The moments that `undo` can go back to.
///
/// Workspaces are values that share what did not change, so a moment costs what its command replaced.
struct UndoLog<Workspace> {
  /// The state of everything that a command line can change, before it ran.
  struct Moment {
    let command: String
    var workspace: Workspace
    let variables: Variables
    var results: [String: JSONValue]
  }

  var rules = UndoRules<Workspace>()
  private var moments: [Moment] = []

  /// Adds a moment; removes the oldest while there are too many, or they hold too much memory that
  /// the present does not.
  mutating func add(_ moment: Moment, present: Workspace) {
    var moment = moment
    rules.strip(&moment.workspace)
    moments.append(moment)
    while moments.count > Self.capacity || weight(beside: present) > rules.budget {
      moments.removeFirst()
    }
  }

  /// The memory in bytes that is in use only because of the moments.
  private func weight(beside present: Workspace) -> Int {
    var seen = Set(rules.weigh(present).map(\.identity))
    return moments.reduce(0) { sum, moment in
      rules.weigh(moment.workspace).reduce(sum) { sum, thing in
        seen.insert(thing.identity).inserted ? sum + thing.bytes : sum
      }
    }
  }

  /// An empty log for the lines that a command runs; it may keep half as much.
  var within: UndoLog {
    var log = UndoLog()
    log.rules = rules
    log.rules.budget /= 2
    return log
  }

  /// An empty log with the same rules.
  var emptied: UndoLog {
    var log = UndoLog()
    log.rules = rules
    return log
  }

  /// Removes and returns the last moment; nil if there is none.
  mutating func takeLast() -> Moment? { moments.popLast() }
}

extension UndoLog {
  /// The number of commands that can be taken back.
  static var capacity: Int { 10 }
}
