import COpenBLAS

#if canImport(Glibc)
  import Foundation
  import Glibc
#endif

/// The memory that OpenBLAS maps for its threads.
///
/// It asks again and again for what it does not get, so that a limit (`ulimit -v`, `ulimit -d`) that
/// is too small would hang the program: its own threads from the start on, ours in the first product.
package enum BLASMemory {
  /// A limit that is too small, in bytes.
  package struct Shortage: Hashable, Sendable {
    /// How the limit is set: `ulimit -v`.
    package let command: String
    package let limit: Int, needed: Int
    /// The threads that OpenBLAS started, and those that call it.
    package let ownThreads: Int, callers: Int
  }

  /// The first limit of this process that is too small for products on `threads` threads; nil if
  /// there is none.
  package static func shortage(threads: Int) -> Shortage? {
    #if canImport(Glibc)
      // Both count pages of memory; see proc(5), /proc/pid/statm.
      for (resource, command, field) in [
        (RLIMIT_AS, "ulimit -v", 0), (RLIMIT_DATA, "ulimit -d", 5),
      ] {
        var found = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &found) == 0,
          let limit = Int(exactly: found.rlim_cur), let used = usedBytes(field: field)
        else { continue }
        let own = max(0, Int(openblas_get_num_threads()) - 1)
        let buffers = max(0, own - mappedBuffers()) + threads
        let needed = used + buffers * buffer + (threads + 2) * arena + reserve
        if needed > limit {
          return Shortage(
            command: command, limit: limit, needed: needed, ownThreads: own, callers: threads)
        }
      }
    #endif
    return nil
  }

  #if canImport(Glibc)
    /// What OpenBLAS maps for each thread that multiplies, BUFFER_SIZE in its sources.
    private static let buffer = 128 << 20
    /// What the C library reserves for each thread that allocates, and its stack.
    private static let arena = 72 << 20
    /// For the first arrays.
    private static let reserve = 128 << 20

    private static func usedBytes(field: Int) -> Int? {
      let fields = text("/proc/self/statm").split(separator: " ")
      guard fields.indices.contains(field), let pages = Int(fields[field]) else { return nil }
      return pages * Int(getpagesize())
    }

    /// How many of its threads have their buffer by now.
    private static func mappedBuffers() -> Int {
      text("/proc/self/maps").split(separator: "\n").count { line in
        let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
        // Neighboring buffers may be one mapping; only what belongs to no file has inode 0.
        return ends.count == 2 && ends[1] - ends[0] >= buffer && line.contains(" 00:00 0")
      }
    }

    private static func text(_ path: String) -> String {
      String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
  #endif
}
