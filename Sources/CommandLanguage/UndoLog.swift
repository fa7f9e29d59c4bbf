/// The moments that `undo` can go back to.
///
/// Workspaces are values that share what did not change, so a moment costs what its command replaced.
struct UndoLog<Workspace> {
  /// All that a command line can change, before one of them ran.
  struct Moment {
    let command: String
    let workspace: Workspace
    let variables: Variables
    let results: [String: JSONValue]
  }

  private var moments: [Moment] = []

  /// Keeps a moment; the oldest goes.
  mutating func add(_ moment: Moment) {
    if moments.count == Self.capacity { moments.removeFirst() }
    moments.append(moment)
  }

  /// The last moment, which is gone then.
  mutating func takeLast() -> Moment? { moments.popLast() }
}

extension UndoLog {
  /// How many commands can be taken back.
  static var capacity: Int { 10 }
}
