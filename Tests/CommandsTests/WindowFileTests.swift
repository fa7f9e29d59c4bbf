import CommandLanguage
import Figures
import Fingerprints
import Foundation
import Tensors
import TestSupport
import Testing

/// `window file`: the file's own windows and lookup tables.
struct WindowFileTests {
  struct Cases: Decodable {
    let cases: [Case]
  }

  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    let file: String
    let pictures: [String]
    var testDescription: String { file }
  }

  private static let fixture = Fixture("windows")
  private static let cases = (try? fixture.json("cases.json", as: Cases.self).cases) ?? []

  /// The 8-bit samples of slice 0 of what is loaded, in the window chosen last.
  private func samples(_ session: TestSession, options: String = "") throws -> [UInt16] {
    try session.run("save image clean[0] shown.png replace=yes \(options)")
    return try PNG(path: session.folder.appending(path: "shown.png").path).picture.samples
  }

  @Test(arguments: cases)
  func `pictures are those of pydicom, pixel by pixel`(_ test: Case) throws {
    let session = TestSession(sessionFolder: Self.fixture.folder)
    try session.run("load \(test.file)")
    for (index, name) in test.pictures.enumerated() {
      let expected = try Self.fixture.tensor(String(name.dropLast(4))).scalars.map { UInt16($0) }
      try session.run("window file \(index + 1)")
      #expect(try samples(session) == expected)
      if index == 0 {
        try session.run("window file")
        #expect(try samples(session) == expected)
        #expect(try samples(session, options: "window=file") == expected)
      }
    }
  }

  @Test func `the fixtures are there`() {
    #expect(Self.cases.count == 15)
  }

  @Test func `a window is chosen by number or name`() throws {
    let session = TestSession(sessionFolder: Self.fixture.folder)
    try session.run("load window-several.dcm")
    try session.run("window file 2")
    let second = try samples(session)
    try session.run("window file body")
    #expect(try samples(session) == second)
    let error = #expect(throws: CommandError.self) { try session.run("window file 3") }
    #expect(error?.hint == "it has 1 (LUNG), 2 (BODY)")
    #expect(throws: CommandError.self) { try session.run("window lung 2") }
  }

  @Test func `data without a window say so`() throws {
    let session = TestSession(sessionFolder: Fixture("values").folder)
    try session.run("load float.dcm")
    let error = #expect(throws: CommandError.self) { try session.run("window file") }
    #expect(error?.message == "the slices bring no window of a file")
  }

  @Test func `MONOCHROME1 inverts pictures in every window, values in none`() throws {
    let session = TestSession(sessionFolder: Self.fixture.folder)
    try session.run("load window-linear.dcm")
    try session.run("window lung")
    let upright = try samples(session)
    let values = try session.fingerprint("clean")
    try session.run("load window-monochrome1.dcm")
    #expect(try samples(session) == upright.map { 255 - $0 })
    #expect(try session.fingerprint("clean") == values)
    try session.run("view clean[0]")
    let seen = try PNG(path: session.folder.appending(path: "clean-0.png").path).picture
    #expect(seen.samples == upright.map { 255 - $0 })
  }

  @Test func `each slice is shown in its own file's window`() throws {
    let session = TestSession(sessionFolder: Self.fixture.folder)
    try session.run("load window-linear.dcm")
    try session.run("save dicom clean both description=linear")
    try session.run("load window-sigmoid.dcm")
    try session.run("window file")
    let sigmoid = try samples(session)
    try session.run("load window-linear.dcm")
    try session.run("window file")
    #expect(try samples(session) != sigmoid)
  }

  // MARK: - The reference files beside the checkout

  @Test(arguments: ReferenceFiles.windowed)
  func `the first window of a reference file gives the reference picture`(
    _ test: ReferenceFiles.Windowed
  ) throws {
    let session = TestSession()
    try session.run("load \"\(test.path)\"")
    try session.run("window file")
    let bytes = try samples(session).map { UInt8($0) }
    #expect(SHA256Digest(of: bytes).description == test.fingerprint)
  }
}
