import Foundation
import Ledgers
import TestSupport
import Testing

struct `A ledger` {
  private static let place = ["backflow": "0.1.0"]

  private static func trace(_ tensors: [String: [Float]]) -> Trace {
    var trace = Trace()
    trace.tensors = tensors.sorted { $0.key < $1.key }.map {
      TracedTensor(name: $0.key, shape: [$0.value.count], scalars: $0.value)
    }
    return trace
  }

  private static func sample() -> Ledger {
    var ledger = Ledger(place: place)
    ledger.add(trace(["a": [1, 2], "b": [3]]), number: 1, command: "load")
    ledger.add(trace(["a": [1, 2], "b": [4]]), number: 3, command: "train")
    return ledger
  }

  @Test func `keeps what a command changed, and no command that changed nothing`() {
    var ledger = Self.sample()
    #expect(ledger.entries.map(\.number) == [1, 3])
    #expect(ledger.entry(number: 3)?.tensors.map(\.name) == ["b"])
    ledger.add(Self.trace(["a": [1, 2], "b": [4]]), number: 4, command: "view")
    #expect(ledger.entry(number: 4) == nil)
    #expect(ledger.add(Trace(), number: 5, command: "help") == nil)
  }

  @Test func `comes back from its file`() throws {
    var ledger = Self.sample()
    let read = try Ledger(decoding: ledger.encoded())
    #expect(read.entries == ledger.entries && read.place == Self.place)
    // What it knows goes on, too.
    ledger.add(Self.trace(["b": [4]]), number: 6, command: "x")
    #expect(ledger.entry(number: 6) == nil)
  }

  @Test func `damaged anywhere is refused or read, never a trap`() throws {
    let bytes = [UInt8](try Self.sample().encoded())
    var dice = Dice(seed: 11)
    var refused = 0
    for round in 0..<400 {
      var damaged = bytes
      if round % 4 == 0 {
        damaged.removeLast(dice.next(bytes.count))
      } else {
        damaged[dice.next(bytes.count)] = UInt8(dice.next(256))
      }
      do {
        let ledger = try Ledger(decoding: Data(damaged))
        for entry in ledger.entries {
          _ = entry.parting(from: Self.trace(["a": [1, 2], "b": [5]]), nil)?.note
        }
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100)
  }

  @Test func `tells the first tensor and element in which a command parts`() throws {
    let entry = try #require(Self.sample().entry(number: 1))
    #expect(entry.parting(from: Self.trace(["a": [1, 2], "b": [3]]), entry) == nil)
    let found = Self.trace(["a": [1, Float(2).nextUp], "b": [5]])
    let parting = try #require(entry.parting(from: found, nil))
    #expect(parting.tensor == "a" && parting.place == [1] && parting.ulps == 1)
    #expect(parting.words.recorded == "a[1] = 2.0" && parting.note.contains("1 ulp apart"))
    let missing = try #require(entry.parting(from: Self.trace(["a": [1, 2]]), nil))
    #expect(missing.tensor == "b" && missing.element == nil)
  }
}

struct `A log of steps` {
  private static func log(_ steps: Int, turning: Int = .max, tensors: Int = 3) -> StepLog {
    var log = StepLog(names: (0..<tensors).map { "t\($0)" })
    for step in 1...steps where log.wants(step) {
      let values = (0..<tensors).map { [Float(step * 10 + $0)] }
      let changed = values.enumerated().map { index, value in
        step >= turning && index > 0 ? [value[0].nextUp] : value
      }
      log.add(step, loss: 1 / Double(step), tensors: changed)
    }
    return log
  }

  @Test func `names the step and tensor in which two trainings part`() throws {
    let parting = try #require(Self.log(50).parting(from: Self.log(50, turning: 17)))
    #expect(parting.step == 17 && parting.lastEqual == 16 && parting.tensor == "t1")
    #expect(Self.log(50).parting(from: Self.log(50)) == nil)
  }

  @Test func `keeps fewer steps of a long training, and says between which it parts`() throws {
    let long = Self.log(20_000, tensors: 10)
    let bytes = try JSONEncoder().encode(long).count
    #expect(bytes < 64 << 10)
    let parting = try #require(long.parting(from: Self.log(20_000, turning: 9001, tensors: 10)))
    #expect(parting.lastEqual < 9001 && parting.step >= 9001 && parting.step < 9001 + 512)
  }
}
