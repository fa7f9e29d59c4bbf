import CT
import Foundation
import Tensors
import Testing

/// Every encoding, made from a phantom with the tools of DCMTK and OpenJPEG.
@Suite(
  .enabled(
    if: Tool.areThere("dcmconv", "dcmcrle", "dcmcjpeg", "dcmcjpls", "dcmdjpeg", "dcmdjpls"),
    "DCMTK's tools are not installed"))
struct EncodingTests {
  struct Encoding: CustomTestStringConvertible, Sendable {
    let uid: String, tool: String
    let options: [String]
    /// The tool that undoes a lossy encoding.
    var decoder: String?
    var testDescription: String { "\(tool) \(options.joined(separator: " "))" }
  }

  private static let lossless = [
    Encoding(uid: "1.2.840.10008.1.2", tool: "dcmconv", options: ["+ti"]),
    Encoding(uid: "1.2.840.10008.1.2.1", tool: "dcmconv", options: ["+te"]),
    Encoding(uid: "1.2.840.10008.1.2.2", tool: "dcmconv", options: ["+tb"]),
    Encoding(uid: "1.2.840.10008.1.2.1.99", tool: "dcmconv", options: ["+td"]),
    Encoding(uid: "1.2.840.10008.1.2.4.57", tool: "dcmcjpeg", options: ["+el"]),
    Encoding(uid: "1.2.840.10008.1.2.4.70", tool: "dcmcjpeg", options: ["+e1"]),
    Encoding(uid: "1.2.840.10008.1.2.4.80", tool: "dcmcjpls", options: ["+el"]),
    Encoding(uid: "1.2.840.10008.1.2.5", tool: "dcmcrle", options: []),
  ]

  private static let lossy = [
    Encoding(
      uid: "1.2.840.10008.1.2.4.50", tool: "dcmcjpeg", options: ["+eb"], decoder: "dcmdjpeg"),
    Encoding(
      uid: "1.2.840.10008.1.2.4.51", tool: "dcmcjpeg", options: ["+ee"], decoder: "dcmdjpeg"),
    Encoding(
      uid: "1.2.840.10008.1.2.4.53", tool: "dcmcjpeg", options: ["+es"], decoder: "dcmdjpeg"),
    Encoding(
      uid: "1.2.840.10008.1.2.4.55", tool: "dcmcjpeg", options: ["+ep"], decoder: "dcmdjpeg"),
    Encoding(
      uid: "1.2.840.10008.1.2.4.81", tool: "dcmcjpls", options: ["+en", "+md", "3"],
      decoder: "dcmdjpls"),
  ]

  private let phantom = ThoraxPhantom(size: 48, slices: 1, patients: 1)

  /// A file of one phantom slice; signed when asked for, with values on both sides of 0.
  private func slice(in folder: TemporaryFolder, isSigned: Bool = false) throws -> String {
    let path = try CTWriter.write(
      phantom.stack(patient: 0), to: folder.path + "/plain", description: .sample())[0]
    guard isSigned else { return path }
    var file = try DICOMBytes(path)
    file.set(0x0028_0101, 16)
    file.set(0x0028_0102, 15)
    file.set(0x0028_0103, 1)
    file.set(0x0028_1052, "0")
    let pixels = try #require(file.find(0x7FE0_0010)) + 12
    for i in 0..<48 * 48 {
      let stored = Int(file.bytes[pixels + 2 * i]) | Int(file.bytes[pixels + 2 * i + 1]) << 8
      let signed = UInt16(bitPattern: Int16(stored - 1024))
      file.bytes[pixels + 2 * i] = UInt8(signed & 0xFF)
      file.bytes[pixels + 2 * i + 1] = UInt8(signed >> 8)
    }
    try file.write(path)
    return path
  }

  private func encoded(
    _ path: String, _ encoding: Encoding, in folder: TemporaryFolder
  ) throws -> String {
    let output = folder.path + "/encoded"
    let run = try Tool.run(encoding.tool, encoding.options + [path, output])
    try #require(run.status == 0, "\(run.complaints)")
    let syntax = try CTAttribute.list(output).first { $0.keyword == "TransferSyntaxUID" }?.value
    #expect(syntax == encoding.uid)
    return output
  }

  @Test(arguments: lossless, [false, true])
  func `an encoding without loss gives the very values`(
    _ encoding: Encoding, _ isSigned: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let path = try encoded(
      try slice(in: folder, isSigned: isSigned), encoding, in: folder)
    let loaded = try values(of: path)
    #expect(loaded.values == phantom.stack(patient: 0).scalars)
    #expect(loaded.loaded.warnings.isEmpty)
  }

  @Test(arguments: lossy)
  func `an encoding with loss is read as DCMTK reads it and marked`(_ encoding: Encoding) throws {
    let folder = try TemporaryFolder()
    let path = try encoded(try slice(in: folder), encoding, in: folder)
    let decoder = try #require(encoding.decoder)
    let plain = folder.path + "/decoded"
    #expect(try Tool.run(decoder, [path, plain]).status == 0)
    let loaded = try values(of: path)
    #expect(loaded.values == (try values(of: plain).values))
    #expect(loaded.loaded.warnings.contains("compressed with loss: bad ground truth for denoising"))
  }

  @Test(arguments: lossless.suffix(4) + lossy)
  func `compressed data that end early are refused`(_ encoding: Encoding) throws {
    let folder = try TemporaryFolder()
    let path = try encoded(try slice(in: folder), encoding, in: folder)
    for part in [0.05, 0.5, 0.9] {
      var file = try DICOMBytes(path)
      let isShorter = file.shortenFragment(to: part)
      try #require(isShorter)
      try file.write(path + "-cut")
      let error = #expect(throws: CTError.self, "\(part)") { try values(of: path + "-cut") }
      #expect(["undecodable", "truncated"].contains(error?.code))
    }
  }

  @Test(
    .enabled(if: Tool.areThere("opj_compress"), "OpenJPEG's tools are not installed"),
    arguments: [false, true], [false, true])
  func `JPEG 2000 is read, with loss and without`(_ isLossy: Bool, _ isSigned: Bool) throws {
    let folder = try TemporaryFolder()
    var file = try DICOMBytes(try slice(in: folder, isSigned: isSigned))
    let pixels = try #require(file.find(0x7FE0_0010))
    let raw = folder.path + "/slice.raw"
    let samples = Array(file.bytes[(pixels + 12)...])
    // Raw images have the high byte first.
    let swapped = samples.indices.map { samples[$0 ^ 1] }
    try Data(swapped).write(to: URL(fileURLWithPath: raw))
    let format = "48,48,1,\(isSigned ? 16 : 12),\(isSigned ? "s" : "u")"
    let stream = folder.path + "/slice.j2k"
    let run = try Tool.run(
      "opj_compress", ["-i", raw, "-o", stream, "-F", format] + (isLossy ? ["-r", "4", "-I"] : []))
    try #require(run.status == 0, "\(run.complaints)")

    file.bytes.removeSubrange(pixels...)
    file.appendFragment(Array(try Data(contentsOf: URL(fileURLWithPath: stream))))
    file.setSyntax("1.2.840.10008.1.2.4.\(isLossy ? 91 : 90)")
    let path = folder.path + "/encoded"
    try file.write(path)
    let loaded = try values(of: path)
    let expected = phantom.stack(patient: 0).scalars
    if isLossy {
      let worst = zip(loaded.values, expected).map { abs($0 - $1) }.max() ?? 0
      #expect(worst > 0 && worst < 100)
      #expect(loaded.loaded.warnings.contains { $0.contains("with loss") })
    } else {
      #expect(loaded.values == expected)
    }
  }
}

extension DICOMBytes {
  /// Appends compressed pixel data of one fragment, without an offset table (PS3.5, A.4).
  mutating func appendFragment(_ fragment: [UInt8]) {
    let even = fragment + (fragment.count % 2 == 0 ? [] : [0])
    bytes += [0xE0, 0x7F, 0x10, 0x00] + Array("OB".utf8) + [0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
    bytes += [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0]
    bytes += (0..<4).map { UInt8(even.count >> (8 * $0) & 0xFF) } + even
    bytes += [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
  }
}
