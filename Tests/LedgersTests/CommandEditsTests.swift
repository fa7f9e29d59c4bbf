import Ledgers
import TestSupport
import Testing

struct `Edits of a session` {
  @Test(arguments: 0..<200)
  func `lead from the recorded commands to those of now`(seed: UInt64) {
    var dice = Dice(seed: seed)
    let recorded = (0..<dice.next(12)).map { _ in "c\(dice.next(4))" }
    var now = recorded
    for _ in 0..<dice.next(5) {
      let place = dice.next(now.count + 1)
      switch dice.next(3) {
      case 0: now.insert("n\(dice.next(3))", at: place)
      case 1 where place < now.count: now.remove(at: place)
      case 2 where place < now.count: now[place] = "m\(dice.next(3))"
      default: break
      }
    }
    let edits = CommandEdits(from: recorded, to: now)
    // What keeps its place is the same command, in the same order.
    let kept = edits.places.compactMap(\.self)
    #expect(zip(kept, kept.dropFirst()).allSatisfy(<))
    for (command, place) in zip(recorded, edits.places) {
      if let place { #expect(now[place] == command) }
    }
    // Every other command is named once, on its side.
    var (former, fresh) = ([String](), [Int]())
    for edit in edits.edits {
      switch edit {
      case .changed(let place, let command):
        former.append(command)
        fresh.append(place)
      case .added(let place): fresh.append(place)
      case .removed(_, let command): former.append(command)
      }
    }
    #expect(former == zip(recorded, edits.places).filter { $0.1 == nil }.map(\.0))
    #expect(fresh == Set(now.indices).subtracting(kept).sorted())
    #expect(edits.edits.isEmpty == (recorded == now))
    #expect(edits.edits.map(\.place) == edits.edits.map(\.place).sorted())
  }

  @Test func `of long sessions are found at once, in pieces or as a whole`() {
    let recorded = (0..<100_000).map { "command \($0)" }
    var now = recorded
    now[50_000] = "another"
    #expect(
      CommandEdits(from: recorded, to: now).edits == [.changed(at: 50_000, from: recorded[50_000])])
    let others = now.map { "\($0) again" }
    #expect(CommandEdits(from: recorded, to: others).edits.count == 100_000)
  }

  @Test func `give a ledger the numbers of now`() throws {
    var ledger = Ledger(place: ["backflow": "1"])
    for (number, command) in [(1, "a"), (3, "c"), (4, "d")] {
      var trace = Trace()
      trace.tensors = [TracedTensor(name: "w", shape: [1], scalars: [Float(number)])]
      ledger.add(trace, number: number, command: command)
    }
    ledger.commands = RecordedCommand.all(of: ["a", "b", "c", "d"])
    let now = ["a", "new", "b", "c", "other"]
    let aligned = ledger.aligned(to: now)
    #expect(
      aligned.entries.map(\.number) == [1, 4] && aligned.entries.map(\.command) == ["a", "c"])
    #expect(aligned.commands?.map { $0?.command } == ["a", nil, "b", "c", "d"])
    #expect(aligned.edits(to: now)?.edits == [.added(at: 1), .changed(at: 4, from: "d")])
    let known = try Ledger(decoding: aligned.encoded())
    #expect(known == aligned)
    // Each command is known with all before it.
    let moved = RecordedCommand.all(of: ["b", "a"]).map(\.chain)
    #expect(Set(moved + RecordedCommand.all(of: ["a", "b"]).map(\.chain)).count == 4)
  }
}
