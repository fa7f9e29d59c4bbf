import Foundation
import Ledgers
import TestSupport
import Testing

struct `A record of a tensor` {
  /// Numbers of many sizes, both signs.
  static func numbers(_ count: Int) -> [Float] {
    (0..<count).map { Float(sin(Double($0) * 0.37)) * pow(10, Float($0 % 7) - 3) }
  }

  static func difference(_ old: [Float], _ new: [Float], isWhole: Bool) -> ElementDifference? {
    TensorRecord(traced(old), isWhole: isWhole).difference(from: traced(new))
  }

  static func traced(_ scalars: [Float], shape: [Int]? = nil) -> TracedTensor {
    TracedTensor(name: "t", shape: shape ?? [scalars.count], scalars: scalars)
  }

  @Test(arguments: [0, 63, 64, 1023, 1024, 2999], [0, 9, 22, 23, 30, 31])
  func `gives back the one element that changed by one bit`(index: Int, bit: Int) {
    let old = Self.numbers(3000)
    var new = old
    new[index] = Float(bitPattern: new[index].bitPattern ^ 1 << UInt32(bit))
    guard
      case .element(let place, let recorded, let found)? =
        Self.difference(old, new, isWhole: false)
    else {
      Issue.record("no element")
      return
    }
    #expect(place == index)
    #expect(recorded.bitPattern == old[index].bitPattern)
    #expect(found.bitPattern == new[index].bitPattern)
  }

  @Test(arguments: [0, 64, 99_999, 2_345_678, 2_999_999])
  func `gives back the one element of millions, in a few kilobytes`(index: Int) throws {
    var numbers = [Float](repeating: -1.5, count: 3_000_000)
    let record = TensorRecord(Self.traced(numbers, shape: [3, 1_000_000]), isWhole: false)
    #expect(try JSONEncoder().encode(record).count < 9000)
    numbers[index] = 1e30
    #expect(
      record.difference(from: Self.traced(numbers, shape: [3, 1_000_000]))
        == .element(index, recorded: -1.5, found: 1e30))
  }

  @Test func `gives back the first of several where it keeps all`() {
    let old = Self.numbers(2000)
    var new = old
    for index in stride(from: 777, to: 2000, by: 3) { new[index] += 1 }
    #expect(
      Self.difference(old, new, isWhole: true)
        == .element(777, recorded: old[777], found: new[777]))
  }

  @Test func `names no element where several changed and it does not keep them`() {
    let old = [Float](repeating: 1, count: 3000)
    var new = old
    // Equal changes on both sides of an element look like one of it to two of the sums.
    (new[1500], new[1502]) = (Float(1).nextUp, Float(1).nextUp)
    #expect(Self.difference(old, new, isWhole: false) == .somewhere(1024..<2048))
    // Changes that cancel in the first sum.
    (new[1500], new[1502]) = (Float(1).nextUp, Float(1).nextDown)
    #expect(Self.difference(old, new, isWhole: false) == .somewhere(1024..<2048))
  }

  @Test func `with sums whose quotient is no number names no element`() throws {
    var old = [Float](repeating: 0, count: 1024)
    old[1000] = 1
    let record = TensorRecord(Self.traced(old), isWhole: false)
    var fields = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(record)) as? [String: Any])
    // Less the sums of zeros: -1 and the least 64-bit number.
    let sums: [UInt64] = [1, 1 << 63, 0]
    fields["sums"] = sums.withUnsafeBytes { Data($0).base64EncodedString() }
    let damaged = try JSONDecoder().decode(
      TensorRecord.self, from: JSONSerialization.data(withJSONObject: fields))
    let zeros = [Float](repeating: 0, count: 1024)
    #expect(damaged.difference(from: Self.traced(zeros)) == .somewhere(64..<1024))
  }

  @Test func `hashes a tensor once, however many ledgers keep and compare it`() throws {
    // A hash that is not the numbers' own is taken as it is: nothing computes another.
    let given = TracedTensor(name: "t", shape: [2], scalars: [1, 2], sha256: "once")
    let record = TensorRecord(given, isWhole: true)
    #expect(record.sha256 == "once" && record.difference(from: given) == nil)
    var trace = Trace()
    trace.tensors = [given]
    var (first, second) = (Ledger(place: [:]), Ledger(place: [:]))
    let entries = [
      first.add(trace, number: 1, command: "a"), second.add(trace, number: 1, command: "a"),
    ]
    #expect(entries.allSatisfy { $0?.tensors.first?.sha256 == "once" })
    #expect(try #require(entries[0]).parting(from: trace, entries[1]) == nil)
    first.add(trace, number: 2, command: "b")
    #expect(first.entry(number: 2) == nil)
  }

  @Test func `finds nothing in equal tensors, and other shapes`() {
    let old = Self.numbers(100)
    #expect(Self.difference(old, old, isWhole: false) == nil)
    #expect(
      Self.difference(old, Self.numbers(99), isWhole: false)
        == .shape(recorded: [100], found: [99]))
    #expect(
      Self.difference([0], [-0.0], isWhole: true) == .element(0, recorded: 0, found: -0.0))
  }

  @Test func `counts the numbers between two values`() {
    #expect(ElementDifference.distance(1, Float(1).nextUp) == 1)
    #expect(ElementDifference.distance(1, Float(1).nextUp.nextUp.nextUp) == 3)
    #expect(ElementDifference.distance(-Float.leastNonzeroMagnitude, .leastNonzeroMagnitude) == 2)
    #expect(ElementDifference.distance(1, 2) == 1 << 23)
    #expect(ElementDifference.distance(.greatestFiniteMagnitude, .infinity) == 1)
    #expect(ElementDifference.distance(.nan, 1) == nil)
    #expect(ElementDifference.place(23, in: [2, 3, 4]) == [1, 2, 3])
  }
}
