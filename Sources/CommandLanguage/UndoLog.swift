/// What a kind of workspace says about going back.
package struct UndoRules<Workspace> {
  /// Takes out what can be computed again, before a moment is kept.
  package var strip: (inout Workspace) -> Void
  /// Keeps what outlives an undo, such as the names of pictures that were written.
  package var carry: (_ restored: inout Workspace, _ current: Workspace) -> Void
  /// The large things that a workspace holds, by a number that two workspaces share if they share
  /// them, and their bytes.
  package var weigh: (Workspace) -> [(identity: Int, bytes: Int)]
  /// The bytes that all moments together may keep alive.
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
  /// All that a command line can change, before one of them ran.
  struct Moment {
    let command: String
    var workspace: Workspace
    let variables: Variables
    let results: [String: JSONValue]
  }

  var rules = UndoRules<Workspace>()
  private var moments: [Moment] = []

  /// Keeps a moment; the oldest go while there are too many, or they hold too much that the present
  /// does not.
  mutating func add(_ moment: Moment, present: Workspace) {
    var moment = moment
    rules.strip(&moment.workspace)
    moments.append(moment)
    while moments.count > Self.capacity || weight(beside: present) > rules.budget {
      moments.removeFirst()
    }
  }

  /// The bytes that are alive only because of the moments.
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

  /// The last moment, which is gone then.
  mutating func takeLast() -> Moment? { moments.popLast() }
}

extension UndoLog {
  /// How many commands can be taken back.
  static var capacity: Int { 10 }
}
