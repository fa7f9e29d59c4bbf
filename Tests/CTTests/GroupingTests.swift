import CT
import Foundation
import Tensors
import Testing

/// Which slices make one series, and in what order.
struct GroupingTests {
  /// A folder with one series, of which `change` alters each file.
  private func altered(
    slices: Int = 6, _ change: (Int, inout DICOMBytes) -> Void
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
  func `directions and spacings that differ by rounding belong together`() throws {
    // On both sides of a multiple of 1/500, and of 1 µm.
    let folder = try altered { n, file in
      let sine = n % 2 == 0 ? "0.0009999" : "0.0010001"
      file.set(0x0020_0037, "1\\\(sine)\\0\\-\(sine)\\1\\0")
      file.set(0x0028_0030, n % 2 == 0 ? "0.7004999\\0.7" : "0.7005001\\0.7")
    }
    let series = try CTInventory.scan(folder.path).series
    #expect(series.map(\.slices.count) == [6])
    #expect(series[0].slices.compactMap(\.instanceNumber) == [1, 2, 3, 4, 5, 6])
    #expect(series[0].warnings.isEmpty)
  }

  @Test
  func `what differs by more is kept apart, with what it is`() throws {
    for (tag, value, word) in [
      (0x0020_0037, "1\\0.02\\0\\-0.02\\1\\0", "orientations"),
      (0x0028_0030, "0.71\\0.71", "spacings"),
      (0x0010_0020, "SOMEBODY", "patients"),
    ] as [(UInt32, String, String)] {
      let folder = try altered { n, file in
        if n > 2 { file.set(tag, value) }
      }
      let series = try CTInventory.scan(folder.path).series
      #expect(series.map(\.slices.count) == [3, 3], "\(word)")
      #expect(series[0].warnings == ["the series holds images of several \(word)"])
    }
  }

  @Test(arguments: [0x0020_0012, 0x0020_0100] as [UInt32])
  func `two scans of the same positions are told apart, not shuffled`(_ tag: UInt32) throws {
    let folder = try altered { n, file in
      // As they come: one of each in turn, at places that differ by rounding.
      let (scan, place) = (n % 2, n / 2)
      let jitter = scan == 0 ? 0 : place == 1 ? -1e-6 : 1e-6
      if tag == 0x0020_0012 {
        file.set(tag, "\(scan + 1)")
      } else {
        file.insert(tag, "IS", Array("\(scan + 1) ".utf8), before: 0x0020_1040)
      }
      file.set(0x0020_0032, "0\\0\\\(Double(place) * 2.5 + jitter)")
    }
    let series = try CTInventory.scan(folder.path).series
    #expect(series.map { $0.slices.compactMap(\.instanceNumber) } == [[1, 3, 5], [2, 4, 6]])
    #expect(series[0].sliceSpacing.map { abs($0 - 2.5) < 1e-4 } == true)
    let remark = "the series holds images of several scans of the same positions"
    #expect(series.allSatisfy { $0.warnings == [remark] })
  }

  @Test
  func `scans that nothing tells apart stay together, in the order of their numbers`() throws {
    let folder = try altered { n, file in
      let place = Double(n / 2) * 2.5 + (n % 2 == 0 ? 1e-6 : 0)
      file.set(0x0020_0032, "0\\0\\\(place)")
    }
    let series = try CTInventory.scan(folder.path).series
    #expect(series.map { $0.slices.compactMap(\.instanceNumber) } == [[1, 2, 3, 4, 5, 6]])
    #expect(series[0].warnings == ["3 slices repeat a position"])
  }

  @Test
  func `a study of every file is one series of one patient where nobody is named`() throws {
    let folder = try altered { n, file in
      file.set(0x0010_0010, "")
      file.set(0x0010_0020, "")
      file.set(0x0020_000D, "1.2.3.\(n)")
    }
    let series = try CTInventory.scan(folder.path).series
    #expect(series.map(\.slices.count) == [6])
    #expect(series[0].warnings.isEmpty)
  }

  @Test
  func `a change from thin to thick slices takes one line, a gap stays a gap`() throws {
    func warnings(_ heights: [Double]) throws -> [String] {
      let folder = try altered(slices: heights.count) { n, file in
        file.set(0x0020_0032, "0\\0\\\(heights[n])")
      }
      return try CTInventory.scan(folder.path).series[0].warnings
    }
    #expect(
      try warnings([0, 2.5, 5, 7.5, 15.25, 22.75, 30.25])
        == ["the spacing of slices changes at slice 3 from 2.5 to 7.5 mm"])
    #expect(
      try warnings([0, 5, 10, 11, 12, 13, 18, 23])
        == ["the spacing of slices changes at slice 2 from 5 to 1 mm, at slice 5 from 1 to 5 mm"])
    #expect(
      try warnings([0, 2.5, 5, 10, 12.5, 15])
        == ["gap of 5 mm between slices 2 and 3; others are 2.5 mm"])
  }

  @Test
  func `slices without a rescale among others are named`() throws {
    let folder = try altered { n, file in
      if n == 2 {
        for tag in [0x0028_1052, 0x0028_1053, 0x0028_1054] as [UInt32] { file.set(tag, nil) }
      }
    }
    let error = #expect(throws: CTError.self) {
      try CTInventory.scan(folder.path).series[0].load()
    }
    #expect(error?.message.contains("patient1-series1-0003.dcm") == true)
  }
}
