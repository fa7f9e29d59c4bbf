import CommandLanguage
import Foundation
import Testing

/// What `diagnose` finds, each with a network that has it.
struct DiagnoseTests {
  private static let data = ["phantom size=32 slices=2", "noise gaussian sigma=60HU"]

  private func kinds(_ lines: [String]) throws -> Set<String> {
    let session = TestSession()
    try session.run(lines: Self.data + lines)
    let result = try session.run("diagnose").result
    guard case .array(let findings)? = result["findings"] else { return [] }
    return Set(
      findings.compactMap { finding in
        if case .string(let kind)? = finding["kind"] { kind } else { nil }
      })
  }

  @Test func `a network that learns has no findings`() throws {
    #expect(
      try kinds(["conv channels=4 act=tanh", "conv", "output subtract", "train steps=2"]).isEmpty)
  }

  @Test(arguments: [
    ("stuck-weights", ["conv", "optimizer adam lr=1e-9", "train steps=1"]),
    ("saturated", ["net new init=normal:100", "conv channels=2 act=sigmoid", "conv"]),
    (
      "dead-channels",
      [
        // All input is below 0, so that channels with a weight above 0 are dead.
        "scale hu=3000..4000", "conv channels=8 kernel=1 act=relu", "conv",
      ]
    ),
    ("bounded-output", ["block channels=1 merge=multiply-add skip=input act=relu"]),
    ("input-scale", ["scale none", "conv"]),
    (
      "overflow",
      [
        "scale none", "net new init=normal:1e7", "conv channels=2", "conv channels=2", "conv",
        "loss half-squares", "train steps=1 nan=keep",
      ]
    ),
    (
      "exploding",
      ["net new init=normal:50"] + Array(repeating: "conv channels=3 kernel=5", count: 3) + ["conv"]
    ),
    (
      "vanishing",
      ["net new init=normal:0.001"] + Array(repeating: "conv channels=3 act=tanh", count: 3)
        + ["conv"]
    ),
  ])
  func `each cause is found`(_ kind: String, _ lines: [String]) throws {
    #expect(try kinds(lines).contains(kind))
  }

  @Test func `a training that went on past a NaN tells where it arose`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "scale none", "net new init=normal:1e12", "conv channels=2", "conv channels=2", "conv",
        "train steps=2 nan=keep",
      ])
    let outcome = try session.run("diagnose")
    #expect(outcome.lines.contains { $0.contains("first in step 1") })
    #expect(outcome.lines.contains { $0.hasPrefix("lost weights") })
  }

  // MARK: - The article's own slices

  static let article = SessionReplayTests.root.appending(path: "../shared/article")
  static let hasArticle = FileManager.default.fileExists(atPath: article.path)

  /// A session on some of the article's slices; all of series 3 judge.
  private func session(_ preset: String) throws -> TestSession {
    let session = TestSession(variables: ["data": Self.article.path])
    try session.run(
      lines: [
        "let data", "load $data", "split train=series:1,2 test=series:3", "set relu-nan=zero",
        "net preset \(preset)",
      ])
    return session
  }

  @Test(.enabled(if: hasArticle))
  func `case 1 has the noise that was reported and weights that cannot change`() throws {
    let session = try session("article-1a")
    #expect(abs(try session.number("baseline median size=1", "noisy.psnr") - 10.46) < 0.01)
    try session.run("train steps=1 batch=5 shuffle=no nan=keep")
    let findings = try session.run("diagnose").result["findings"]
    guard case .array(let all)? = findings else { return }
    let stuck = try #require(all.first { $0["kind"] == .string("stuck-weights") })
    // 97.5 % have an update below half of their last digit; others have no gradient at all.
    #expect(try #require(stuck["value"]?.numeric) > 0.97)
  }

  @Test(.enabled(if: hasArticle))
  func `case 4 ends with NaN weights and its input, which an oracle hardly betters`() throws {
    let session = try session("article-4")
    try session.run("train steps=2 batch=5 shuffle=no nan=keep")
    let result = try session.run("diagnose").result
    #expect(abs(try #require(result["oracle_psnr"]?.numeric) - 10.66) < 0.01)
    #expect(try session.number("stats b6.conv1.weight", "nan") == 3)
    #expect(try session.fingerprint("denoised[300]") == session.fingerprint("noisy[300]"))
  }
}
