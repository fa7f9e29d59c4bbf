package import Foundation

/// The tensors of a session, command by command, beside its transcript: `NAME.ledger`.
///
/// One JSON object a line: first the place of the record and its commands, then an entry for each
/// command that changed a tensor. A transcript shows a few digits of a few numbers; the ledger tells where in
/// everything else a replay first parts from the record.
package struct Ledger: Hashable, Sendable {
  /// Where the record was made: the keys of the session's stamp that decide.
  package let place: [String: String]
  package private(set) var entries: [LedgerEntry] = []
  /// The session's commands with what computed their output; nil in a ledger of version 0.1.
  ///
  /// One that was added since has nil in its place.
  package var commands: [RecordedCommand?]?
  /// The places of the entries, by the number of their command.
  private var places: [Int: Int] = [:]
  /// The SHA-256 of each tensor as it is after the last entry.
  private var known: [String: String] = [:]

  package init(place: [String: String]) { self.place = place }

  private struct Header: Codable {
    let ledger: Int
    let place: [String: String]
    var commands: [RecordedCommand?]?
  }

  private static let version = 1

  /// Adds what a command changed; nothing if it left all as it was.
  @discardableResult
  package mutating func add(_ trace: Trace, number: Int, command: String) -> LedgerEntry? {
    let entry = LedgerEntry(number: number, command: command, trace, known: known)
    guard !entry.tensors.isEmpty || entry.steps != nil else { return nil }
    append(entry)
    return entry
  }

  /// The entry of a command.
  package func entry(number: Int) -> LedgerEntry? { places[number].map { entries[$0] } }

  /// The number of the last command that changed a tensor.
  package var lastNumber: Int { entries.last?.number ?? 0 }

  /// A ledger of entries under other numbers, without those that get none.
  package init(place: [String: String], entries: [LedgerEntry], number: (Int) -> Int?) {
    self.place = place
    for entry in entries {
      if let number = number(entry.number) { append(entry.numbered(number)) }
    }
  }

  /// What some commands changed as another ledger says, the rest as here; both are of the same
  /// commands.
  package func taking(_ numbers: Set<Int>, from other: Ledger) -> Ledger {
    let entries =
      entries.filter { !numbers.contains($0.number) }
      + other.entries.filter { numbers.contains($0.number) }
    var ledger = Ledger(place: place)
    for entry in entries.sorted(by: { $0.number < $1.number }) { ledger.append(entry) }
    ledger.commands = commands
    for number in numbers {
      guard let taken = other.commands, taken.indices.contains(number - 1),
        ledger.commands?.indices.contains(number - 1) == true
      else { continue }
      ledger.commands?[number - 1] = taken[number - 1]
    }
    return ledger
  }

  /// How a session's commands differ from the recorded ones; nil where those are not told.
  package func edits(to now: [String]) -> CommandEdits? {
    commands.map { CommandEdits(from: $0.compactMap { $0?.command }, to: now) }
  }

  /// This ledger under the numbers of a session's commands as they are now, without what those that
  /// were changed or removed left.
  package func aligned(to now: [String]) -> Ledger {
    guard let commands, let edits = edits(to: now) else {
      // Version 0.1 told only the commands that changed a tensor.
      let isKnown = { (entry: LedgerEntry) in
        now.indices.contains(entry.number - 1) && now[entry.number - 1] == entry.command
      }
      return Ledger(place: place, entries: Array(entries.prefix(while: isKnown))) { $0 }
    }
    var known = [RecordedCommand?](repeating: nil, count: now.count)
    var numbers: [Int: Int] = [:]
    let told = commands.indices.filter { commands[$0] != nil }
    for (index, place) in zip(told, edits.places) {
      guard let place else { continue }
      known[place] = commands[index]
      numbers[index + 1] = place + 1
    }
    // What a command was stays known until its new output is accepted.
    for case .changed(let place, let former) in edits.edits {
      known[place] = RecordedCommand(command: former, chain: "")
    }
    var ledger = Ledger(place: place, entries: entries) { numbers[$0] }
    ledger.commands = known
    return ledger
  }

  private mutating func append(_ entry: LedgerEntry) {
    if places[entry.number] == nil { places[entry.number] = entries.count }
    entries.append(entry)
    for tensor in entry.tensors { known[tensor.name] = tensor.sha256 }
  }

  // MARK: - Files

  /// The bytes of the file.
  package func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var data = try encoder.encode(
      Header(ledger: Self.version, place: place, commands: commands))
    for entry in entries {
      data.append(10)
      data.append(try encoder.encode(entry))
    }
    data.append(10)
    return data
  }

  /// Reads a file.
  ///
  /// - Throws: `LedgerError` that says what the file holds instead.
  package init(decoding data: Data) throws(LedgerError) {
    let decoder = JSONDecoder()
    let lines = data.split(separator: 10)
    guard let first = lines.first,
      let header = try? decoder.decode(Header.self, from: first)
    else { throw LedgerError("it does not begin as a ledger does; record the session again") }
    guard header.ledger == Self.version else {
      throw LedgerError("it is of version \(header.ledger), expected \(Self.version)")
    }
    place = header.place
    commands = header.commands
    for (index, line) in lines.dropFirst().enumerated() {
      guard let entry = try? decoder.decode(LedgerEntry.self, from: line) else {
        throw LedgerError("its line \(index + 2) is damaged; record the session again")
      }
      append(entry)
    }
  }
}

/// A file that is no ledger: what was found, and the cure.
package struct LedgerError: Error, Hashable, Sendable {
  package let message: String

  init(_ message: String) { self.message = message }
}
