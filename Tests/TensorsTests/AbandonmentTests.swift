import Synchronization
import Tensors
import Testing

/// Work that is left before its end.
struct AbandonmentTests {
  private final class Count: Sendable {
    let value = Atomic<Int>(0)

    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
  }

  private struct Problem: Error {}

  @Test(arguments: [1, 3])
  func `chunks are left out from the moment on that work is abandoned`(threads: Int) {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    Parallelism.threads = threads
    let (asked, done) = (Count(), Count())
    let result = abandonable(when: { asked.next() > 10 }) { () -> Int in
      parallel(chunks: 10_000) { _, _ in _ = done.next() }
      parallel(chunks: 10_000) { _, _ in _ = done.next() }
      return 7
    }
    #expect(result == nil)
    #expect(done.value.load(ordering: .relaxed) <= 10)
  }

  @Test(arguments: [1, 3])
  func `results come in order, also those that abandoned work left out`(threads: Int) {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    Parallelism.threads = threads
    #expect(parallelMap(100) { "\($0)" } == (0..<100).map { "\($0)" })
    #expect(parallelMap(0) { $0 } == [])
    var made: [Int?] = []
    let result: Void? = abandonable(when: { true }) {
      made = parallelMap(50) { $0 == 7 ? nil : $0 }
    }
    #expect(result == nil)
    #expect(made == (0..<50).map { $0 == 7 ? nil : $0 })
  }

  @Test func `work that is not abandoned gives its result or its error`() throws {
    let done = Count()
    let result = abandonable(when: { false }) { () -> Int in
      parallel(chunks: 100) { _, _ in _ = done.next() }
      return 7
    }
    #expect(result == 7 && done.value.load(ordering: .relaxed) == 100)
    #expect(throws: Problem.self) {
      try abandonable(when: { false }) { () throws(Problem) in throw Problem() }
    }
    let error: Void? = try abandonable(when: { true }) { () throws(Problem) in throw Problem() }
    #expect(error == nil, "an error of numbers that mean nothing is none")
  }
}
