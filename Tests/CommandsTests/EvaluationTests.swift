import CommandLanguage
import Foundation
import Testing

/// Evaluations by convention, patient and slice, and classical denoisers as commands.
struct EvaluationTests {
  private func session() throws -> TestSession {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=48 slices=2 patients=2", "noise gaussian sigma=40HU", "block channels=2",
      "conv",
      "output subtract",
    ])
    return session
  }

  @Test func `every baseline is judged, looked at and described`() throws {
    let session = TestSession()
    try session.run(lines: ["phantom size=96 slices=2 patients=1", "noise gaussian sigma=40HU"])
    for (line, least) in [
      ("baseline gaussian sigma=0.5", 0.5), ("baseline bilateral", 1.5),
      ("baseline tv weight=40HU", 2), ("baseline nlm h=32HU", 2.5),
      ("baseline wavelet kind=db2", 1.5), ("baseline bm3d sigma=40HU", 4), ("baseline bm3d", 4),
    ] {
      let result = try session.run(line).result
      let gain = try #require(result.value(at: "baseline.psnr")?.numeric)
      let noisy = try #require(result.value(at: "noisy.psnr")?.numeric)
      #expect(gain > noisy + least, "\(line)")
      #expect(result.value(at: "baseline.vif")?.numeric ?? 0 > 0.1)
      try session.run("expect baseline.psnr > 30")
      #expect(try session.run("panel noisy[1] baseline[1] clean[1]").pictures.count == 1)
    }
    #expect(try session.run("save dicom baseline out").files.isEmpty == false)
  }

  @Test func `an evaluation judges a baseline of the same slices beside`() throws {
    let session = try session()
    #expect(try session.run("evaluate").result["baseline"] == nil)
    let alone = try session.run("baseline bm3d").result["baseline"]
    let outcome = try session.run("evaluate")
    #expect(outcome.result["baseline"] == alone)
    #expect(outcome.lines.count { $0.contains("baseline") } == 1)
  }

  @Test func `all conventions, patients and slices have rows`() throws {
    let session = try session()
    let all = try session.run("evaluate convention=all")
    guard case .array(let rows)? = all.result["conventions"] else {
      Issue.record("no conventions")
      return
    }
    #expect(rows.count == 6)
    #expect(all.lines.contains { $0.contains("redcnn, range 400") })
    #expect(all.lines.contains { $0.contains("PSNR of the mean square error") })
    let one = try session.run("evaluate convention=ldct-abdomen").result
    #expect(one.value(at: "noisy.psnr") == all.result.value(at: "conventions.2.noisy.psnr"))
    let slices = try session.run("evaluate by=slice").result
    let patients = try session.run("evaluate by=patient").result
    func psnr(_ result: JSONValue, _ row: Int) -> Double {
      result.value(at: "rows.\(row).noisy.psnr")?.numeric ?? .nan
    }
    #expect(abs((psnr(slices, 0) + psnr(slices, 1)) / 2 - psnr(patients, 0)) < 1e-9)
    let mean = try #require(patients.value(at: "noisy.psnr")?.numeric)
    #expect(abs((psnr(patients, 0) + psnr(patients, 1)) / 2 - mean) < 1e-9)
    #expect(patients.value(at: "rows.2") == nil && slices.value(at: "rows.3.name") != nil)
    #expect(slices.value(at: "noisy.sd.psnr")?.numeric ?? -1 > 0)
  }

  @Test func `a shift of the mean is a warning that names the tissue`() throws {
    let session = try session()
    try session.run("assign c1.bias[0] = 0.01")
    let warnings = try session.run("evaluate").warnings
    #expect(warnings.contains { $0.contains("denoised shifts the mean") && $0.contains("overall") })
    try session.run("noise gaussian sigma=4HU")
    #expect(try session.run("baseline median size=1").warnings.isEmpty)
  }

  @Test(arguments: [
    ("baseline bm3d sigma=-3", "above 0"), ("baseline bm3d sigma=3mm", "HU"),
    ("baseline nlm size=4", "odd"), ("baseline wavelet kind=db3", "db2"),
    ("baseline gaussian sigma=0", "above 0"), ("evaluate convention=redcn", "redcnn"),
    ("evaluate convention=range:0", "above 0"),
    ("evaluate convention=all by=slice", "means over all"),
  ])
  func `what does not fit is explained`(line: String, words: String) throws {
    let session = try session()
    let error = try #require(#expect(throws: CommandError.self) { try session.run(line) })
    #expect("\(error.summary) \(error.hint ?? "")".contains(words), "\(error.summary)")
  }

  @Test func `blocks need slices of eight pixels`() throws {
    let session = try session()
    try session.run("crop rows=0..5")
    try session.run("noise gaussian sigma=40HU")
    let error = try #require(
      #expect(throws: CommandError.self) { try session.run("baseline bm3d") })
    #expect(error.summary.contains("8×8"))
  }
}
