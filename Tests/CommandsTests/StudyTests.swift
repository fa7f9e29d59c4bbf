import CommandLanguage
import Foundation
import Testing

/// Whole studies denoised into derived DICOM.
struct StudyTests {
  private func session() throws -> TestSession {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=3 patients=2 save=ct", "noise gaussian sigma=40HU",
    ])
    return session
  }

  private func files(_ session: TestSession, _ folder: String) -> [String] {
    let found = FileManager.default.enumerator(atPath: session.folder.appending(path: folder).path)
    return (found?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".dcm") }.sorted()
  }

  @Test func `every series of a study becomes derived slices of the filter`() throws {
    let session = try session()
    let result = try session.run("denoise ct out with=\"median size=3\"").result
    #expect(result["slices"] == .integer(6) && result["series"] == .integer(2))
    #expect(result["skipped"] == .integer(0) && result["written"] == .integer(6))
    #expect(files(session, "out").count == 6)
    try session.run("load ct as=noisy")
    try session.run("baseline median size=3 on=all")
    let expected = try session.fingerprint("baseline")
    try session.run("load out")
    #expect(try session.fingerprint("clean") == expected)
  }

  @Test func `the network in use denoises a study as it does the session's slices`() throws {
    let session = try session()
    try session.run(lines: ["block channels=2", "conv", "output subtract", "train steps=2"])
    try session.run("denoise ct out")
    try session.run("load ct as=noisy pair=no")
    let expected = try session.number("stats denoised", "mean")
    try session.run("load out")
    #expect(abs(try session.number("stats clean", "mean") - expected) < 0.5)
  }

  @Test func `work that was stopped goes on, each slice once`() throws {
    let session = try session()
    let line = "denoise ct out with=\"gaussian sigma=1\""
    try session.run(line)
    let all = files(session, "out")
    let place = session.folder.appending(path: "out/\(all[1])")
    let whole = try Data(contentsOf: place)
    try FileManager.default.removeItem(at: place)
    try Data([1]).write(to: URL(filePath: place.path + ".part"))
    let result = try session.run(line).result
    #expect(result["resumed"] == .integer(5) && result["written"] == .integer(1))
    #expect(files(session, "out") == all)
    #expect(try Data(contentsOf: place) == whole)
    let error = try #require(
      #expect(throws: CommandError.self) {
        try session.run("denoise ct out with=\"gaussian sigma=2\"")
      })
    #expect(error.summary.contains("another work"))
  }

  @Test func `a damaged file is named at the end and stops nothing`() throws {
    let session = try session()
    let damaged = session.folder.appending(path: "ct").path + "/" + files(session, "ct")[2]
    let data = try Data(contentsOf: URL(filePath: damaged))
    try data.prefix(data.count - 600).write(to: URL(filePath: damaged))
    try Data("notes".utf8).write(to: session.folder.appending(path: "ct/notes.txt"))
    let outcome = try session.run("denoise ct out with=\"median size=3\"")
    #expect(outcome.result["skipped"] == .integer(1) && outcome.result["slices"] == .integer(5))
    #expect(outcome.result["left"] == .integer(1))
    let name = (damaged as NSString).lastPathComponent
    #expect(outcome.warnings.contains { $0.contains(name) }, "\(outcome.warnings)")
  }

  @Test(arguments: [
    ("denoise ct ct with=\"median size=3\"", "is the input"),
    ("denoise ct ct/out with=\"median size=3\"", "lies in it"),
    ("denoise ct", "a folder"), ("denoise ct out with=\"medion\"", "median"),
    ("denoise with=\"median\"", "whole study"),
    ("denoise ct out hu=5..1 with=\"median\"", "A below B"),
    ("denoise nowhere out with=\"median\"", "no such"),
    ("denoise ct out", "no network"),
  ])
  func `what does not fit is explained`(line: String, words: String) throws {
    let session = try session()
    let error = try #require(#expect(throws: CommandError.self) { try session.run(line) })
    #expect(
      "\(error.summary) \(error.hint ?? "")".localizedCaseInsensitiveContains(words),
      "\(error.summary) \(error.hint ?? "")")
  }
}
