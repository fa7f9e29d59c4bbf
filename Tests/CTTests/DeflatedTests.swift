import CT
import Foundation
import TestSupport
import Testing

/// Deflated files, which may take a thousand times as much in memory as on disk.
struct DeflatedTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file(side: Int, zeros: Int? = nil) throws -> String {
    let path = folder.path + "/slice.dcm"
    try Data(deflatedSlice(side: side, zeros: zeros)).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func `one that fits is read`() throws {
    let loaded = try values(of: try file(side: 300))
    #expect(loaded.values.count == 90_000 && loaded.values.allSatisfy { $0 == 0 })
  }

  @Test func `one that announces more than the limit is refused before the bytes are read`() throws
  {
    let path = try file(side: 32_767, zeros: 1000)
    let error = #expect(throws: CTError.self) {
      try CTInventory.scan(path, limits: ReadingLimits(memory: 64 << 20))
    }
    #expect(error?.code == "too-large" && error?.hint == "raise limit.memory", "\(error as Any)")
  }

  @Test func `one that is cut off is named as that`() throws {
    let path = try file(side: 1000, zeros: 1_000_000)
    let error = #expect(throws: CTError.self) { try CTInventory.scan(path) }
    #expect(error?.code == "truncated", "\(error as Any)")
  }
}
