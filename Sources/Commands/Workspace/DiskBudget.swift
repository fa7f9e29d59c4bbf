import CommandLanguage
import Synchronization

/// The number of bytes that a session may write, and the number that it has written.
///
/// The limit belongs to a copy, so that `undo` takes it back; the written bytes are one count for
/// all copies. Overwritten bytes count again, so that no loop of writes escapes.
package struct DiskBudget: Sendable {
  /// The number of bytes written, shared by all copies.
  private final class Count: Sendable {
    let bytes = Mutex(0)
  }

  private let count: Count
  private let first: Int
  private var most: Int
  /// Whether the limit can only be lowered.
  private let isFirm: Bool

  /// The limit for a script, in bytes.
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

  /// The budget for lines that a file brings into this session, never above the present limit.
  var ofScript: DiskBudget {
    let written = count.bytes.withLock { $0 }
    let (limit, overflows) = written.addingReportingOverflow(Self.scriptLimit)
    return DiskBudget(count, most: overflows ? most : min(most, limit))
  }

  /// The limit in bytes; nil if there is none.
  var limit: Int? { most == .max ? nil : most }

  /// The limit in bytes that a line set; nil if no line did.
  var ownLimit: Int? { most == first ? nil : most }

  /// Sets another limit in bytes, nil for none; returns false if a script would raise it.
  mutating func setLimit(_ bytes: Int?) -> Bool {
    let bytes = bytes ?? .max
    guard !isFirm || bytes <= most else { return false }
    most = bytes
    return true
  }

  /// Takes the limit of another moment of the same session.
  mutating func takeLimit(of other: DiskBudget) { most = other.most }

  /// The approximate bytes of a series of DICOM slices: 16 bits a pixel, and attributes.
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
