import CT
import Foundation
import TestSupport
import Testing

/// Values that a table or real numbers tell: `Tests/Fixtures/values`, by pydicom.
struct FixtureValueTests {
  private static let fixture = Fixture("values")

  @Test(arguments: ["lut-unsigned", "lut-signed", "float", "double"])
  func `values are those of pydicom`(_ name: String) throws {
    let expected = try Self.fixture.tensor(name)
    let path = Self.fixture.folder.appending(path: name + ".dcm").path
    let loaded = try CTInventory.scan(path).series[0].load()
    #expect(loaded.stack.scalars == expected.floats().scalars)
    #expect(loaded.unit == .hounsfield)
    #expect(loaded.mask == nil)
    if name.hasPrefix("lut") { #expect(loaded.fileRange == 65535) }
  }

  @Test
  func `a table with missing entries is refused`() throws {
    let folder = try TemporaryFolder()
    var file = try DICOMBytes(Self.fixture.folder.appending(path: "lut-unsigned.dcm").path)
    let place = try #require(file.find(0x0028_3002))
    file.bytes[place + 9] = 1  // 456 entries instead of 200
    try file.write(folder.path + "/short")
    let error = #expect(throws: CTError.self) { try CTInventory.scan(folder.path + "/short") }
    #expect(error?.code == "bad-table")
    #expect(error?.message.contains("200 entries, not 456") == true)
  }
}
