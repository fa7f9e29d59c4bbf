import Foundation
import Synchronization

/// A folder for files that are not complete yet, on the disk where they will stand.
///
/// The program locks it; the system releases the lock however the program ends. A later write in
/// the same place finds folders without a lock and removes them.
final class StagingFolder {
  /// The beginning and the end of its name, which files of other programs do not have.
  private static let (prefix, ending) = (".backflow-", ".part")
  private static let number = Atomic<Int>(0)
  /// The folders where this run has removed what killed programs left.
  private static let swept = Mutex<Set<String>>([])

  private let path: String
  private let lock: Int32
  private var count = 0

  /// Makes a staging folder in `folder`; nil when that fails, with the reason in `errno`.
  init?(in folder: String) {
    Self.sweep(folder)
    let number = Self.number.add(1, ordering: .relaxed).newValue
    path = "\(folder)/\(Self.prefix)\(getpid())-\(number)\(Self.ending)"
    guard mkdir(path, 0o700) == 0 else { return nil }
    lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else {
      rmdir(path)
      return nil
    }
    _ = flock(lock, LOCK_EX | LOCK_NB)
  }

  deinit { close(lock) }

  /// The path of a new file in the folder.
  var nextName: String {
    count += 1
    return "\(path)/\(count)"
  }

  /// Removes the folder and what is still in it.
  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// Removes folders that killed programs left, once in a run of the program.
  private static func sweep(_ folder: String) {
    guard swept.withLock({ $0.insert(folder).inserted }) else { return }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where isLeft(name) {
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  /// Whether a name is that of a staging folder, or `NAME.ENDING.PID.part`, as version 0.1 wrote.
  private static func isLeft(_ name: String) -> Bool {
    guard name.hasSuffix(ending) else { return false }
    if name.hasPrefix(prefix) { return true }
    let parts = name.split(separator: ".").dropLast()
    guard let process = parts.last, let kind = parts.dropLast().last else { return false }
    return process.allSatisfy { $0.isASCII && $0.isNumber } && kinds.contains(String(kind))
  }

  /// The endings of files that Backflow writes.
  private static let kinds: Set<String> = [
    "checkpoint", "gif", "html", "ipynb", "json", "ledger", "md", "new", "npy", "png",
    "safetensors", "session", "svg", "zip",
  ]
}
