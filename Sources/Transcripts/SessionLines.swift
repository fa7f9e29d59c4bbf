package import CommandLanguage
package import Ledgers

/// The lines of a session with what they gave, from which its record is made anew when one is edited.
package struct SessionLines: Sendable {
  /// A command as it ran: its output, and the tensors that it changed.
  package struct Ran: Sendable {
    package let execution: Execution
    let traced: Recorder.Traced

    /// The command that does exactly the work that is recorded; nil for one that is not.
    var recorded: String? {
      guard execution.spec?.isRecorded ?? false else { return nil }
      switch execution.result {
      case .success(let outcome):
        return outcome.plays.isEmpty ? outcome.recordedCommand ?? execution.text : nil
      case .failure(let error): return error.kept?.command
      }
    }
  }

  package enum Content: Sendable {
    case note(String)
    case ran(Ran)
  }

  package struct Item: Sendable {
    /// The number of the line in the session.
    package internal(set) var line: Int
    /// The number that it had before the present edit; nil for the line that the edit made.
    package fileprivate(set) var former: Int?
    package let content: Content

    /// The command as typed; nil for a note.
    package var text: String? {
      if case .ran(let ran) = content { ran.execution.text } else { nil }
    }

    /// The command to run again; nil for what left nothing in the record.
    package var recorded: String? {
      if case .ran(let ran) = content { ran.recorded } else { nil }
    }

    private var outcome: Outcome? {
      if case .ran(let ran) = content { ran.execution.outcome } else { nil }
    }

    /// The places of its pictures.
    package var pictures: [String] { (outcome?.pictures ?? []).compactMap(\.place) }

    /// The places of the files that it wrote.
    package var files: [String] { (outcome?.files ?? []).compactMap(\.place) + pictures }

    package var spec: CommandSpec? {
      if case .ran(let ran) = content { ran.execution.spec } else { nil }
    }
  }

  package private(set) var items: [Item] = []

  package init() {}

  package mutating func add(note text: String, line: Int) {
    items.append(Item(line: line, content: .note(text)))
  }

  /// Adds a command to the lines and to their record.
  package mutating func add(
    _ execution: Execution, _ trace: Trace, to recorder: inout Recorder
  ) {
    let traced = recorder.add(execution, trace)
    items.append(
      Item(line: execution.line, content: .ran(Ran(execution: execution, traced: traced))))
  }

  // MARK: - Editing

  /// Begins an edit: the lines have their former numbers.
  package mutating func beginEdit() {
    for index in items.indices { items[index].former = items[index].line }
  }

  /// The index of the last command of the record with this number; nil if there is none.
  package func index(of line: Int) -> Int? {
    items.lastIndex { $0.line == line && $0.recorded != nil }
  }

  /// Takes an item out; the lines behind it move up.
  package mutating func remove(at index: Int) {
    let line = items.remove(at: index).line
    for later in items.indices where items[later].line > line { items[later].line -= 1 }
  }

  /// Makes room for a line before an item, whose number it takes.
  package mutating func insert(_ text: String, at index: Int, _ spec: CommandSpec?) {
    let line = items[index].line
    for later in items.indices where items[later].line >= line { items[later].line += 1 }
    items.insert(Self.open(text, line: line, spec), at: index)
  }

  /// Puts another line in the place of an item; it has not run yet.
  package mutating func replace(at index: Int, by text: String, _ spec: CommandSpec?) {
    items[index] = Self.open(text, line: items[index].line, spec)
  }

  private static func open(_ text: String, line: Int, _ spec: CommandSpec?) -> Item {
    let execution = Execution(
      line: line, text: text, spec: spec, seconds: 0, result: .success(Outcome()))
    return Item(
      line: line, content: .ran(Ran(execution: execution, traced: Recorder.Traced())))
  }

  /// Puts what lines gave when they ran again in the place of what they gave before.
  ///
  /// - Parameter fresh: The commands with their outcomes and changes, by the number of their line.
  /// - Returns: The record of all lines.
  package mutating func take(_ fresh: [Int: (Execution, Trace)]) -> Recorder {
    var recorder = Recorder()
    for index in items.indices {
      switch items[index].content {
      case .note(let text): recorder.add(note: text)
      case .ran(let ran):
        // A line that is not recorded may have the number of one that moved.
        guard ran.recorded != nil, let (execution, trace) = fresh[items[index].line] else {
          recorder.add(ran.execution, traced: ran.traced)
          continue
        }
        let traced = recorder.add(execution, trace)
        items[index] = Item(
          line: items[index].line, content: .ran(Ran(execution: execution, traced: traced)))
      }
    }
    return recorder
  }
}
