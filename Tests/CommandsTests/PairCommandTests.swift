import CommandLanguage
import Commands
import Foundation
import Testing

/// `pair`: noisy slices with their clean counterparts.
struct `Pairs of slices` {
  private static let shared = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/dicom")

  private static var isThere: Bool { FileManager.default.fileExists(atPath: shared.path) }

  @Test(.enabled(if: isThere))
  func `two reconstructions of one scan are a pair without a shift`() throws {
    let session = TestSession()
    let made = try session.run(
      "pair \(Self.shared.path)/chest_philips_L_sharp \(Self.shared.path)/chest_philips_B_smooth")
    #expect(try #require(made.result["pairs"]?.numeric) >= 10)
    #expect(made.result.value(at: "shift.shifted") == .bool(false))
    #expect(try #require(made.result.value(at: "shift.peak")?.numeric) > 0.5)
    #expect(try #require(made.result.value(at: "noisy.rmse")?.numeric) > 1)
  }

  @Test(.enabled(if: isThere))
  func `slices of another patient are refused, and nothing changes`() throws {
    let session = TestSession()
    try session.run("phantom size=32 slices=2")
    let error = try #require(throws: CommandError.self) {
      try session.run(
        "pair \(Self.shared.path)/ts_matrix_chest_ge \(Self.shared.path)/chest_philips_B_smooth")
    }
    #expect(!error.message.isEmpty)
    #expect(try session.number("data", "slices") == 4)
  }

  @Test func `a shift within the plane is named`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=96 slices=3", "noise gaussian sigma=60HU",
      "save tensor clean[0:3,0:80,5:85] a.npy", "save tensor noisy[0:3,4:84,2:82] b.npy",
    ])
    let made = try session.run("pair b.npy a.npy")
    #expect(abs(try #require(made.result.value(at: "shift.rows")?.numeric) + 4) < 0.2)
    #expect(abs(try #require(made.result.value(at: "shift.columns")?.numeric) - 3) < 0.2)
    #expect(made.warnings.contains { $0.contains("-4 rows") })
  }

  @Test func `slices that show something else are refused`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=64 slices=2", "save tensor clean a.npy",
      "save tensor clean[0:2,0:32,0:32] b.npy",
    ])
    // Another matrix; then noise alone.
    #expect(throws: CommandError.self) { try session.run("pair b.npy a.npy") }
    try session.run(lines: ["noise gaussian sigma=2000HU", "tensor n = noisy[0] - clean[0]"])
    try session.run(lines: ["save tensor n n.npy", "save tensor clean[0] c.npy"])
    let error = try #require(throws: CommandError.self) { try session.run("pair n.npy c.npy") }
    #expect(error.message.contains("do not show"))
  }
}
