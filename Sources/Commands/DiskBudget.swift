import CommandLanguage
import Synchronization

/// How much a session may write, and how much it has written.
///
/// The limit belongs to a copy, so that `undo` takes it back; what was written is one count for all
/// copies. What is overwritten counts again, so that no loop of writes escapes.
package struct DiskBudget: Sendable {
  /// The bytes that were written.
  private final class Count: Sendable {
    let bytes = Mutex(0)
  }

  private let count: Count
  private let first: Int
  private var most: Int
  /// Whether the limit may only become smaller.
  private let isFirm: Bool

  /// What a script may write.
  private static let scriptLimit = 10 << 30

  /// The budget of a script, whose lines may lower it, or of a person, who may set any.
  init(isScript: Bool) {
    (count, isFirm) = (Count(), isScript)
    first = isScript ? Self.scriptLimit : .max
    most = first
  }

  private init(_ count: Count, most: Int) {
    (self.count, first, self.most, isFirm) = (count, most, most, true)
  }

  /// The budget of lines that a file brings into this session.
  var ofScript: DiskBudget {
    let written = count.bytes.withLock { $0 }
    let (limit, overflows) = written.addingReportingOverflow(Self.scriptLimit)
    return DiskBudget(count, most: overflows ? most : min(most, limit))
  }

  /// In bytes; nil for none.
  var limit: Int? { most == .max ? nil : most }

  /// The limit that a line set; nil when none did.
  var ownLimit: Int? { most == first ? nil : most }

  /// Takes another limit, nil for none; false if a script would raise it.
  mutating func setLimit(_ bytes: Int?) -> Bool {
    let bytes = bytes ?? .max
    guard !isFirm || bytes <= most else { return false }
    most = bytes
    return true
  }

  /// What a series of DICOM slices takes, about: 16 bits a pixel, and attributes.
  static func dicomBytes(slices: Int, height: Int, width: Int) -> Int {
    slices * (2 * height * width + 4096)
  }

  /// Counts bytes that are about to be written.
  ///
  /// - Throws: `CommandError` when they would be too many; nothing is counted then.
  func spend(_ bytes: Int, on path: String) throws(CommandError) {
    let total = count.bytes.withLock { written in
      let total = written.addingReportingOverflow(max(0, bytes))
      let sum = total.overflow ? Int.max : total.partialValue
      if sum <= most { written = sum }
      return sum
    }
    guard total > most else { return }
    throw CommandError(
      .limit,
      "with \(path) the session would have written \((total - 1) >> 20 + 1) MiB, the limit is "
        + sizeInWords(most),
      hint: isFirm ? "run it in parts" : "set limit.disk=none, or a larger one")
  }
}

/// A number of bytes in the largest unit that tells it exactly, else in whole MiB below it: `512 MiB`.
func sizeInWords(_ bytes: Int) -> String {
  for (name, shift) in [("MiB", 20), ("KiB", 10)]
  where bytes > 0 && bytes.isMultiple(of: 1 << shift) {
    return "\(bytes >> shift) \(name)"
  }
  return bytes < 1 << 20 ? "\(bytes) B" : "\(bytes >> 20) MiB"
}
