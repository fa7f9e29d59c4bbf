package import Foundation

/// The tensors of a session, command by command, beside its transcript: `NAME.ledger`.
///
/// One JSON object a line: first the machine and build of the record with its commands, then an
/// entry for each command that changed a tensor. A transcript shows a few digits of a few numbers;
/// the ledger shows where in all other numbers a replay first differs from the record.
package struct Ledger: Hashable, Sendable {
  /// The machine and build of the record: the deciding keys of the session's stamp.
  package let place: [String: String]
  package private(set) var entries: [LedgerEntry] = []
  /// The session's commands with a fingerprint of those before; nil in a ledger of version 0.1.
  ///
  /// A command that was added since is nil.
  package var commands: [RecordedCommand?]?
  /// The indices of the entries, by the number of their command.
  private var places: [Int: Int] = [:]
  /// The SHA-256 of each tensor after the last entry.
  private var known: [String: String] = [:]

  package init(place: [String: String]) { self.place = place }

  private struct Header: Codable {
    let ledger: Int
    let place: [String: String]
    var commands: [RecordedCommand?]?
  }

  private static let version = 1

  /// Adds the tensors that a command changed.
  ///
  /// - Returns: All that it changed, from which ``add(_:number:)`` makes the entry of another ledger; nil for
  ///   nothing.
  @discardableResult
  package mutating func add(_ trace: Trace, number: Int, command: String) -> LedgerEntry? {
    guard !trace.tensors.isEmpty || trace.steps != nil else { return nil }
    let entry = LedgerEntry(number: number, command: command, trace)
    add(entry, number: number)
    return entry
  }

  /// Adds all that a command changed under a number.
  package mutating func add(_ entry: LedgerEntry, number: Int) {
    let entry = entry.written(number, known: known)
    if !entry.tensors.isEmpty || entry.steps != nil { append(entry) }
  }

  /// The entry of a command; nil if it changed no tensor.
  package func entry(number: Int) -> LedgerEntry? { places[number].map { entries[$0] } }

  /// The number of the last command that changed a tensor.
  package var lastNumber: Int { entries.last?.number ?? 0 }

  /// Makes a ledger of entries with new numbers, without those whose number is nil.
  package init(place: [String: String], entries: [LedgerEntry], number: (Int) -> Int?) {
    self.place = place
    for entry in entries {
      if let number = number(entry.number) { append(entry.numbered(number)) }
    }
  }

  /// This ledger with some commands' entries from another; both are of the same commands.
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

  /// The edits from the recorded commands to the present ones; nil if the ledger has no commands.
  package func edits(to now: [String]) -> CommandEdits? {
    commands.map { CommandEdits(from: $0.compactMap { $0?.command }, to: now) }
  }

  /// This ledger with the numbers of the present commands, without entries of commands that were
  /// changed or removed.
  package func aligned(to now: [String]) -> Ledger {
    guard let commands, let edits = edits(to: now) else {
      // Version 0.1 stored only the commands that changed a tensor.
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
    // The former command stays recorded until its new output is accepted.
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
  /// - Throws: `LedgerError` that says what is wrong with the file.
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

/// The error of a file that is no ledger: the fault and the cure.
package struct LedgerError: Error, Hashable, Sendable {
  package let message: String

  init(_ message: String) { self.message = message }
}
