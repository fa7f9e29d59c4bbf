import CommandLanguage
import Foundation
import Testing

/// What `diagnose` finds, each with a network that has it.
struct DiagnoseTests {
  private static let data = ["phantom size=32 slices=2", "noise gaussian sigma=60HU"]

  private func kinds(_ lines: [String]) throws -> Set<String> {
    let session = TestSession()
    try session.run(lines: Self.data + lines)
    return Set(try findings(session).map(\.kind))
  }

  /// What `diagnose` finds, each with the lines that it gives.
  private func findings(_ session: TestSession) throws -> [(kind: String, lines: [String])] {
    guard case .array(let findings)? = try session.run("diagnose").result["findings"] else {
      return []
    }
    return findings.compactMap { finding in
      guard case .string(let kind)? = finding["kind"], case .array(let lines)? = finding["lines"]
      else { return nil }
      return (kind, lines.compactMap { if case .string(let line) = $0 { line } else { nil } })
    }
  }

  @Test func `a network that learns has no findings`() throws {
    #expect(
      try kinds(["conv channels=4 act=tanh", "conv", "output subtract", "train steps=2"]).isEmpty)
  }

  static let causes: [(String, [String])] = [
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
  ]

  @Test(arguments: causes)
  func `each cause is found`(_ kind: String, _ lines: [String]) throws {
    #expect(try kinds(lines).contains(kind))
  }

  @Test(arguments: causes + NaNs)
  func `each cure can be typed, and mends`(_ kind: String, _ lines: [String]) throws {
    let session = TestSession()
    try session.run(lines: Self.data + lines)
    let found = try findings(session)
    let cure = try #require(found.first { $0.kind == kind }?.lines)
    #expect(!cure.isEmpty)
    try session.run(lines: cure)
    // Another rate shows in the next update.
    if kind == "stuck-weights" { try session.run("train steps=1") }
    let left = try findings(session).map(\.kind)
    #expect(!left.contains(kind), "\(cure)")
    // What is left, if anything, its own cures mend.
    for _ in 0..<5 {
      guard let next = try findings(session).first else { return }
      try session.run(lines: next.lines)
      if next.kind == "stuck-weights" { try session.run("train steps=1") }
    }
    #expect(try findings(session).map(\.kind) == [])
    try session.run("train steps=2")
  }

  @Test(arguments: [
    "optimizer sgd lr=1000", "optimizer sgd lr=1000 momentum=0.9", "optimizer adam lr=1e30",
    "optimizer rmsprop lr=1e30", "optimizer adagrad lr=1e30", "optimizer adadelta lr=1e30",
    "optimizer sgd lr=0.01 schedule=warm-up initial-lr=1e6 warmup=20",
    "optimizer sgd lr=0.01 schedule=step decay-every=1 decay-factor=1e9",
  ])
  func `the cure of too large steps ends in no NaN`(_ optimizer: String) throws {
    for drawn in ["he", "normal:0.3"] {
      let session = TestSession()
      try session.run(
        lines: Self.data + [
          optimizer, "net new init=\(drawn)", "conv channels=8 act=relu",
          "conv channels=8 act=relu",
          "conv", "train epochs=5 nan=keep",
        ])
      try session.run(lines: try #require(try findings(session).first, "\(optimizer)").lines)
      // A NaN would be an error.
      try session.run("train epochs=30")
      #expect(try session.number("expect train.loss < 1", "left") < 1)
    }
  }

  @Test func `a network that the usual rate blows up gets Adam, and then trains`() throws {
    let session = TestSession()
    let block = "block channels=16 kernel=5 act=linear"
    try session.run(
      lines: Self.data + ["optimizer sgd lr=0.01 momentum=0.9"]
        + Array(repeating: block, count: 4) + ["conv", "train steps=30 nan=keep"])
    let found = try #require(try findings(session).first)
    #expect(found.lines.last == "optimizer adam lr=0.001")
    try session.run(lines: found.lines + ["train steps=30"])
  }

  @Test(arguments: [
    ["train steps=1", "assign c1.weight = 0/0"],
    ["assign c1.weight[0,0,1,1] = 0/0", "train steps=2 nan=keep"],
    ["assign noisy[0, 3, 4] = 0/0", "train steps=2 nan=keep"],
    ["assign noisy[0, 3, 4] = 1/0", "train steps=2 nan=keep"],
  ])
  func `a NaN is no overflow of the optimizer`(_ lines: [String]) throws {
    for rule in ["adam", "adam update=incremental", "rmsprop", "adagrad"] {
      #expect(
        try !kinds(["optimizer \(rule)", "conv channels=2", "conv"] + lines).contains("overflow"))
    }
  }

  @Test func `an overflow that only earlier gradients made is told as that`() throws {
    for (steps, words) in [(1, "the squares of gradients up to"), (2, "of earlier steps exceeded")]
    {
      let session = TestSession()
      try session.run(
        lines: Self.data + [
          "scale none", "conv", "assign clean = 1", "assign clean[0] = 1e18",
          "train steps=\(steps) batch=1 shuffle=no nan=keep",
        ])
      let lines = try session.run("diagnose").lines.filter { $0.hasPrefix("overflow") }
      #expect(lines.count == 1 && lines[0].contains(words), "\(lines)")
    }
  }

  @Test func `the only channel is not called 1 of 1`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["conv channels=1 act=relu", "conv", "assign c1.bias = -1000"])
    #expect(
      try session.run("diagnose").lines.contains(
        "dead ReLU  c1: its only channel is 0 everywhere, so it learns nothing"))
    try session.run(
      lines: ["net new", "conv channels=4 act=relu", "conv", "assign c1.bias[2] = -1000"])
    #expect(
      try session.run("diagnose").lines.contains(
        "dead ReLU  c1: 1 of 4 channels is 0 everywhere, so it learns nothing"))
  }

  private static let NaNs: [(String, [String])] = [
    (
      "lost-weights",
      [
        "scale none", "net new init=normal:1e12", "conv channels=2", "conv",
        "train steps=2 nan=keep",
      ]
    ),
    ("data-not-finite", ["assign noisy[1, 3, 4] = 1/0", "conv"]),
    ("lost-weights", ["conv channels=2", "conv", "assign c1.weight = 0/0"]),
    (
      "non-finite",
      ["scale none", "net new init=normal:1e12", "conv channels=2", "conv channels=2", "conv"]
    ),
  ]

  @Test func `one dead channel of many is no finding, many are one line`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "conv channels=32 act=relu", "conv channels=8 act=relu", "conv",
        "assign c1.bias[3] = -1000",
        "train steps=1",
      ])
    #expect(try findings(session).isEmpty)
    try session.run(lines: ["assign c1.bias[0:16] = -1000", "assign c2.bias[0:4] = -1000"])
    let lines = try session.run("diagnose").lines.filter { $0.hasPrefix("dead ReLU") }
    #expect(lines.count == 1)
    #expect(
      lines[0].hasPrefix("dead ReLU  20 of 40 channels in 2 convolutions")
        && lines[0].hasSuffix("c1 16 of 32, c2 4 of 8"), "\(lines)")
  }

  @Test func `channels that are alive in other slices are not dead`() throws {
    let session = TestSession()
    // What slice 0 shows lies below 3000 HU, what slice 1 shows above.
    try session.run(
      lines: Self.data + [
        "assign noisy[1] = 5000", "scale hu=3000..4000", "conv channels=4 kernel=1 act=relu",
        "assign c1.weight = 1", "conv", "split train=slice:0,1", "train steps=1 batch=1 shuffle=no",
      ])
    #expect(try session.number("stats c1.a", "max") == 0, "dead in the last batch")
    #expect(try !findings(session).map(\.kind).contains("dead-channels"))
  }

  @Test(arguments: [
    "optimizer adam lr=0.003 schedule=cosine final-lr=1e-12",
    "optimizer sgd lr=0.05 schedule=cosine final-lr=1e-12",
  ])
  func `weights that moved are not stuck, however small the last step`(line: String) throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "conv channels=4 act=tanh", "conv", line, "train steps=60", "continue steps=1",
      ])
    let size = try session.number("stats c1.weight.update", "max")
    #expect(abs(size) < 1e-11, "the last step is too small for any weight")
    #expect(try !findings(session).map(\.kind).contains("stuck-weights"))
  }

  @Test func `weights without a gradient are not called stuck`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "conv channels=8 act=relu", "conv", "assign c1.bias = -1000", "train steps=1",
      ])
    #expect(try findings(session).map(\.kind) == ["dead-channels"])
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
