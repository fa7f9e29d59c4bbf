import CommandLanguage
import Commands
import Foundation
import Tensors
import Testing

/// Training through commands: determinism, going on, stopping.
struct TrainingCommandTests {
  /// Networks and trainings that use every part of the engine.
  static let cases: [[String]] = [
    ["block channels=4 kernel=5 convs=2", "conv", "train epochs=3 patch=24 batch=3"],
    [
      "block channels=3 kernel=1 act=sigmoid merge=multiply skip=input",
      "block channels=5 kernel=3 act=arctan merge=multiply-add skip=project convs=3",
      "conv kernel=7", "output subtract", "train steps=5 batch=3",
    ],
    [
      "noise gaussian sigma=30HU fresh", "block channels=4 act=elu", "conv", "loss l1",
      "optimizer sgd lr=0.01 momentum=0.9 nesterov=yes", "train steps=7 batch=2 patch=16",
    ],
    [
      "block channels=4", "conv", "gradient-noise elementwise",
      "optimizer adadelta clip=norm:0.01", "train steps=7 batch=2 patch=16",
    ],
  ]

  private static let data = ["phantom size=40 slices=3", "noise gaussian sigma=40HU", "split"]

  @Test(arguments: cases)
  func `one, two and three threads give the same bits`(_ lines: [String]) throws {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let results = try [1, 2, 3].map { threads in
      Parallelism.threads = threads
      let session = TestSession()
      try session.run(lines: Self.data + lines)
      return try [
        "b1.conv1.weight", "b1.conv1.weight.grad", "c1.bias.m", "b1.out", "net.out", "denoised",
      ]
      .map { try session.fingerprint($0) }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test func `strict precision gives other digits, and fast ones come back`() throws {
    let session = TestSession()
    try session.run(lines: Self.data + ["conv channels=16", "conv channels=16", "conv"])
    let fast = try session.fingerprint("denoised")
    try session.run("set precision=strict")
    let strict = try session.fingerprint("denoised")
    try session.run("set precision=fast")
    #expect(strict != fast)
    #expect(try session.fingerprint("denoised") == fast)
  }

  @Test(arguments: cases)
  func `a training that is cut and continued ends with the same bits`(_ lines: [String]) throws {
    let whole = TestSession()
    try whole.run(lines: Self.data + lines.dropLast() + ["train steps=7 batch=2 patch=16"])
    let cut = TestSession()
    try cut.run(
      lines: Self.data + lines.dropLast() + [
        "train steps=2 batch=2 patch=16", "continue steps=1", "evaluate on=all",
        "continue steps=4",
      ])
    for name in ["b1.conv1.weight", "b1.conv1.weight.grad", "c1.weight.update"] {
      #expect(try whole.fingerprint(name) == cut.fingerprint(name))
    }
  }

  @Test func `showing things between trainings changes nothing`() throws {
    let quiet = TestSession()
    try quiet.run(lines: Self.data + ["block", "conv", "train epochs=2", "train epochs=1"])
    let busy = TestSession()
    try busy.run(
      lines: Self.data + [
        "stats clean", "block", "stats b1.conv1.weight", "conv", "gradcheck samples=4",
        "view noisy[0]", "train epochs=2", "show b1.out.grad[0,0]", "evaluate",
        "baseline median", "train epochs=1",
      ])
    #expect(try quiet.fingerprint("b1.conv1.weight") == busy.fingerprint("b1.conv1.weight"))
  }

  @Test func `a training that a clock ended is recorded with its steps and repeats`() throws {
    let first = TestSession()
    try first.run(lines: Self.data + ["block", "conv"])
    let outcome = try first.run("train epochs=100000 time=0.3s")
    let steps = try #require(outcome.result["steps"]?.numeric)
    #expect(outcome.result["stopped"] == .string("time"))
    #expect(
      outcome.recordedCommand == "train epochs=100000 steps=\(Int(steps))  # time is over")
    let second = TestSession()
    try second.run(lines: Self.data + ["block", "conv", try #require(outcome.recordedCommand)])
    #expect(try first.fingerprint("c1.weight") == second.fingerprint("c1.weight"))
  }

  @Test func `what a clock left is counted in the record, so that a replay can make it, too`()
    throws
  {
    let first = TestSession()
    let setup = Self.data + ["block channels=2", "conv"]
    try first.run(lines: setup)
    let begun = try first.run("train steps=60 time=1ms")
    let recorded = try #require(begun.recordedCommand)
    let rest = try first.run("continue")
    let steps = try #require(begun.result["steps"]?.numeric)
    #expect(rest.recordedCommand == "continue steps=\(60 - Int(steps))")
    let second = TestSession()
    try second.run(lines: setup + [recorded, try #require(rest.recordedCommand)])
    #expect(try first.fingerprint("c1.weight") == second.fingerprint("c1.weight"))
    #expect(try first.run("continue steps=1").recordedCommand == nil, "as typed")
  }

  @Test func `judge=no leaves the judgement out, and nothing else`() throws {
    let judged = TestSession()
    try judged.run(lines: Self.data + ["block", "conv", "train epochs=2"])
    let session = TestSession()
    try session.run(lines: Self.data + ["block", "conv"])
    let outcome = try session.run("train epochs=2 judge=no")
    #expect(outcome.result["psnr"] == .null && outcome.recordedCommand == nil)
    #expect(outcome.lines[0].contains("loss") && !outcome.lines[0].contains("psnr"))
    #expect(try session.fingerprint("c1.weight") == judged.fingerprint("c1.weight"))
  }

  @Test func `an infinity stops before the weights are harmed and is named`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "scale none", "net new init=normal:1000", "block kernel=5 convs=3", "block merge=multiply",
        "block merge=multiply", "block merge=multiply", "block merge=multiply", "conv",
      ])
    let before = try session.fingerprint("b1.conv1.weight")
    let error = #expect(throws: CommandError.self) { try session.run("train steps=3") }
    #expect(error?.code == "non-finite")
    #expect(error?.message.contains("step 1") == true)
    #expect(error?.message.contains(/b\d\.(conv\d\.z|out)/) == true, "\(error?.message ?? "")")
    #expect(try session.fingerprint("b1.conv1.weight") == before)
    // nan=keep goes on, and the damage shows.
    try session.run("train steps=2 nan=keep")
    #expect(try session.number("stats b1.conv1.weight", "nan") > 0)
  }

  @Test func `a NaN in the data is found at the network's input`() throws {
    let session = TestSession()
    var image = Tensor<Float>(shape: [2, 16, 16], repeating: 0.5)
    image.scalars[77] = .nan
    try FileManager.default.createDirectory(
      at: session.folder, withIntermediateDirectories: true)
    try NPY.encode(image).write(to: session.folder.appending(path: "nan.npy"))
    try session.run(lines: [
      "load nan.npy", "scale none", "noise gaussian sigma=0.1", "block", "conv",
    ])
    let error = #expect(throws: CommandError.self) { try session.run("train steps=1") }
    #expect(error?.message.contains("net.in") == true)
  }

  @Test(arguments: [
    ("set limit.seconds=0s", "no time to work in"), ("set limit.seconds=1e99h", "ten years"),
    ("set limit.seconds=11e4h", "ten years"), ("train time=0s", "no time to work in"),
    ("train time=1e300h", "ten years"),
  ])
  func `a limit of time is a time in which something can be done`(line: String, words: String)
    throws
  {
    let session = TestSession()
    try session.run(lines: Self.data + ["conv"])
    let error = try #require(#expect(throws: CommandError.self) { try session.run(line) })
    #expect(error.code == .outOfRange && error.message.contains(words), "\(error.summary)")
    #expect(error.hint?.contains("=") == true)
  }

  @Test(arguments: [("2h", "2 h"), ("90s", "90 s"), ("600", "10 min"), ("0.5s", "0.5 s")])
  func `a limit of time is shown with its unit`(given: String, shown: String) throws {
    let session = TestSession()
    try session.run("set limit.seconds=\(given)")
    let lines = try session.run("set").lines
    #expect(lines.contains { $0.hasPrefix("limit.seconds") && $0.hasSuffix("  \(shown)") })
  }

  @Test func `more than a thousand epochs are counted in whole numbers`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=16 slices=1 patients=1", "noise gaussian", "conv", "train epochs=1050 judge=no",
    ])
    let lines = try session.run("plot loss as=text").lines
    #expect(lines.contains { $0.contains("1050 steps, 1050 epochs") }, "\(lines.suffix(2))")
    #expect(!lines.contains { $0.contains("e+03") })
  }
}
