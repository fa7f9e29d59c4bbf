import CommandLanguage
import Commands
import Foundation
import Testing

/// Slices that are padding only.
struct PaddedSliceTests {
  /// A series of three slices, of which the second is padding only.
  private func series(_ session: TestSession) throws {
    try session.run("phantom size=24 slices=3 patients=1 save=ct")
    let folder = session.folder.appending(path: "ct")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    for (index, name) in names.enumerated() {
      let url = folder.appending(path: name)
      var bytes = try Data(contentsOf: url)
      // Pixel Padding Value 65000 before Window Center, (0028,1050); the pixels come last.
      let place = try #require(bytes.range(of: Data([0x28, 0, 0x50, 0x10])))
      bytes.insert(
        contentsOf: Data([0x28, 0, 0x20, 0x01]) + Data("US".utf8) + Data([2, 0, 0xFF, 0x0F]),
        at: place.lowerBound)
      if index == 1 {
        let pixels = 24 * 24
        bytes.replaceSubrange(
          (bytes.count - 2 * pixels)..., with: (0..<pixels).flatMap { _ in [UInt8(0xFF), 0x0F] })
      }
      try bytes.write(to: url)
    }
  }

  @Test func `are left out of figures, which a warning says`() throws {
    let session = TestSession()
    try series(session)
    try session.run("load ct")
    #expect(try session.number("data", "padding") == 24 * 24)
    let warning = "slice 1 is padding only and left out of the figures"
    let noisy = try session.run("noise gaussian sigma=40HU")
    #expect(noisy.warnings == [warning])
    #expect(try #require(noisy.result.value(at: "noisy.psnr")?.numeric).isFinite)
    #expect(try #require(noisy.result.value(at: "noisy.ssim")?.numeric).isFinite)
    try session.run(lines: ["conv", "train epochs=2 batch=1"])
    for line in ["evaluate", "baseline median"] {
      let judged = try session.run(line)
      #expect(judged.warnings.filter { !$0.contains("shifts the mean") } == [warning])
      #expect(judged.lines.contains { $0.hasPrefix("mean over 2 slices") })
      #expect(judged.result["slices"] == .integer(2))
      for name in ["noisy.psnr", "noisy.ssim", "noisy.rmse"] {
        #expect(try #require(judged.result.value(at: name)?.numeric).isFinite, "\(name)")
      }
    }
    // The two others alone give the same figures.
    let both = try session.number("evaluate", "noisy.rmse")
    try session.run("split train=slice:1 test=slice:0,2")
    #expect(try session.number("evaluate", "noisy.rmse") == both)
    #expect(try session.run("panel clean[1] noisy[1]").pictures.count == 1)
    try session.run("split train=slice:0,2 test=slice:1")
    let none = try session.run("evaluate")
    #expect(none.lines.contains { $0.hasPrefix("mean over 0 slices") })
    #expect(none.warnings == [warning])
  }

  @Test func `are said to be padding by what looks at them`() throws {
    let session = TestSession()
    try series(session)
    try session.run("load ct")
    #expect(try session.run("stats clean[1]").lines == ["clean[1] [24,24]  all of it is padding"])
    #expect(try session.run("plot clean[1]").lines.last?.hasSuffix("all of it is padding") == true)
    let error = try #require(
      #expect(throws: CommandError.self) { try session.run("hist clean[1]") })
    #expect(error.message == "all of clean[1] is padding, which is not counted")
    #expect(error.hint?.contains("diagnose") == false)
  }
}
