import CommandLanguage
import Foundation
import Testing

/// Noise power, sharpness and detectability as commands.
struct JudgingCommandTests {
  private func session(_ lines: [String]) throws -> TestSession {
    let session = TestSession()
    try session.run(lines: lines)
    return session
  }

  @Test func `the spectrum of draws is that of the noise, whatever the anatomy`() throws {
    let session = try session([
      "phantom size=128 slices=2 patients=1", "noise gaussian sigma=30HU",
      "baseline gaussian sigma=1",
    ])
    let outcome = try session.run("spectrum noisy baseline size=32")
    #expect(outcome.pictures.count == 1 && outcome.result["unit"] == .string("HU²·mm²"))
    let variance = try #require(outcome.result.value(at: "rows.0.variance")?.numeric)
    #expect(abs(variance / 900 - 1) < 0.05)
    #expect(
      abs((outcome.result.value(at: "rows.0.integral")?.numeric ?? 0) / variance - 1) < 1e-6)
    // Smoothing by σ = 1 pixel leaves 1/(4π) of white noise.
    let smooth = try #require(outcome.result.value(at: "rows.1.variance")?.numeric)
    #expect(abs(smooth / (900 / (4 * .pi)) - 1) < 0.12)
    let more = try session.run("spectrum noisy size=32 draws=5").result
    #expect(more.value(at: "rows.0.regions")?.numeric == 160)
    #expect(abs(try #require(more.value(at: "rows.0.variance")?.numeric) / 900 - 1) < 0.02)
    let part = try session.run("spectrum noisy[1, 32:96, 32:96] of=clean size=32 form=plane")
    #expect(part.result.value(at: "rows.0.regions")?.numeric == 4)
    #expect(part.pictures.count == 1)
  }

  @Test func `a disc that does not suit the slice is refused with one that does`() throws {
    let session = try session(["phantom size=32 slices=1 patients=1", "noise gaussian sigma=40HU"])
    for (line, found) in [
      ("detect draws=8", "smaller than a pixel of "),
      ("detect draws=8 diameter=400mm", "does not fit"),
      ("detect draws=8 diameter=1e300mm", "does not fit"),
    ] {
      let error = try #require(throws: CommandError.self) { try session.run(line) }
      #expect(error.message.contains(found), "\(error.message)")
      let cure = try #require(error.hint?.split(separator: ",").first)
      #expect(cure.hasPrefix("diameter="))
      try session.run("detect draws=8 \(cure)")
    }
  }

  @Test func `higher doses and larger contrasts are easier to find`() throws {
    let session = try session([
      "phantom kind=water size=64 slices=1 patients=1", "noise gaussian sigma=40HU",
    ])
    func area(_ line: String) throws -> Double { try session.number(line, "rows.0.auc") }
    let low = try area("detect contrast=10HU diameter=40mm draws=60")
    let high = try area("detect contrast=40HU diameter=40mm draws=60")
    #expect(low < high && high > 0.9)
    try session.run("noise gaussian sigma=10HU")
    #expect(try area("detect contrast=10HU diameter=40mm draws=60") > low)
    let none = try session.run("detect contrast=0HU diameter=40mm draws=60").result
    #expect(none.value(at: "rows.0.low")?.numeric == 0.5)
    try session.run("baseline gaussian sigma=2")
    let result = try session.run("detect contrast=10HU diameter=7px draws=30").result
    #expect(result.value(at: "rows.1.name") == .string("baseline"))
  }

  @Test func `areas against dose are those of the noise at each dose`() throws {
    let session = try session([
      "phantom kind=water size=64 slices=1 patients=1", "noise gaussian sigma=40HU",
      "baseline gaussian sigma=1",
    ])
    let line = "detect contrast=20HU diameter=40mm draws=40"
    let outcome = try session.run("\(line) doses=0.25,1,4")
    #expect(outcome.pictures.count == 1)
    func row(_ number: Int, _ key: String) -> JSONValue? {
      outcome.result.value(at: "rows.\(number).\(key)")
    }
    #expect((0..<6).map { row($0, "dose")?.numeric } == [0.25, 0.25, 1, 1, 4, 4])
    #expect(row(5, "name") == .string("baseline"))
    let areas = [0, 2, 4].compactMap { row($0, "auc")?.numeric }
    #expect(areas == areas.sorted() && Set(areas).count == 3)
    for (place, sigma) in [(0, 80), (2, 40), (4, 20)] {
      try session.run("noise gaussian sigma=\(sigma)HU")
      #expect(try session.number(line, "rows.0.auc") == row(place, "auc")?.numeric)
    }
    try session.run("noise uniform gain=0..2")
    let error = try #require(
      #expect(throws: CommandError.self) { try session.run("\(line) doses=2") })
    #expect(error.summary.contains("no dose 2"))
  }

  @Test func `a race compares each contestant with a baseline of the judged slices`() throws {
    let session = try session([
      "phantom size=32 slices=2 patients=2", "noise gaussian sigma=60HU", "split by=patient",
      "conv", "output subtract", "net fork second",
    ])
    let race = "race net=main,second seeds=2 epochs=1"
    #expect(try session.run(race).result["baseline"] == nil)
    let psnr = try session.number("baseline median size=3", "baseline.psnr")
    let result = try session.run(race).result
    #expect(result.value(at: "baseline.psnr")?.numeric == psnr)
    for place in 0..<2 {
      let mean = try #require(result.value(at: "contestants.\(place).mean")?.numeric)
      let difference = result.value(at: "baseline.differences.\(place).mean")?.numeric
      #expect(abs((difference ?? .nan) - (mean - psnr)) < 1e-9)
    }
  }

  @Test func `the same draws give the same area, with any number of draws before`() throws {
    let lines = ["phantom kind=water size=48 slices=1 patients=1", "noise gaussian sigma=40HU"]
    let line = "detect contrast=20HU diameter=40mm draws=20"
    let (first, second) = (try session(lines), try session(lines + ["spectrum noisy size=16"]))
    #expect(try first.number(line, "rows.0.auc") == second.number(line, "rows.0.auc"))
  }

  @Test func `a filter blurs the rods by its own transfer`() throws {
    let session = try session([
      "phantom kind=inserts size=192 slices=1 patients=1", "noise gaussian sigma=0HU",
      "baseline gaussian sigma=1.5",
    ])
    let result = try session.run("sharpness clean baseline").result
    guard case .array(let rows)? = result["rows"] else { return }
    #expect(rows.count == 16)
    let half = (2 * log(2.0)).squareRoot() / (2 * .pi)
    for row in rows where abs(row["rod"]?.numeric ?? 0) >= 200 {
      let spread = 0.45 * 360 / 192
      let sigma = row["name"] == .string("clean") ? spread : hypot(spread, 1.5 * 360 / 192)
      #expect(abs((row["f50"]?.numeric ?? 0) / (half / sigma) - 1) < 0.03)
    }
  }

  @Test(arguments: [
    ("detect", "draw"), ("sharpness clean", "inserts"), ("spectrum noisy", "noisy"),
    ("spectrum clean size=64", "fit"), ("spectrum clean of=draws", "draws"),
  ])
  func `what does not fit is explained`(line: String, words: String) throws {
    let session = try session(["phantom size=32 slices=1 patients=1"])
    let error = try #require(#expect(throws: CommandError.self) { try session.run(line) })
    #expect("\(error.summary) \(error.hint ?? "")".contains(words), "\(error.summary)")
  }
}
