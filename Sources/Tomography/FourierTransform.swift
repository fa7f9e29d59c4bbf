import CFFTW
import Foundation

/// The discrete Fourier transform of real rows of one length, in Double, through FFTW.
///
/// Plans are estimated, never measured: the same machine takes the same one each time, so results have
/// the same bits. A transform may be used by several threads at once, each with a ``Room`` of its own.
final class FourierTransform: @unchecked Sendable {
  let length: Int
  /// The number of complex values of a spectrum: the frequencies 0…length/2.
  let frequencies: Int
  private let forth: fftw_plan, back: fftw_plan

  /// FFTW makes plans on one thread at a time.
  private static let planning = NSLock()

  /// Returns what `body` gives while no other thread makes or destroys a plan.
  static func whilePlanning<Result>(_ body: () -> Result) -> Result {
    planning.lock()
    defer { planning.unlock() }
    return body()
  }

  /// Memory for one row and its spectrum, aligned as FFTW wants it.
  final class Room {
    let row: UnsafeMutablePointer<Double>
    let spectrum: UnsafeMutablePointer<fftw_complex>

    fileprivate init(length: Int) {
      guard let row = fftw_alloc_real(length), let spectrum = fftw_alloc_complex(length / 2 + 1)
      else { preconditionFailure("There is memory for a row of \(length) numbers.") }
      (self.row, self.spectrum) = (row, spectrum)
    }

    deinit {
      fftw_free(row)
      fftw_free(spectrum)
    }
  }

  init(length: Int) {
    self.length = length
    frequencies = length / 2 + 1
    let room = Room(length: length)
    let plans = Self.whilePlanning {
      (
        fftw_plan_dft_r2c_1d(Int32(length), room.row, room.spectrum, cfftw_estimate),
        fftw_plan_dft_c2r_1d(Int32(length), room.spectrum, room.row, cfftw_estimate)
      )
    }
    guard let forth = plans.0, let back = plans.1 else {
      preconditionFailure("FFTW has a plan for every length.")
    }
    (self.forth, self.back) = (forth, back)
  }

  deinit {
    Self.whilePlanning {
      fftw_destroy_plan(forth)
      fftw_destroy_plan(back)
    }
  }

  func room() -> Room { Room(length: length) }

  /// Computes the spectrum of the room's row.
  func transform(_ room: Room) { fftw_execute_dft_r2c(forth, room.row, room.spectrum) }

  /// Computes `length` times the row of the room's spectrum, which is lost.
  func transformBack(_ room: Room) { fftw_execute_dft_c2r(back, room.spectrum, room.row) }

  /// Returns the least length of at least `count` that has no prime factors but 2, 3 and 5, and is even.
  static func quickLength(atLeast count: Int) -> Int {
    var length = max(2, count + count % 2)
    while true {
      var rest = length
      for prime in [2, 3, 5] { while rest % prime == 0 { rest /= prime } }
      if rest == 1 { return length }
      length += 2
    }
  }
}
