import CommandLanguage
import Synchronization

/// Warnings of a running command that are shown before it ends.
final class Foreword: Sendable {
  private let count = Atomic<Int>(0)

  /// Shows a warning now.
  func show(_ warning: String) {
    Console.print("warning: \(warning)")
    count.add(1, ordering: .relaxed)
  }

  /// The number of warnings shown since the last call, which must not be shown again.
  func takeCount() -> Int { count.exchange(0, ordering: .relaxed) }
}
