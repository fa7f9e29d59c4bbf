import CT
import Foundation
import Tensors
import Testing

/// Damaged files end in values or in an error, never in a crash.
struct MutationTests {
  /// Small files of many kinds: written ones, and the reference files where they are present.
  private func seeds(in folder: TemporaryFolder) throws -> [[UInt8]] {
    let written = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path + "/seed", description: .sample())
    let headerless = try HeaderlessTests.seeds(of: written[0])
    let small = Truth.files.keys.sorted().map { Truth.folder + "/" + $0 }
    return try ((written + small + Faults.files).map { try DICOMBytes($0).bytes } + headerless)
      .filter { (200..<40_000).contains($0.count) }
  }

  /// How many files are damaged: 2,000, or as many as the environment's `MUTATIONS` says.
  private let count =
    ProcessInfo.processInfo.environment["MUTATIONS"].flatMap { Int($0) } ?? 2000

  @Test
  func `damaged files load or are refused, soon`() throws {
    let folder = try TemporaryFolder()
    let seeds = try seeds(in: folder)
    let path = folder.path + "/mutant"
    var refused = 0
    // Of this thread, so that a busy or a halted machine does not matter.
    var slowest: UInt64 = 0
    for n in 0..<count {
      let stream = RandomStream(seed: 1, name: "mutation/\(n)")
      var bytes = seeds[stream.integer(at: 0, below: seeds.count)]
      mutate(&bytes, stream)
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let start = nanoseconds(of: CLOCK_THREAD_CPUTIME_ID)
      do throws(CTError) {
        for series in try CTInventory.scan(path).series {
          _ = try series.load(limits: ReadingLimits(memory: 64 << 20))
        }
      } catch {
        refused += 1
        #expect(!error.message.contains("\n"))
      }
      _ = try? CTAttribute.list(path)
      slowest = max(slowest, nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) - start)
    }
    #expect(refused > count / 10)
    #expect(slowest < 10_000_000_000)
  }

  /// Flips bytes, cuts the end, overwrites lengths, repeats or removes a part.
  private func mutate(_ bytes: inout [UInt8], _ stream: RandomStream) {
    let changes = 1 + stream.integer(at: 1, below: 6)
    for i in 0..<changes {
      let draw = 10 + i * 10
      // Mostly in the header, where a change does most harm.
      let reach = stream.integer(at: draw, below: 4) == 0 ? bytes.count : min(bytes.count, 2000)
      let place = stream.integer(at: draw + 1, below: max(1, reach - 8))
      guard place + 8 < bytes.count else { continue }
      switch stream.integer(at: draw + 2, below: 6) {
      case 0: bytes[place] = UInt8(stream.integer(at: draw + 3, below: 256))
      case 1: bytes[place] ^= 1 << UInt8(stream.integer(at: draw + 3, below: 8))
      case 2: bytes.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0xFF, 0xFF])
      case 3: bytes.removeLast(stream.integer(at: draw + 3, below: bytes.count - place))
      case 4: bytes.removeSubrange(place..<place + 1 + stream.integer(at: draw + 3, below: 8))
      default: bytes.insert(contentsOf: bytes[place..<place + 8], at: place)
      }
    }
  }
}

/// The nanoseconds of a clock.
private func nanoseconds(of clock: clockid_t) -> UInt64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
