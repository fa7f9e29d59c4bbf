import CommandLanguage
import Synchronization

/// How much a session may write, and how much it has written; all copies of its `Files` share one.
///
/// What is overwritten counts again, so that no loop of writes escapes.
package final class DiskBudget: Sendable {
  private struct State {
    var limit: Int
    var written = 0
  }

  private let state: Mutex<State>
  /// Whether the limit may only become smaller.
  private let isFirm: Bool

  /// What a script may write.
  private static let scriptLimit = 10 << 30

  /// The budget of a script, whose lines may lower it, or of a person, who may set any.
  init(isScript: Bool) {
    isFirm = isScript
    state = Mutex(State(limit: isScript ? Self.scriptLimit : .max))
  }

  /// In bytes; nil for none.
  var limit: Int? { state.withLock { $0.limit == .max ? nil : $0.limit } }

  /// Takes another limit; false if a script would raise it.
  func setLimit(_ bytes: Int) -> Bool {
    state.withLock { state in
      guard !isFirm || bytes <= state.limit else { return false }
      state.limit = bytes
      return true
    }
  }

  /// What a series of DICOM slices takes, about: 16 bits a pixel, and attributes.
  static func dicomBytes(slices: Int, height: Int, width: Int) -> Int {
    slices * (2 * height * width + 4096)
  }

  /// Counts bytes that are about to be written.
  ///
  /// - Throws: `CommandError` when they would be too many; nothing is counted then.
  func spend(_ bytes: Int, on path: String) throws(CommandError) {
    let (total, limit): (Int, Int) = state.withLock { state in
      let total = state.written.addingReportingOverflow(max(0, bytes))
      let sum = total.overflow ? Int.max : total.partialValue
      if sum <= state.limit { state.written = sum }
      return (sum, state.limit)
    }
    guard total > limit else { return }
    throw CommandError(
      .limit,
      "with \(path) the session would have written \((total - 1) >> 20 + 1) MiB, the limit is "
        + "\(limit >> 20) MiB",
      hint: isFirm ? "run it in parts" : "set limit.disk=")
  }
}
