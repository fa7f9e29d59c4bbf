import CKernels
import Foundation
import Synchronization

/// A pool of worker threads that look for new work for a moment before they sleep.
///
/// A step of training has hundreds of short parallel parts with little between them; waking a thread takes
/// longer than many of these. One caller at a time has the crew.
final class Crew: @unchecked Sendable {
  static let shared = Crew()

  /// The work on offer, in one word.
  ///
  /// | bits  | meaning                               |
  /// |-------|---------------------------------------|
  /// | 63–32 | the number of the work                |
  /// | 31    | whether threads may still join it     |
  /// | 30–16 | how many more may                     |
  /// | 15–0  | how many are at it, beside the caller |
  private struct Offer {
    let word: UInt64

    init(_ word: UInt64) { self.word = word }
    init(number: UInt64, seats: Int) {
      word = number << 32 | Self.open | UInt64(seats) << 16
    }

    static let open: UInt64 = 1 << 31
    static let mostSeats = 0x7FFF
    var number: UInt64 { word >> 32 }
    var isOpen: Bool { word & Self.open != 0 }
    var seats: Int { Int(word >> 16) & Self.mostSeats }
    var active: Int { Int(word & 0xFFFF) }
    /// The offer with one more thread at work.
    var joined: Offer { Offer(word - (1 << 16) + 1) }
  }

  private let offer = Atomic<UInt64>(0)
  private let isTaken = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private let alarm = NSCondition()
  // Both belong to the caller that has the crew; others read the work while they are counted as active.
  private var members = 0
  private var work: ((_ worker: Int) -> Void)?

  /// Calls `work(worker)` on this thread, and on others that come while it lasts.
  ///
  /// - Parameters:
  ///   - workers: The largest number of threads; no more than there are cores.
  ///   - work: Ends once all is done; `worker` is 0 on this thread, and less than `workers` on each.
  /// - Returns: False, without a call, while another caller has the crew.
  func run(workers: Int, _ work: @escaping (_ worker: Int) -> Void) -> Bool {
    guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else { return false }
    let seats = min(workers - 1, Offer.mostSeats)
    while members < seats {
      members += 1
      Thread { [self] in serve() }.start()
    }
    self.work = work
    let number = (Offer(offer.load(ordering: .relaxed)).number + 1) & 0xFFFF_FFFF
    offer.store(Offer(number: number, seats: seats).word, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      alarm.lock()
      alarm.broadcast()
      alarm.unlock()
    }
    work(0)
    offer.bitwiseAnd(~Offer.open, ordering: .acquiringAndReleasing)
    look(until: { Offer(offer.load(ordering: .acquiring)).active == 0 }, then: { usleep(200) })
    self.work = nil
    isTaken.store(false, ordering: .releasing)
    return true
  }

  // MARK: - The other threads

  private func serve() {
    blockSignals()
    var seen: UInt64 = 0
    while true {
      var now = Offer(offer.load(ordering: .acquiring))
      guard now.number != seen else {
        wait(beyond: seen)
        continue
      }
      seen = now.number
      while now.number == seen, now.isOpen, now.seats > 0 {
        let (isJoined, found) = offer.compareExchange(
          expected: now.word, desired: now.joined.word, ordering: .acquiringAndReleasing)
        if isJoined {
          take(now.seats)
          offer.subtract(1, ordering: .acquiringAndReleasing)
          break
        }
        now = Offer(found)
      }
    }
  }

  /// Leaves signals to the main thread, apart from those that a fault of this one raises.
  private func blockSignals() {
    var signals = sigset_t()
    sigfillset(&signals)
    for own in [SIGILL, SIGTRAP, SIGFPE, SIGBUS, SIGSEGV, SIGSYS, SIGPIPE, SIGABRT] {
      sigdelset(&signals, own)
    }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Does a worker's part; a function of its own, so that no reference to the work outlives it.
  @inline(never)
  private func take(_ worker: Int) { work?(worker) }

  private func wait(beyond number: UInt64) {
    func isOver() -> Bool {
      Offer(offer.load(ordering: .sequentiallyConsistent)).number != number
    }
    look(until: isOver) {
      alarm.lock()
      sleepers.add(1, ordering: .sequentiallyConsistent)
      while !isOver() { alarm.wait() }
      sleepers.subtract(1, ordering: .sequentiallyConsistent)
      alarm.unlock()
    }
  }

  // MARK: - Waiting

  /// How long a thread looks for what it waits for before it gives up the core.
  private static let patience = Duration.microseconds(100)
  /// How often it looks before other threads may take its core for a while.
  private static let looksAtOnce = 16

  /// Returns once `isOver` does; calls `rest` again and again when it did not soon.
  private func look(until isOver: () -> Bool, then rest: () -> Void) {
    let end = ContinuousClock.now + Self.patience
    repeat {
      for _ in 0..<Self.looksAtOnce {
        if isOver() { return }
        ck_pause()
      }
      sched_yield()
    } while ContinuousClock.now < end
    while !isOver() { rest() }
  }
}
