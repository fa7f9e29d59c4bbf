import CT
import Foundation
import Tensors
import Testing

/// Files that are DICOM but hold nothing that can be loaded: each is refused for its own reason.
struct RefusalTests {
  /// The error of loading one slice whose file `change` alters.
  private func error(_ change: (inout DICOMBytes) throws -> Void) throws -> CTError? {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path, description: .sample())[0]
    var file = try DICOMBytes(path)
    try change(&file)
    try file.write(path)
    let error = #expect(throws: CTError.self) { try CTInventory.scan(path).series[0].load() }
    #expect(error?.message.hasPrefix("patient1-series1-0001.dcm: ") == true)
    return error
  }

  @Test
  func `no image`() throws {
    let error = try error { $0.bytes.removeSubrange(try #require($0.find(0x7FE0_0010))...) }
    #expect(error?.code == "no-pixel-data")
  }

  @Test
  func `a mask of single bits`() throws {
    let error = try error { file in
      file.set(0x0028_0100, 1)
      file.set(0x0028_0101, 1)
      file.set(0x0028_0102, 0)
    }
    #expect(error?.code == "unsupported-bits")
    #expect(error?.hint.contains("mask") == true)
  }

  @Test(arguments: ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "PALETTE COLOR", "ARGB"])
  func `colour`(_ photometric: String) throws {
    let error = try error { $0.set(0x0028_0004, photometric) }
    #expect(error?.code == "not-grey")
    #expect(error?.message.contains(photometric) == true)
  }

  @Test(arguments: [
    ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2"), ("1.2.840.10008.1.2.4.100", "MPEG2"),
    ("1.2.840.10008.1.2.4.103", "MPEG-4"), ("1.2.840.10008.1.2.4.107", "HEVC"),
    ("1.2.840.10008.1.2.4.110", "JPEG XL"),
    ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000"),
    ("1.2.840.10008.1.2.8.1", "Deflated Image Frame"), ("1.2.3.4", "1.2.3.4"),
  ])
  func `an encoding that cannot be decoded, by name`(_ uid: String, _ name: String) throws {
    let error = try error { file in
      file.bytes.removeSubrange(try #require(file.find(0x7FE0_0010))...)
      file.appendFragment([1, 2, 3, 4])
      file.setSyntax(uid)
    }
    #expect(error?.code == "unsupported-transfer-syntax")
    #expect(error?.message.contains(name) == true)
  }

  @Test
  func `more frames than pixels, or than anybody has`() throws {
    for (count, code) in [("2", "truncated"), ("70000", "truncated"), ("0", "bad-header")] {
      let error = try error { file in
        file.insert(0x0028_0008, "IS", Array((count + " ").utf8.prefix(6)), before: 0x0028_0010)
        if count.utf8.count % 2 == 0, let place = file.find(0x0028_0008) {
          // The padding blank would make the length odd.
          file.bytes.remove(at: place + 8 + count.utf8.count)
          file.bytes[place + 6] -= 1
        }
      }
      #expect(error?.code == code, "\(count)")
    }
  }

  @Test(.enabled(if: Tool.areThere("dcmconv"), "DCMTK's tools are not installed"))
  func `samples of 32 bits with the high byte first`() throws {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path, description: .sample())[0]
    var file = try DICOMBytes(path)
    file.set(0x0028_0010, 3)
    file.set(0x0028_0100, 32)
    file.set(0x0028_0101, 32)
    file.set(0x0028_0102, 31)
    try file.write(path)
    #expect(try CTInventory.scan(path).series[0].load().stack.shape == [1, 1, 3, 5])
    #expect(try Tool.run("dcmconv", ["+tb", path, path + "-big"]).status == 0)
    let error = #expect(throws: CTError.self) { try CTInventory.scan(path + "-big") }
    #expect(error?.code == "unsupported-bits")
  }

  @Test
  func `a folder in place of a file`() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: CTError.self) { try CTAttribute.list(folder.path) }
    #expect(error?.message.contains("a folder, not a file") == true)
    #expect(error?.hint == "name a file in it")
  }
}
