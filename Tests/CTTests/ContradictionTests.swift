import CT
import Foundation
import Tensors
import Testing

/// Pixel data that disagree with the header are named, never loaded as a made-up picture.
struct ContradictionTests {
  private let phantom = ThoraxPhantom(size: 48, slices: 1, patients: 1)

  /// A file of one phantom slice, altered.
  private func slice(
    in folder: TemporaryFolder, _ change: (inout DICOMBytes) throws -> Void = { _ in }
  ) throws -> String {
    let path = try CTWriter.write(
      phantom.stack(patient: 0), to: folder.path + "/plain", description: .sample())[0]
    var file = try DICOMBytes(path)
    try change(&file)
    try file.write(path)
    return path
  }

  private func error(_ path: String) -> CTError? {
    #expect(throws: CTError.self) { try values(of: path) }
  }

  // MARK: - Native

  @Test
  func `native data that are longer than the header says load with both lengths`() throws {
    let folder = try TemporaryFolder()
    let path = try slice(in: folder) { $0.set(0x0028_0010, 24) }
    let loaded = try values(of: path)
    #expect(loaded.values == Array(phantom.stack(patient: 0).scalars.prefix(24 * 48)))
    let remark = try #require(loaded.loaded.warnings.first)
    #expect(remark.contains("hold 4608 bytes") && remark.contains("take 2304"))
    #expect(remark.contains("patient1-series1-0001.dcm"))
  }

  // MARK: - JPEG

  private static let jpeg: [(tool: String, option: String)] = [
    ("dcmcjpeg", "+e1"), ("dcmcjpeg", "+el"), ("dcmcjpeg", "+ee"), ("dcmcjpeg", "+eb"),
    ("dcmcjpls", "+el"),
  ]

  private func compressed(
    _ encoder: (tool: String, option: String), in folder: TemporaryFolder
  ) throws -> DICOMBytes {
    let output = folder.path + "/compressed"
    let run = try Tool.run(encoder.tool, [encoder.option, try slice(in: folder), output])
    try #require(run.status == 0, "\(run.complaints)")
    return try DICOMBytes(output)
  }

  @Test(
    .enabled(if: Tool.areThere("dcmcjpeg", "dcmcjpls"), "DCMTK's tools are not installed"),
    arguments: jpeg.indices)
  func `a JPEG image of another size or depth is refused before memory is taken`(
    _ index: Int
  ) throws {
    let folder = try TemporaryFolder()
    let file = try compressed(Self.jpeg[index], in: folder)
    let path = folder.path + "/changed"
    for (rows, columns) in [(47, 48), (48, 47), (96, 48), (60000, 60000)] as [(UInt16, UInt16)] {
      var changed = file
      changed.set(0x0028_0010, rows)
      changed.set(0x0028_0011, columns)
      try changed.write(path)
      let error = error(path)
      #expect(error?.code == "bad-header")
      #expect(error?.message.contains("is 48×48×1, the header says \(columns)×\(rows)×1") == true)
    }
    var changed = file
    let isNarrow = Self.jpeg[index].option == "+eb"
    changed.set(0x0028_0100, isNarrow ? 16 : 8)
    changed.set(0x0028_0101, isNarrow ? 12 : 8)
    changed.set(0x0028_0102, isNarrow ? 11 : 7)
    try changed.write(path)
    #expect(error(path)?.message.contains("bits a sample") == true)
  }

  @Test(
    .enabled(if: Tool.areThere("dcmcjpeg", "dcmcjpls"), "DCMTK's tools are not installed"),
    arguments: jpeg.indices, [0.2, 0.5, 0.8])
  func `a JPEG image that is cut off before an end marker is refused`(
    _ index: Int, _ part: Double
  ) throws {
    let folder = try TemporaryFolder()
    var file = try compressed(Self.jpeg[index], in: folder)
    let isShorter = file.shortenFragment(to: part, end: [0xFF, 0xD9])
    try #require(isShorter)
    try file.write(folder.path + "/cut")
    #expect(error(folder.path + "/cut")?.code == "undecodable")
  }

  @Test(.enabled(if: Tool.areThere("dcmcjpeg", "dcmcrle"), "DCMTK's tools are not installed"))
  func `an empty last fragment is harmless`() throws {
    let folder = try TemporaryFolder()
    for encoder in [("dcmcrle", []), ("dcmcjpeg", ["+e1"])] as [(String, [String])] {
      let path = folder.path + "/compressed"
      let run = try Tool.run(encoder.0, encoder.1 + [try slice(in: folder), path])
      try #require(run.status == 0, "\(run.complaints)")
      var file = try DICOMBytes(path)
      // Before the delimiter, which is the end of the file.
      let end = file.bytes.count - 8
      #expect(Array(file.bytes[end..<end + 4]) == [0xFE, 0xFF, 0xDD, 0xE0])
      file.bytes.insert(contentsOf: [0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0], at: end)
      try file.write(path)
      #expect(try values(of: path).values == phantom.stack(patient: 0).scalars)
    }
  }

  @Test(.enabled(if: Tool.areThere("dcmcrle"), "DCMTK's tools are not installed"))
  func `run-length encoded data too short for the header's size take no memory`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/compressed"
    try #require(try Tool.run("dcmcrle", [try slice(in: folder), path]).status == 0)
    var file = try DICOMBytes(path)
    file.set(0x0028_0010, 60000)
    file.set(0x0028_0011, 60000)
    try file.write(path)
    let error = #expect(throws: CTError.self) { try CTInventory.scan(path) }
    #expect(error?.code == "truncated")
  }

  // MARK: - JPEG 2000

  /// The slice in a code stream of `bits`, signed or not, of which the header says what it says.
  private func j2k(
    bits: Int, isSigned: Bool, add: Int = 0, in folder: TemporaryFolder,
    _ change: (inout DICOMBytes) -> Void
  ) throws -> String {
    let plain = try slice(in: folder)
    var file = try DICOMBytes(plain)
    let samples = phantom.stack(patient: 0).scalars.map { Int($0) + add }
    let raw = samples.flatMap { [UInt8($0 >> 8 & 0xFF), UInt8($0 & 0xFF)] }
    try Data(raw).write(to: URL(fileURLWithPath: folder.path + "/slice.raw"))
    let run = try Tool.run(
      "opj_compress",
      [
        "-i", folder.path + "/slice.raw", "-o", folder.path + "/slice.j2k", "-F",
        "48,48,1,\(bits),\(isSigned ? "s" : "u")",
      ])
    try #require(run.status == 0, "\(run.complaints)")
    file.bytes.removeSubrange(try #require(file.find(0x7FE0_0010))...)
    file.appendFragment(
      Array(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/slice.j2k"))))
    file.setSyntax("1.2.840.10008.1.2.4.90")
    change(&file)
    try file.write(folder.path + "/j2k")
    return folder.path + "/j2k"
  }

  private static let canCompress = Tool.areThere("opj_compress")

  @Test(.enabled(if: canCompress, "OpenJPEG's tools are not installed"))
  func `JPEG 2000 samples of more bits than the header says are not wrapped`() throws {
    let folder = try TemporaryFolder()
    // 12 bits, says the header; the brightest samples need 13.
    let path = try j2k(bits: 16, isSigned: false, add: 4096, in: folder) { _ in }
    let loaded = try values(of: path)
    #expect(loaded.values == phantom.stack(patient: 0).scalars.map { $0 + 4096 - 1024 })
    #expect(loaded.loaded.warnings.contains { $0.contains("16 bits, the header says 12") })
  }

  @Test(.enabled(if: canCompress, "OpenJPEG's tools are not installed"), arguments: [false, true])
  func `the sign of a JPEG 2000 image is kept whatever the header says`(_ isSigned: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try j2k(bits: 16, isSigned: isSigned, in: folder) { file in
      file.set(0x0028_0101, 16)
      file.set(0x0028_0102, 15)
      file.set(0x0028_0103, isSigned ? 0 : 1)
      file.set(0x0028_1052, "0")
    }
    let loaded = try values(of: path)
    #expect(loaded.values == phantom.stack(patient: 0).scalars)
    #expect(loaded.loaded.warnings.contains { $0.contains("signed, the header says") })
  }

  @Test(.enabled(if: canCompress, "OpenJPEG's tools are not installed"))
  func `a JPEG 2000 image of another size, or cut off, is refused`() throws {
    let folder = try TemporaryFolder()
    let path = try j2k(bits: 12, isSigned: false, add: 1024, in: folder) { file in
      file.set(0x0028_0010, 60000)
      file.set(0x0028_0011, 60000)
    }
    #expect(error(path)?.code == "bad-header")
    for part in [0.3, 0.6, 0.9] {
      let path = try j2k(bits: 12, isSigned: false, add: 1024, in: folder) { file in
        _ = file.shortenFragment(to: part, end: [0xFF, 0xD9])
      }
      #expect(error(path)?.code == "undecodable")
    }
  }
}
