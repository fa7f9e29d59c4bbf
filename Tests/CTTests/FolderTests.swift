import CT
import Foundation
import Synchronization
import Tensors
import Testing

/// Folders as people have them: any names, links, files of others; and Ctrl-C.
struct FolderTests {
  /// Renames a file to a name of any bytes.
  private func rename(_ path: String, to bytes: [UInt8], in folder: String) {
    let target = (Array((folder + "/").utf8) + bytes + [0]).map { CChar(bitPattern: $0) }
    #expect(Foundation.rename(path, target) == 0)
  }

  @Test
  func `names that are not UTF-8 load and are shown with escapes`() throws {
    let folder = try TemporaryFolder()
    let stack = sampleStack()
    let paths = try CTWriter.write(stack, to: folder.path, description: .sample())
    // Latin-1; a byte in the middle of UTF-8; and a character of the kind that stands for bytes.
    let names: [[UInt8]] = [
      Array("t".utf8) + [0xE8] + Array("s.dcm".utf8), [0xC3, 0xA9, 0xC3], [0xFF, 0xFE],
      Array("\u{10FFE8}".utf8),
    ]
    for (path, name) in zip(paths, names) { rename(path, to: name, in: folder.path) }
    // Nothing that can be loaded, with a name of its own.
    try Data("no image".utf8).write(to: URL(fileURLWithPath: folder.path + "/plain"))
    rename(folder.path + "/plain", to: [0xE4, 0x2E, 0x74], in: folder.path)
    let inventory = try CTInventory.scan(folder.path)
    #expect(inventory.fileCount == 5)
    #expect(inventory.series.map(\.slices.count) == [4])
    #expect(inventory.series[0].slices[0].name == "t\\xe8s.dcm")
    #expect(inventory.series[0].slices[1].name == "é\\xc3")
    #expect(try inventory.series[0].load().stack.scalars == stack.scalars)
    #expect(inventory.notes.contains { $0.contains("(\\xe4.t)") })
  }

  @Test
  func `what cannot be looked at is counted`() throws {
    let folder = try TemporaryFolder()
    _ = try CTWriter.write(sampleStack(), to: folder.path, description: .sample())
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/gone", withDestinationPath: folder.path + "/nowhere")
    #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
    let notes = try CTInventory.scan(folder.path).notes
    #expect(notes.contains("1 file left out: a link to nothing (gone)"))
    #expect(notes.contains("1 file left out: a device, a pipe or a socket, not a file (pipe)"))
  }

  @Test
  func `a scan stops in the middle of the walk, of a file and of the headers`() throws {
    let folder = try TemporaryFolder()
    _ = try CTWriter.write(sampleStack(slices: 12), to: folder.path, description: .sample())
    let all = Mutex(0)
    _ = try CTInventory.scan(
      folder.path,
      limits: ReadingLimits {
        all.withLock { $0 += 1 }
        return false
      })
    let count = all.withLock { $0 }
    // Asked for each name, each header, and each element of a header.
    #expect(count > 12 * 40)
    for stop in [0, 5, 20, 200, count - 1] {
      let asked = Mutex(0)
      let error = #expect(throws: CTError.self) {
        try CTInventory.scan(
          folder.path,
          limits: ReadingLimits {
            asked.withLock { asked in
              asked += 1
              return asked > stop
            }
          })
      }
      #expect(error?.code == "interrupted")
      // Each thread finds out once more, at most.
      #expect(asked.withLock { $0 } < stop + 40)
    }
  }

  @Test
  func `loading stops between images and inside a file of many`() throws {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1, rows: 60, columns: 5), to: folder.path, description: .sample())[0]
    var file = try DICOMBytes(path)
    file.set(0x0028_0010, 6)
    file.insert(0x0028_0008, "IS", Array("10".utf8), before: 0x0028_0010)
    try file.write(path)
    let series = try CTInventory.scan(path).series[0]
    #expect(series.slices.count == 10)
    let whole = try series.load()
    #expect(whole.stack.scalars == sampleStack(slices: 1, rows: 60, columns: 5).scalars)
    let asked = Mutex(0)
    let error = #expect(throws: CTError.self) {
      try series.load(
        limits: ReadingLimits {
          asked.withLock { asked in
            asked += 1
            return asked > 70
          }
        })
    }
    #expect(error?.code == "interrupted")
  }

  @Test(.enabled(if: Tool.areThere("dcmconv"), "DCMTK's tools are not installed"))
  func `a deflated file takes no more memory than allowed`() throws {
    let folder = try TemporaryFolder()
    let shape: Shape = [1, 1, 1000, 1000]
    let path = try CTWriter.write(
      Tensor(shape: shape, repeating: 0), to: folder.path, description: .sample())[0]
    let deflated = folder.path + "/deflated"
    try #require(try Tool.run("dcmconv", ["+td", path, deflated]).status == 0)
    #expect(try values(of: deflated).values == Array(repeating: 0, count: 1_000_000))
    let error = #expect(throws: CTError.self) {
      try CTInventory.scan(deflated, limits: ReadingLimits(memory: 1 << 20))
    }
    #expect(error?.code == "too-large")
    #expect(error?.hint == "raise limit.memory")
  }
}
