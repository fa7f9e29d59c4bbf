import CT
import Foundation
import Tensors
import Testing

/// Files without a proper header, or with a wrong one, as exporters write them.
struct HeaderlessTests {
  enum Form: String, CaseIterable {
    case metaWithoutPreamble, implicitMetaWithoutPreamble
    case explicitAlone, implicitAlone, bigEndianAlone
    case markWithoutMeta, metaWithoutSyntax, metaLengthZero, metaLengthTooLong
    case zerosAfterTheEnd, manyZerosAfterTheEnd, someZerosAfterTheEnd, otherPreamble
  }

  private static func bytes(_ form: Form, of file: DICOMBytes) -> [UInt8] {
    var changed = file
    let mark = Array(file.bytes[..<132])
    switch form {
    case .metaWithoutPreamble: return Array(file.bytes[132...])
    case .implicitMetaWithoutPreamble:
      // As it says of itself: the data set is implicit, too.
      changed.setSyntax("1.2.840.10008.1.2")
      return changed.meta(isExplicit: false) + changed.dataSet(isExplicit: false)
    case .explicitAlone: return file.dataSet(isExplicit: true)
    case .implicitAlone: return file.dataSet(isExplicit: false)
    case .bigEndianAlone: return file.dataSet(isExplicit: true, isBigEndian: true)
    case .markWithoutMeta: return mark + file.dataSet(isExplicit: true)
    case .metaWithoutSyntax:
      changed.set(0x0002_0010, nil)
      return changed.bytes
    case .metaLengthZero, .metaLengthTooLong:
      changed.bytes.replaceSubrange(
        140..<144, with: form == .metaLengthZero ? [0, 0, 0, 0] : [0x88, 0x13, 0, 0])
      return changed.bytes
    case .zerosAfterTheEnd: return file.bytes + Array(repeating: 0, count: 300)
    case .manyZerosAfterTheEnd: return file.bytes + Array(repeating: 0, count: 100_003)
    case .someZerosAfterTheEnd: return file.bytes + [0, 0, 0, 0, 0, 0]
    case .otherPreamble:
      changed.bytes.replaceSubrange(0..<4, with: [0x49, 0x49, 0x2A, 0])
      return changed.bytes
    }
  }

  @Test(arguments: Form.allCases)
  func `a file loads without a header that says how it is encoded`(_ form: Form) throws {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path, description: .sample())[0]
    try DICOMBytes(bytes: Self.bytes(form, of: try DICOMBytes(path))).write(path)
    let loaded = try values(of: path)
    #expect(loaded.values == sampleStack(slices: 1).scalars)
    #expect(loaded.loaded.warnings.isEmpty)
  }

  /// Headerless forms for other tests to damage.
  static func seeds(of path: String) throws -> [[UInt8]] {
    let file = try DICOMBytes(path)
    return Form.allCases.map { bytes($0, of: file) }
  }

  @Test
  func `what is no DICOM is refused with what was looked for`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.dcm"
    let written = try DICOMBytes(
      try CTWriter.write(sampleStack(slices: 1), to: folder.path, description: .sample())[0])
    var noMark = written
    noMark.bytes.removeSubrange(128..<132)
    for bytes in [
      Array("A text of more than one hundred and thirty-two letters. ".utf8) * 4, noMark.bytes,
      Array(repeating: 0, count: 500), [8, 0], [8, 0, 5, 0, 255, 255, 255, 255, 0, 0, 0, 0],
    ] {
      try DICOMBytes(bytes: bytes).write(path)
      let error = #expect(throws: CTError.self) { try values(of: path) }
      #expect(error?.code == "not-dicom")
      #expect(error?.message.contains("no DICM mark after 128 bytes") == true)
    }
  }

  @Test
  func `native data that end early are refused, also where zeros follow`() throws {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path, description: .sample())[0]
    var file = try DICOMBytes(path)
    file.bytes.removeLast(20)
    for zeros in 0...19 {
      try DICOMBytes(bytes: file.bytes + Array(repeating: 0, count: zeros)).write(path)
      #expect(#expect(throws: CTError.self) { try values(of: path) }?.code == "truncated")
    }
  }

  @Test
  func `compressed data of an encoding that nothing names are not taken for samples`() throws {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path, description: .sample())[0]
    var file = try DICOMBytes(path)
    file.bytes.removeSubrange(try #require(file.find(0x7FE0_0010))...)
    file.appendFragment(Array(repeating: 7, count: 200))
    file.set(0x0002_0010, nil)
    try file.write(path)
    #expect(#expect(throws: CTError.self) { try values(of: path) } != nil)
  }

  @Test
  func `standard attributes that are written as UN count, also the pixel data`() throws {
    let folder = try TemporaryFolder()
    let stack = sampleStack()
    let paths = try CTWriter.write(stack, to: folder.path, description: .sample())
    let whole = try CTInventory.scan(folder.path).series[0]
    for path in paths {
      var file = try DICOMBytes(path)
      file.makeUnknown([
        0x0008_0008, 0x0008_0016, 0x0008_0018, 0x0008_0060, 0x0010_0010, 0x0010_0020, 0x0010_0021,
        0x0012_0062, 0x0020_000D, 0x0020_000E, 0x0020_0011, 0x0020_0032, 0x0020_0037, 0x0028_0010,
        0x0028_0011, 0x0028_0030, 0x0028_0100, 0x0028_0103, 0x0028_1050, 0x0028_1051, 0x0028_1052,
        0x0028_1053, 0x7FE0_0010,
      ])
      try file.write(path)
    }
    let series = try CTInventory.scan(folder.path).series
    #expect(series.count == 1)
    let loaded = try series[0].load()
    #expect(loaded.stack.scalars == stack.scalars)
    #expect(loaded.patientKey == whole.patientKey)
    #expect(loaded.series.slices.map(\.plane) == whole.slices.map(\.plane))
    #expect(loaded.warnings.isEmpty)
    #expect(loaded.windows == whole.slices[0].windows)
  }
}

private func * (bytes: [UInt8], count: Int) -> [UInt8] {
  (0..<count).flatMap { _ in bytes }
}
