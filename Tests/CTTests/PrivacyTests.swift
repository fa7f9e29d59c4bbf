import CT
import Foundation
import Tensors
import Testing

/// No name, number or date of a patient stands in an output, wherever it stands in the file.
struct PrivacyTests {
  private static let person = "Zwetsch^Quirin Ännchen"
  private static let number = "XQ-774421"

  private func altered(
    _ change: (Int, inout DICOMBytes) -> Void
  ) throws -> (TemporaryFolder, CTSeries) {
    let folder = try TemporaryFolder()
    let paths = try CTWriter.write(
      sampleStack(), to: folder.path + "/source", description: .sample())
    for (n, path) in paths.enumerated() {
      var file = try DICOMBytes(path)
      file.set(0x0010_0010, Self.person)
      file.set(0x0010_0020, Self.number)
      file.set(0x0010_0030, "19560708")
      file.set(0x0008_0020, "20190304")
      change(n, &file)
      try file.write(path)
    }
    return (folder, try CTInventory.scan(folder.path + "/source").series[0])
  }

  @Test(arguments: [
    "Zwetsch^Quirin Ännchen", "CT of ZWETSCH", "quirin, thorax", "for xq774421", "XQ 774421/2",
    "Thorax 2019-03-04", "born 08.07.1956", "annchen",
  ])
  func `a text that holds a secret is hidden in series, tags and derived files`(
    _ text: String
  ) throws {
    let (folder, series) = try altered { _, file in
      file.set(0x0008_103E, text)
      file.insert(
        0x0018_1210, "SH", Array((text + " ").utf8.prefix(text.utf8.count / 2 * 2)),
        before: 0x0018_5100)
      file.set(0x0028_1055, "LUNG\\\(text)")
    }
    #expect(series.seriesDescription == "(hidden)")
    let tags = try CTAttribute.list(series.slices[0].path)
    #expect(tags.first { $0.keyword == "SeriesDescription" }?.value == "(hidden)")
    #expect(tags.first { $0.keyword == "WindowCenterWidthExplanation" }?.value == "(hidden)")
    #expect(series.slices[0].windows.map(\.name) == ["LUNG", ""])
    let loaded = try series.load()
    let files = try DerivedWriter.write(
      loaded.stack, mask: nil, sources: series.slices.map { SliceSource(.file($0)) }, number: 1,
      to: folder.path + "/derived",
      derivation: Derivation(
        name: "clean", description: "Sample", explanation: "a test", keepsIdentity: false))
    for file in files {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(bytes.range(of: Data(text.utf8)) == nil)
    }
  }

  @Test
  func `honest texts stay`() throws {
    let (_, series) = try altered { _, file in
      file.set(0x0008_103E, "Thorax 2.0 B30f 774 phantom")
    }
    #expect(series.seriesDescription == "Thorax 2.0 B30f 774 phantom")
  }

  @Test
  func `identifiers with a date become others, always the same ones`() throws {
    let dated = "1.2.3.20190304101500"
    let (folder, series) = try altered { n, file in
      file.set(0x0020_000E, dated + ".1")
      file.set(0x0020_0052, dated + ".9")
      file.set(0x0008_0018, dated + ".2.\(n)")
    }
    #expect(series.uid == dated + ".1")
    #expect(series.shownUID.hasPrefix("2.25."))
    let tags = try CTAttribute.list(series.slices[0].path)
    #expect(tags.first { $0.keyword == "SeriesInstanceUID" }?.value == "(hidden)")
    let loaded = try series.load()
    func derived(_ keepsIdentity: Bool) throws -> [Data] {
      try DerivedWriter.write(
        loaded.stack, mask: nil, sources: series.slices.map { SliceSource(.file($0)) }, number: 1,
        to: folder.path + "/derived",
        derivation: Derivation(
          name: "clean", description: "Sample", explanation: "a test",
          keepsIdentity: keepsIdentity)
      ).map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    }
    for bytes in try derived(true) { #expect(bytes.range(of: Data(dated.utf8)) != nil) }
    for bytes in try derived(false) { #expect(bytes.range(of: Data("20190304".utf8)) == nil) }
    let again = try CTInventory.scan(folder.path + "/derived").series[0]
    let frames = try again.slices.map { slice in
      try #require(try CTAttribute.frameOfReference(slice.path))
    }
    #expect(Set(frames).count == 1)
  }
}

extension CTAttribute {
  /// The bytes that follow the tag of Frame of Reference UID, which `list` hides.
  fileprivate static func frameOfReference(_ path: String) throws -> [UInt8]? {
    let file = try DICOMBytes(path)
    return file.find(0x0020_0052).map { Array(file.bytes[$0 + 8..<$0 + 40]) }
  }
}
