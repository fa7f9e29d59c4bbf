import CT
import Foundation
import Tensors
import Testing

struct CTInventoryTests {
  /// A folder with one series, of which `change` alters each file.
  private func altered(
    slices: Int = 4, _ change: (Int, inout DICOMBytes) -> Void
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let paths = try CTWriter.write(
      sampleStack(slices: slices), to: folder.path, description: .sample())
    for (n, path) in paths.enumerated() {
      var file = try DICOMBytes(path)
      change(n, &file)
      try file.write(path)
    }
    return folder
  }

  @Test
  func `names say nothing about order or kind`() throws {
    let folder = try TemporaryFolder()
    let stack = sampleStack(slices: 5)
    let paths = try CTWriter.write(stack, to: folder.path, description: .sample())
    for (n, path) in paths.enumerated() {
      try FileManager.default.moveItem(atPath: path, toPath: "\(folder.path)/z\(9 - n) ohne.txt")
    }
    try Data("no image".utf8).write(to: URL(fileURLWithPath: folder.path + "/slice.dcm"))
    try Data().write(to: URL(fileURLWithPath: folder.path + "/.DS_Store"))
    let inventory = try CTInventory.scan(folder.path)
    #expect(try inventory.series[0].load().stack.scalars == stack.scalars)
    #expect(inventory.fileCount == 7)
    #expect(
      inventory.notes == [
        "1 file left out: not a DICOM file (the file is empty) (.DS_Store)",
        "1 file left out: not a DICOM file (no DICM mark after 128 bytes, no DICOM attribute at its"
          + " beginning) (slice.dcm)",
      ])
  }

  @Test
  func `a copy of an image counts once`() throws {
    let folder = try altered { _, _ in }
    let first = folder.path + "/patient1-series1-0001.dcm"
    try FileManager.default.copyItem(atPath: first, toPath: folder.path + "/a copy")
    let inventory = try CTInventory.scan(folder.path)
    #expect(inventory.series[0].slices.count == 4)
    #expect(inventory.notes.count { $0.contains("repetition") } == 1)
  }

  @Test
  func `links that lead in a circle end`() throws {
    let folder = try altered { _, _ in }
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/again", withDestinationPath: folder.path)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/gone", withDestinationPath: folder.path + "/nowhere")
    #expect(try CTInventory.scan(folder.path).series[0].slices.count == 4)
  }

  @Test
  func `one bad file does not sink a folder`() throws {
    let folder = try altered { n, file in
      if n == 2 { file.bytes.removeLast(20) }
    }
    let inventory = try CTInventory.scan(folder.path)
    #expect(inventory.series[0].slices.count == 3)
    #expect(inventory.series[0].warnings.contains { $0.contains("gap of 5 mm") })
    #expect(inventory.notes.contains { $0.contains("ends before") })
  }

  @Test
  func `a gap, uneven steps and repeats are reported`() throws {
    let heights = ["0", "2.5", "2.5", "5", "12.5", "14.5"]
    let folder = try altered(slices: 6) { n, file in
      file.set(0x0020_0032, "0\\0\\\(heights[n])")
    }
    let warnings = try CTInventory.scan(folder.path).series[0].warnings
    #expect(warnings.contains("1 slice repeats a position"))
    #expect(warnings.contains("gap of 7.5 mm between slices 3 and 4; others are 2.5 mm"))
    #expect(warnings.contains("uneven spacing: 2 to 7.5 mm"))
  }

  @Test
  func `a tilted gantry is reported`() throws {
    let folder = try altered { n, file in
      file.set(0x0020_0032, "0\\\(n)\\\(Double(n) * 2.5)")
    }
    #expect(try CTInventory.scan(folder.path).series[0].warnings.contains { $0.contains("21.8°") })
  }

  @Test
  func `slices run along the normal whatever the instance numbers say`() throws {
    let folder = try altered { n, file in
      file.set(0x0020_0013, "\(10 - n)")
      file.set(0x0020_0032, "0\\0\\\(-3 * n)")
    }
    let series = try CTInventory.scan(folder.path).series[0]
    #expect(series.slices.compactMap(\.instanceNumber) == [7, 8, 9, 10])
    #expect(series.sliceSpacing == 3)
  }

  @Test
  func `without positions the instance numbers order, with a warning`() throws {
    let folder = try altered { n, file in
      file.set(0x0020_0013, "\(10 - n)")
      file.set(0x0020_0032, nil)
    }
    let series = try CTInventory.scan(folder.path).series[0]
    #expect(series.slices.compactMap(\.instanceNumber) == [7, 8, 9, 10])
    #expect(series.warnings.contains { $0.contains("Instance Number") })
  }

  @Test
  func `orientations of one series are kept apart`() throws {
    let folder = try altered { n, file in
      if n == 3 { file.set(0x0020_0037, "1\\0\\0\\0\\0\\-1") }
    }
    let series = try CTInventory.scan(folder.path).series
    #expect(series.map(\.slices.count) == [3, 1])
    #expect(series[0].warnings.contains { $0.contains("several orientations") })
  }

  @Test
  func `localizers and other modalities are left out of folders but load by name`() throws {
    let folder = try altered { n, file in
      if n == 0 { file.set(0x0008_0008, "ORIGINAL\\PRIMARY\\LOCALIZER") }
      if n == 1 { file.set(0x0008_0060, "MR") }
    }
    let inventory = try CTInventory.scan(folder.path)
    #expect(inventory.series[0].slices.count == 2)
    #expect(inventory.notes.contains { $0.contains("a localizer") })
    #expect(inventory.notes.contains { $0.contains("no CT slice but MR") })
    let localizer = try CTInventory.scan(folder.path + "/patient1-series1-0001.dcm").series[0]
    #expect(localizer.warnings == ["a localizer: an overview, no slice"])
    let other = try CTInventory.scan(folder.path + "/patient1-series1-0002.dcm").series[0]
    #expect(other.warnings == ["no CT but MR"])
  }

  @Test
  func `a folder without CT is an error that says what is there`() throws {
    let folder = try TemporaryFolder()
    try Data("text".utf8).write(to: URL(fileURLWithPath: folder.path + "/notes.txt"))
    let error = #expect(throws: CTError.self) { try CTInventory.scan(folder.path) }
    #expect(error?.code == "nothing-found")
    #expect(error?.message.contains("not a DICOM file") == true)
    #expect(throws: CTError.self) { try CTInventory.scan(folder.path + "/nowhere") }
  }

  @Test
  func `a part of a series keeps its order`() throws {
    let folder = try altered { _, _ in }
    let series = try CTInventory.scan(folder.path).series[0]
    let part = try series.slices(1...2)
    #expect(try part.load().stack.scalars == Array(sampleStack().scalars[30..<90]))
    #expect(throws: CTError.self) { try series.slices(2...4) }
  }

  @Test
  func `loading stops when it is told to, and respects the memory limit`() throws {
    let folder = try altered { _, _ in }
    let series = try CTInventory.scan(folder.path).series[0]
    let stopped = #expect(throws: CTError.self) { try series.load { _, _ in false } }
    #expect(stopped?.code == "interrupted")
    let large = #expect(throws: CTError.self) {
      try series.load(limits: ReadingLimits(memory: 100))
    }
    #expect(large?.code == "too-large")
  }

  @Test func `a folder of one other kind of image gives those, beside CT they are left out`() throws
  {
    let folder = try TemporaryFolder()
    let files = try CTWriter.write(
      sampleStack(), to: folder.path + "/other", description: .sample())
    for file in files {
      var bytes = try DICOMBytes(file)
      bytes.set(0x0008_0060, "MR")
      try bytes.write(file)
    }
    let other = try CTInventory.scan(folder.path)
    #expect(other.series.map(\.slices.count) == [4])
    #expect(other.notes.contains { $0.contains("other images are taken") })

    _ = try CTWriter.write(
      sampleStack(slices: 2), to: folder.path + "/ct", description: .sample(patient: 2))
    let mixed = try CTInventory.scan(folder.path)
    #expect(mixed.series.map(\.slices.count) == [2])
    #expect(mixed.notes.contains { $0.contains("4 files left out: no CT slice but MR") })
  }
}
