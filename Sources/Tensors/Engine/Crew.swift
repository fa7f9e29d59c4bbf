import CKernels
import Foundation
import Synchronization

/// Threads that work beside the one that asks for them, and look for more work for a moment before they
/// sleep.
///
/// A step of training has hundreds of short parallel parts with little between them; waking a thread takes
/// longer than many of these. One thread at a time has the crew.
final class Crew: @unchecked Sendable {
  static let shared = Crew()

  /// The number of the current work, whether threads may still join it, how many may, and how many are
  /// at it.
  private struct State {
    var bits: UInt64

    init(bits: UInt64) { self.bits = bits }
    init(opening number: UInt64, seats: Int) {
      bits = number << 32 | Self.open | UInt64(seats) << 16
    }

    static let open: UInt64 = 1 << 31
    var number: UInt64 { bits >> 32 }
    var isOpen: Bool { bits & Self.open != 0 }
    var seats: Int { Int(bits >> 16 & 0x7FFF) }
    var active: Int { Int(bits & 0xFFFF) }
    /// The state with one more thread at work.
    var joined: State { State(bits: bits - (1 << 16) + 1) }
  }

  private let state = Atomic<UInt64>(0)
  private let isTaken = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private let alarm = NSCondition()
  // Both belong to the thread that has the crew; others read the work while they are counted as active.
  private var members = 0
  private var work: ((_ worker: Int) -> Void)?

  /// Calls `work(worker)` on this thread, and on others that come while it lasts.
  ///
  /// - Parameters:
  ///   - workers: The largest number of threads, at least 2.
  ///   - work: Ends once all is done; `worker` is 0 on this thread, and less than `workers` on each.
  /// - Returns: False, without a call, while another thread has the crew.
  func run(workers: Int, _ work: @escaping (_ worker: Int) -> Void) -> Bool {
    guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else { return false }
    let seats = min(workers - 1, 0x7FFF)
    while members < seats {
      members += 1
      Thread { [self] in serve() }.start()
    }
    self.work = work
    let number = (State(bits: state.load(ordering: .relaxed)).number + 1) & 0xFFFF_FFFF
    state.store(
      State(opening: number, seats: seats).bits, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      alarm.lock()
      alarm.broadcast()
      alarm.unlock()
    }
    work(0)
    state.bitwiseAnd(~State.open, ordering: .acquiringAndReleasing)
    var looks = 0
    while State(bits: state.load(ordering: .acquiring)).active > 0 {
      ck_pause()
      looks += 1
      if looks % Self.looksAtOnce == 0 { sched_yield() }
    }
    self.work = nil
    isTaken.store(false, ordering: .releasing)
    return true
  }

  /// The life of a thread of the crew.
  private func serve() {
    var seen: UInt64 = 0
    while true {
      var now = State(bits: state.load(ordering: .acquiring))
      guard now.number != seen else {
        wait(beyond: seen)
        continue
      }
      seen = now.number
      while now.number == seen, now.isOpen, now.seats > 0 {
        let (isJoined, found) = state.compareExchange(
          expected: now.bits, desired: now.joined.bits, ordering: .acquiringAndReleasing)
        if isJoined {
          take(now.seats)
          state.subtract(1, ordering: .acquiringAndReleasing)
          break
        }
        now = State(bits: found)
      }
    }
  }

  /// Does a worker's part; a function of its own, so that no reference to the work outlives it.
  @inline(never)
  private func take(_ worker: Int) { work?(worker) }

  /// How long a thread looks for more work before it sleeps, and how often in a row; between, other threads
  /// go first where there are more than cores.
  private static let (patience, looksAtOnce) = (Duration.microseconds(100), 16)

  private func wait(beyond seen: UInt64) {
    func isOver() -> Bool {
      State(bits: state.load(ordering: .sequentiallyConsistent)).number != seen
    }
    let end = ContinuousClock.now + Self.patience
    repeat {
      for _ in 0..<Self.looksAtOnce {
        if isOver() { return }
        ck_pause()
      }
      sched_yield()
    } while ContinuousClock.now < end
    alarm.lock()
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while !isOver() { alarm.wait() }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    alarm.unlock()
  }
}
