import COpenBLAS

#if canImport(Glibc)
  import Foundation
  import Glibc
#endif

/// The memory that OpenBLAS maps for its threads.
///
/// It repeats requests that fail, so that too small a limit (`ulimit -v`, `ulimit -d`) would hang
/// the program: its own threads from the start on, ours in some product.
package enum BLASMemory {
  /// A memory limit that is too small, in bytes.
  package struct Shortage: Hashable, Sendable {
    /// The shell command that sets the limit: `ulimit -v`.
    package let command: String
    package let limit: Int, needed: Int
    /// The number of threads that OpenBLAS started, and of those that call it.
    package let ownThreads: Int, callers: Int
  }

  #if canImport(Glibc)
    /// A limit of this process and the memory that counts against it, in bytes.
    private struct Limit {
      let command: String
      let bytes: Int, used: Int
    }

    /// The memory that OpenBLAS maps for each multiplying thread, BUFFER_SIZE in its sources.
    private static let buffer = 128 << 20
    /// The memory that the C library reserves for each allocating thread, with its stack.
    private static let arena = 72 << 20
    /// Memory for the first arrays.
    private static let reserve = 128 << 20

    /// The first limit of this process that is too small for products on `threads` threads; nil if
    /// there is none.
    package static func shortage(threads: Int) -> Shortage? {
      for limit in limits {
        let buffers = max(0, ownThreads + threads - mappedBuffers)
        let needed = limit.used + buffers * buffer + (threads + 2) * arena + reserve
        guard needed > limit.bytes else { continue }
        return Shortage(
          command: limit.command, limit: limit.bytes, needed: needed, ownThreads: ownThreads,
          callers: threads)
      }
      return nil
    }

    /// Makes OpenBLAS map its buffers now, where memory is limited.
    ///
    /// It keeps them; later, other arrays may have taken the memory.
    package static func takeBuffers(threads: Int) {
      guard !limits.isEmpty else { return }
      // The product takes so long that all threads compute one at the same time.
      let side = 768
      let factor = [Double](repeating: 0, count: side * side)
      for _ in 0..<20 where mappedBuffers < ownThreads + threads {
        parallel(chunks: threads) { _, _ in
          var product = factor
          factor.withUnsafeBufferPointer { a in
            product.withUnsafeMutableBufferPointer { c in
              guard let a = a.baseAddress, let c = c.baseAddress else { return }
              MatrixProduct<Double>(
                rows: side, columns: side, inner: side, a: a, aStride: side, b: a, bStride: side,
                c: c, cStride: side
              ).compute()
            }
          }
        }
      }
    }

    /// The number of bytes that may still be taken under the limits of this process; nil without
    /// one.
    package static var bytesLeft: Int? { limits.map { max(0, $0.bytes - $0.used) }.min() }

    private static var ownThreads: Int { max(0, Int(openblas_get_num_threads()) - 1) }

    /// The memory limits of this process, with the fields of /proc/self/statm (see proc(5)) that
    /// count against them.
    private static var limits: [Limit] {
      let kinds = [(RLIMIT_AS, "ulimit -v", 0), (RLIMIT_DATA, "ulimit -d", 5)]
      return kinds.compactMap { resource, command, field in
        var found = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &found) == 0,
          let bytes = Int(exactly: found.rlim_cur)
        else { return nil }
        let fields = text("/proc/self/statm").split(separator: " ")
        guard fields.indices.contains(field), let pages = Int(fields[field]) else { return nil }
        return Limit(command: command, bytes: bytes, used: pages * Int(getpagesize()))
      }
    }

    /// The number of buffers mapped so far; neighbors may be one mapping.
    private static var mappedBuffers: Int {
      text("/proc/self/maps").split(separator: "\n").reduce(0) { count, line in
        let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
        // A mapping without a file has inode 0.
        guard ends.count == 2, line.contains(" rw-p "), line.contains(" 00:00 0"),
          !line.hasSuffix("[heap]")
        else {
          return count
        }
        return count + (ends[1] - ends[0]) / buffer
      }
    }

    private static func text(_ path: String) -> String {
      String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
  #else
    package static func shortage(threads: Int) -> Shortage? { nil }
    package static func takeBuffers(threads: Int) {}
    package static var bytesLeft: Int? { nil }
  #endif
}
