import CommandLanguage
import Commands
import Foundation
import TestSupport
import Testing

/// `checkpoint` and `restore`.
struct CheckpointTests {
  private static let data = [
    "set seed=5", "phantom size=32 slices=6", "noise gaussian sigma=40HU fresh", "split by=slice",
    "scale minmax", "window lung",
  ]

  /// Trainings whose middle lies within an epoch, with everything that has a state.
  static let trainings: [[String]] = [
    [
      "block channels=4 convs=2", "conv", "optimizer adam schedule=cosine",
      "gradient-noise elementwise eta=0.001", "net fork other",
      "train epochs=6 batch=3 patch=16 steps=5 horizon=20",
    ],
    [
      "net new seed=9 init=xavier", "block channels=3 act=elu merge=multiply-add skip=project",
      "conv act=tanh", "output subtract", "loss l1",
      "optimizer sgd lr=0.01 momentum=0.9 clip=norm:0.5 as=mild",
      "flow dilated rate=0.05 links=sparse as=thin", "flow tape", "set relu-nan=zero",
      "train steps=5 batch=2 seed=3",
    ],
    [
      "conv channels=2", "block channels=2 convs=2", "conv",
      "optimizer sgd lr=0.05 momentum=0.9 weight-decay=0.01", "flow feedback mirror=yes seed=3",
      "train steps=3 batch=2",
    ],
    [
      "conv channels=2", "block channels=2 convs=2", "block channels=2", "conv",
      "flow synthetic predictor-lr=0.01", "train steps=3 batch=2",
    ],
    [
      "conv channels=2", "block channels=2 convs=2", "block channels=2", "conv", "flow local",
      "train steps=3 batch=2",
    ],
    [
      "conv channels=2", "block channels=2", "conv", "flow forward directions=2",
      "train steps=3 batch=2",
    ],
    [
      "conv channels=2", "block channels=2 convs=2", "conv", "flow feedback signs=redrawn",
      "train steps=3 batch=2",
    ],
    ["conv channels=2", "conv", "optimizer adadelta", "train steps=4 batch=4", "net new", "conv"],
  ]

  /// What a session tells of its state: numbers, gradients, curves and names.
  private static func state(_ session: TestSession) throws -> [String] {
    try ["net show", "data", "optimizer", "flow", "plot loss", "evaluate"].flatMap {
      try session.run($0).lines
    } + [try session.fingerprint("denoised")]
  }

  @Test(arguments: trainings)
  func `a training that goes on gives the bits of one that was never left`(
    _ lines: [String]
  ) throws {
    let first = TestSession()
    try first.run(lines: Self.data + lines + ["checkpoint half"])
    let second = TestSession(sessionFolder: first.folder)
    try second.run("restore half")
    #expect(second.runner.workspace.seed == 5)
    for line in ["continue steps=7", "train steps=2"] where lines.last != "conv" {
      for session in [first, second] { try session.run(line) }
      // The forward flow has gradients of weights alone.
      let gradient =
        lines.contains { $0.hasPrefix("flow forward") } ? "c1.weight.grad" : "net.out.grad"
      for name in ["c1.weight", "c1.weight.update", gradient] where lines.last != "conv" {
        #expect(try second.fingerprint(name) == first.fingerprint(name), "\(name) after \(line)")
      }
    }
    #expect(try Self.state(second) == Self.state(first))
    if lines.contains("net fork other") {
      for session in [first, second] { try session.run(lines: ["net use other", "train steps=2"]) }
      #expect(try second.fingerprint("c1.weight") == first.fingerprint("c1.weight"))
    }
  }

  @Test func `gradients of the last pass are there at once`() throws {
    let first = TestSession()
    try first.run(lines: Self.data + Self.trainings[0] + ["checkpoint half"])
    let second = TestSession(sessionFolder: first.folder)
    try second.run("restore half.checkpoint")
    for name in ["b1.conv1.weight.grad", "b1.out", "b1.conv1.weight.m"] {
      #expect(try second.fingerprint(name) == first.fingerprint(name))
    }
  }

  @Test func `a damaged or cut-off file changes nothing`() throws {
    let first = TestSession()
    try first.run(lines: Self.data + Self.trainings[0] + ["checkpoint half"])
    let bytes = [UInt8](try Data(contentsOf: first.folder.appending(path: "half.checkpoint")))
    let second = TestSession()
    try second.run(lines: ["phantom size=16 slices=2", "noise gaussian", "conv", "train steps=1"])
    let before = try second.fingerprint("c1.weight")
    let data = try second.fingerprint("noisy")
    var dice = Dice(seed: 4)
    for round in 0..<60 {
      var damaged = bytes
      if round % 3 == 0 {
        damaged.removeLast(1 + dice.next(bytes.count))
      } else {
        damaged[dice.next(bytes.count)] ^= 1 << UInt8(dice.next(8))
      }
      try FileManager.default.createDirectory(
        at: second.folder, withIntermediateDirectories: true)
      try Data(damaged).write(to: second.folder.appending(path: "bad.checkpoint"))
      let error = #expect(throws: CommandError.self) { try second.run("restore bad") }
      #expect(error?.status == .badInput && error?.message.contains("checkpoint") == true)
    }
    #expect(try second.fingerprint("c1.weight") == before)
    #expect(try second.fingerprint("noisy") == data)
  }

  @Test func `other data than recorded changes nothing`() throws {
    let first = TestSession()
    try first.run(lines: ["phantom size=16 slices=2", "save tensor clean a.npy"])
    try first.run(lines: [
      "let file = a.npy", "load $file", "noise gaussian sigma=30HU", "conv", "train steps=2",
      "checkpoint kept",
    ])
    let weight = try first.fingerprint("c1.weight")
    let second = TestSession(sessionFolder: first.folder)
    try second.run("restore kept")
    #expect(try second.fingerprint("noisy") == first.fingerprint("noisy"))
    let third = TestSession(sessionFolder: first.folder)
    try first.run(lines: ["phantom size=16 slices=2 seed=8", "save tensor clean a.npy"])
    try third.run("conv")
    let former = try third.fingerprint("c1.weight")
    let error = #expect(throws: CommandError.self) { try third.run("restore kept") }
    #expect(error?.message.contains("clean slices are not those") == true)
    #expect(throws: CommandError.self) { try third.run("stats clean") }
    #expect(try third.fingerprint("c1.weight") == former)
    // Data that are there already are not made again.
    try second.run("train steps=1")
    try second.run("restore kept")
    #expect(try second.fingerprint("c1.weight") == weight)
  }

  @Test(arguments: [
    ["noise gaussian sigma=30HU", "assign clean[0] = 5", "noise uniform"],
    [
      "assign clean[0, 2, 2] = 5", "noise gaussian", "assign clean[1, 3, 3] = 7",
      "crop rows=0..31 columns=0..31",
    ],
    [
      "noise gaussian sigma=30HU", "assign noisy[0, 0:1, 0:4] = [1,2.5,-3e4,0.1]",
      "assign clean[0, 2, 2] = nan", "assign noisy[1] = clean[0]",
    ],
    ["assign noisy[0] = 1", "noise gaussian", "assign noisy[1] = clean[0] * 2", "noise gaussian"],
  ])
  func `knows the numbers that were assigned, whenever and however many`(
    _ lines: [String]
  ) throws {
    let first = TestSession()
    try first.run(lines: ["phantom size=64 slices=2", "conv"])
    for line in lines { _ = try? first.run(line) }
    try first.run("checkpoint edited")
    let second = TestSession(sessionFolder: first.folder)
    try second.run("restore edited")
    try #expect(second.fingerprint("clean") == first.fingerprint("clean"))
    if lines.last?.hasPrefix("crop") == false {
      try #expect(second.fingerprint("noisy") == first.fingerprint("noisy"))
    }
    // What was restored can be kept again.
    try second.run("checkpoint again")
    let third = TestSession(sessionFolder: second.folder)
    try third.run("restore again")
    try #expect(third.fingerprint("clean") == first.fingerprint("clean"))
  }

  @Test func `holds no image`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=64 slices=8", "noise gaussian", "conv", "checkpoint small",
    ])
    let path = session.folder.appending(path: "small.checkpoint").path
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(try #require(size) < 8192)
  }
}

/// `undo`.
struct UndoTests {
  private static let lines = [
    "phantom size=16 slices=2", "noise gaussian sigma=30HU", "let a = 1", "conv", "train steps=2",
    "set seed=9", "noise uniform", "optimizer sgd", "train steps=1",
  ]

  /// What a session is.
  private static func state(_ session: TestSession) -> [String] {
    ["clean", "noisy", "c1.weight", "c1.weight.m"].map {
      (try? session.fingerprint($0)) ?? "none"
    } + [session.runner.variables["a"] ?? "none", "\(session.runner.workspace.seed)"]
  }

  @Test func `takes back commands one after the other, whatever they changed`() throws {
    for kept in 0..<Self.lines.count {
      let session = TestSession()
      try session.run(lines: Self.lines)
      for line in Self.lines[kept...].reversed() {
        #expect(try session.run("undo").lines == ["undone  \(line)"])
      }
      let short = TestSession()
      try short.run(lines: Array(Self.lines[..<kept]))
      #expect(Self.state(session) == Self.state(short), "\(kept) lines kept")
    }
  }

  @Test func `says so when nothing is left, and goes back ten commands`() throws {
    let session = TestSession()
    #expect(throws: CommandError.self) { try session.run("undo") }
    for number in 0..<12 { try session.run("let a = \(number)") }
    for _ in 0..<10 { try session.run("undo") }
    #expect(session.runner.variables["a"] == "1")
    #expect(throws: CommandError.self) { try session.run("undo") }
  }

  @Test func `lets no picture be written twice under one name`() throws {
    let session = TestSession()
    try session.run(lines: ["phantom size=16 slices=2", "view clean[0]", "undo"])
    #expect(try session.run("view clean[0] window=bone").lines.joined().contains("clean-0-2.png"))
  }

  @Test func `takes back a training that met a NaN but had changed the weights`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=16 slices=4", "noise gaussian", "conv channels=4", "conv",
      "optimizer sgd lr=1e12",
    ])
    let before = try session.fingerprint("c1.weight")
    #expect(throws: CommandError.self) { try session.run("train steps=50") }
    #expect(try session.fingerprint("c1.weight") != before)
    #expect(try session.run("undo").lines == ["undone  stats c1.weight"])
    #expect(try session.run("undo").lines == ["undone  train steps=50"])
    #expect(try session.fingerprint("c1.weight") == before)
  }
}
