import CommandLanguage
import Commands
import Foundation
import Testing

/// `project`, `reconstruct` and `noise lowdose` as they are typed.
struct `Scans at the prompt` {
  @Test func `a projection is drawn, explained and pulled back through`() throws {
    let session = TestSession()
    try session.run(lines: ["phantom size=32 slices=2", "tensor x = clean[1]"])
    let made = try session.run("project x as=S views=24 detectors=40")
    #expect(made.result.value(at: "shape.0")?.numeric == 24)
    #expect(made.result.value(at: "shape.1")?.numeric == 40)
    #expect(made.result.value(at: "scan.beam") == .string("fan"))
    try session.run("view S")
    let explained = try session.run("explain S[3,19]")
    let value = try #require(explained.result["value"]?.numeric)
    let sum = try #require(explained.result["sum"]?.numeric)
    #expect(abs(value - sum) < 1e-5 * abs(sum))
    #expect(value > 1)
    try session.run(lines: ["tensor l = mean(S*S)", "backward l"])
    let gradient = try session.run("explain x.grad[18,17] difference=yes")
    let found = try #require(gradient.result["value"]?.numeric)
    let difference = try #require(gradient.result["finite_difference"]?.numeric)
    #expect(found != 0 && abs(found - difference) < 1e-3 * abs(found))
  }

  @Test func `a reconstruction gives the slice back, and its gradient`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=64 slices=2", "tensor x = clean[1]", "project x as=S views=360",
      "reconstruct S as=R", "tensor d = R - x", "tensor e = mean(d*d)",
    ])
    try session.run("backward e")
    let gradient = try session.run("explain S.grad[17,100] difference=yes")
    let found = try #require(gradient.result["value"]?.numeric)
    let difference = try #require(gradient.result["finite_difference"]?.numeric)
    #expect(abs(found - difference) < 1e-2 * abs(found) + 1e-6)
    let small = try session.run("reconstruct S as=T size=16 filter=hann")
    #expect(small.result.value(at: "shape.0")?.numeric == 16)
    let pixel = try session.run("explain R[30,30] terms=3")
    #expect(pixel.result["formula"] != nil)
  }

  @Test func `a scan that is coarser than the slices says which would keep their detail`() throws {
    let session = TestSession()
    try session.run("phantom size=48 slices=1 patients=1")
    let coarse = try session.run("noise lowdose dose=1 views=40 detectors=60")
    let before = try #require(coarse.result["roundtrip_rmse"]?.numeric)
    let remark = try #require(coarse.remarks.first { $0.contains("finer detail") })
    let finer = remark.split(whereSeparator: { $0 == " " || $0 == ";" })
      .filter { $0.hasPrefix("views=") || $0.hasPrefix("detectors=") }.joined(separator: " ")
    let fine = try session.run("noise lowdose dose=1 \(finer)")
    #expect(try #require(fine.result["roundtrip_rmse"]?.numeric) < min(12, before / 2))
    #expect(fine.remarks.isEmpty)
    // A filter that smooths is meant to.
    let smooth = try session.run("noise lowdose dose=1 views=40 detectors=60 filter=hann")
    #expect(!smooth.remarks.contains { $0.contains("finer detail") })
  }

  @Test func `noise of a low dose tells scan, photons and the error without noise`() throws {
    let session = TestSession()
    try session.run("phantom size=64 slices=2")
    let made = try session.run("noise lowdose dose=0.25 views=300")
    for key in ["beam", "views", "detectors", "photons", "electronic", "roundtrip_rmse"] {
      #expect(made.result[key] != nil, "\(key)")
    }
    #expect(made.result["photons"]?.numeric == 150_000)
    let error = try #require(made.result["roundtrip_rmse"]?.numeric)
    #expect(error < 12)
    let quarter = try #require(made.result.value(at: "noisy.rmse")?.numeric)
    let full = try session.number("noise lowdose dose=1 views=300", "noisy.rmse")
    #expect(quarter > full)
    // The same bits again, and others with another seed.
    let first = try session.run("stats noisy[1]").lines
    try session.run("noise lowdose dose=1 views=300 seed=2")
    #expect(try session.run("stats noisy[1]").lines != first)
    try session.run("noise lowdose dose=1 views=300")
    #expect(try session.run("stats noisy[1]").lines == first)
  }

  @Test func `training draws fresh noise of a low dose, to the same bits`() throws {
    func loss() throws -> Double {
      let session = TestSession()
      try session.run(lines: [
        "phantom size=32 slices=4", "noise lowdose dose=0.3 views=90 fresh", "conv channels=2",
        "conv",
      ])
      try session.run("train steps=4 batch=2 patch=16")
      return try session.number("stats noisy[0]", "mean")
        + session.number("stats denoised[0]", "mean")
    }
    #expect(try loss() == loss())
  }

  @Test func `noise for measured slices needs a smaller dose`() throws {
    let session = TestSession()
    try session.run("phantom size=32 slices=2")
    try session.run("noise lowdose dose=0.5 views=60 from=measured")
    #expect(throws: CommandError.self) { try session.run("noise lowdose dose=1 from=measured") }
    #expect(throws: CommandError.self) { try session.run("noise lowdose dose=0") }
    #expect(throws: CommandError.self) { try session.run("noise lowdose") }
    #expect(throws: CommandError.self) {
      try session.run("noise lowdose dose=1 beam=parallel detector=flat")
    }
  }
}
