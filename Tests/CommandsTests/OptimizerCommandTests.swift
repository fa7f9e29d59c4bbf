import CommandLanguage
import Commands
import Foundation
import Synchronization
import Testing

/// Optimizers, their schedules and names, clipping, and gradient noise, through commands.
struct OptimizerCommandTests {
  private static let setup = [
    "phantom size=32 slices=6 patients=1", "noise gaussian sigma=60HU", "block channels=2", "conv",
  ]

  private func session(_ lines: String...) throws -> TestSession {
    let session = TestSession()
    try session.run(lines: Self.setup + lines)
    return session
  }

  private func rate(_ line: String, _ session: TestSession) throws -> Double {
    try session.number(line, "lr")
  }

  // MARK: - Schedules

  @Test func `a schedule spans the updates of a train line, and going on keeps its place`() throws {
    // 6 slices in batches of 2: 3 updates an epoch, 12 in all.
    let whole = try session("optimizer sgd lr=0.1 schedule=cosine final-lr=0.01")
    let last = 0.01 + 0.09 * (1 + cos(.pi * 11 / 12)) / 2
    #expect(abs(try rate("train epochs=4 batch=2", whole) - last) < 1e-12)
    #expect(try whole.run("continue steps=1").foreword.count == 1)
    #expect(try rate("continue steps=1", whole) == 0.01)
    #expect(try rate("train steps=1", whole) == 0.1, "'train' begins the schedule anew")

    let cut = try session(
      "optimizer sgd lr=0.1 schedule=cosine final-lr=0.01", "train epochs=4 batch=2 steps=5",
      "continue steps=1", "continue steps=5")
    #expect(abs(try rate("continue steps=1", cut) - last) < 1e-12)
    let one = try session(
      "optimizer sgd lr=0.1 schedule=cosine final-lr=0.01", "train epochs=4 batch=2")
    #expect(try cut.fingerprint("c1.weight") == one.fingerprint("c1.weight"))
  }

  @Test(arguments: [
    ("train steps=4 batch=2", 4.0), ("train steps=4 batch=2 epochs=4", 12),
    ("train steps=4 batch=2 horizon=40", 40), ("train steps=4 epochs=4 horizon=7 batch=2", 7),
  ])
  func `the horizon is that of the steps, of the epochs, or as told`(line: String, horizon: Double)
    throws
  {
    let session = try session("optimizer sgd lr=0.1 schedule=cosine")
    #expect(abs(try rate(line, session) - 0.05 * (1 + cos(.pi * 3 / horizon))) < 1e-12)
  }

  @Test func `falls of a step schedule are counted in epochs of the line`() throws {
    let session = try session(
      "optimizer sgd lr=0.1 schedule=step decay-every=2 decay-factor=0.5")
    #expect(try rate("train epochs=2 batch=2", session) == 0.1)
    #expect(try rate("continue epochs=1", session) == 0.05)
    #expect(try rate("continue epochs=2", session) == 0.025)
    #expect(try rate("train epochs=1 batch=2", session) == 0.1)
  }

  @Test(arguments: [
    ("train batch=2 time=0.2s", "train batch=2 epochs=10 steps="),
    ("train epochs=100000 batch=2 time=0.2s", "train epochs=100000 batch=2 steps="),
    ("train steps=100000 batch=2 time=0.2s", "train batch=2 horizon=100000 steps="),
    ("train steps=100000 horizon=9 time=0.2s", "train horizon=9 steps="),
  ])
  func `a training that a clock ended repeats with its schedule`(line: String, start: String) throws
  {
    let optimizer = "optimizer adam schedule=one-cycle"
    // Larger slices, so that ten epochs take longer than the clock allows.
    let setup = ["phantom size=256 slices=6 patients=1"] + Self.setup.dropFirst() + [optimizer]
    let first = TestSession()
    try first.run(lines: setup)
    let outcome = try first.run(line)
    guard outcome.result["stopped"] == .string("time") else {
      // A fast machine may be through; then there is nothing to repeat.
      #expect(outcome.recordedCommand == nil)
      return
    }
    let recorded = try #require(outcome.recordedCommand)
    #expect(recorded.hasPrefix(start), "\(recorded)")
    let second = TestSession()
    try second.run(lines: setup + [recorded])
    #expect(try first.fingerprint("c1.weight") == second.fingerprint("c1.weight"))
  }

  // MARK: - Changing keys

  @Test func `a key alone changes the optimizer in use and keeps its memory`() throws {
    let session = try session(
      "optimizer sgd lr=0.1 momentum=0.9 clip=norm:5", "train steps=3 batch=2")
    let velocity = try session.fingerprint("c1.weight.m")
    let outcome = try session.run("optimizer lr=0.05")
    #expect(
      outcome.lines == [
        "optimizer sgd lr=0.05 momentum=0.9 nesterov=no clip=norm:5.0",
        "goes on after 3 updates, with what it remembers",
      ])
    #expect(outcome.result["updates"] == .integer(3))
    #expect(try session.fingerprint("c1.weight.m") == velocity)
    try session.run("continue steps=1")
    let (update, memory) = (
      try session.number("stats c1.weight.update", "mean"),
      try session.number("stats c1.weight.m", "mean")
    )
    #expect(abs(update / memory + 0.05) < 1e-6, "the new rate times the old memory")
    #expect(try session.fingerprint("c1.weight.m") != velocity)
  }

  @Test func `the value that it has changes nothing`() throws {
    let setup = "optimizer adam lr=0.01 schedule=cosine"
    let whole = try session(setup, "train steps=6 batch=2")
    let cut = try session(
      setup, "train steps=3 batch=2 horizon=6", "optimizer lr=0.01", "continue steps=3")
    #expect(try whole.fingerprint("c1.weight") == cut.fingerprint("c1.weight"))
  }

  @Test func `what was left of a training goes on with the new rate`() throws {
    let session = try session("train epochs=400 batch=2 time=1ms", "optimizer lr=0")
    let steps = try session.number("continue", "steps")
    #expect(steps > 1000)
    #expect(try session.number("stats c1.weight.update", "max") == 0)
  }

  @Test(arguments: [
    ("optimizer adam lr=0.01 schedule=one-cycle", "optimizer final-lr=0.001", "final-lr=0.001"),
    ("optimizer adam lr=0.01 schedule=one-cycle", "optimizer schedule=cosine", "schedule=cosine"),
    ("optimizer sgd lr=0.1 clip=norm:2", "optimizer clip=value:0.5", "clip=value:0.5"),
    ("optimizer adam", "optimizer beta1=0.5 correction=constant", "correction=constant"),
    ("optimizer adagrad", "optimizer decay=2", "decay=2.0"),
    ("optimizer sgd as=slow", "optimizer slow momentum=0.5", "momentum=0.5"),
  ])
  func `every key can change`(first: String, second: String, words: String) throws {
    let session = try session(first, "train steps=1", second)
    let line = try session.run("optimizer").lines[0]
    #expect(line.contains(words), "\(line)")
    #expect(try session.run("train steps=1").result["steps"] == .integer(1))
  }

  @Test func `clip=none takes the limit away`() throws {
    let session = try session("optimizer sgd clip=norm:2", "optimizer clip=none")
    #expect(
      try session.run("optimizer").lines[0] == "optimizer sgd lr=0.01 momentum=0.0 nesterov=no")
  }

  @Test func `a changed rate is undone, and kept by a checkpoint`() throws {
    let session = try session("optimizer sgd lr=0.1 momentum=0.9", "train steps=3 batch=2")
    try session.run(lines: ["optimizer lr=0.05", "checkpoint half", "continue steps=2"])
    let expected = try session.fingerprint("c1.weight")
    try session.run("restore half")
    #expect(try session.run("optimizer").lines[0].contains("lr=0.05"))
    try session.run("continue steps=2")
    #expect(try session.fingerprint("c1.weight") == expected)
    try session.run(lines: ["optimizer lr=0.5", "undo"])
    #expect(try session.run("optimizer").lines[0].contains("lr=0.05"))
  }

  // MARK: - Warnings

  @Test func `that the rate is 0 is said before the training`() throws {
    let session = try session("optimizer adam schedule=cosine", "train steps=3 batch=2")
    let outcome = try session.run("continue steps=2")
    #expect(outcome.foreword.count == 1 && outcome.warnings.isEmpty)
    #expect(
      outcome.lines[0].hasPrefix("warning: the learning rate is 0 in all 2 updates"),
      "\(outcome.lines)")
    #expect(outcome.lines.count == 2)
    try session.run("optimizer adam lr=0")
    #expect(try session.run("train steps=1").foreword.count == 1)
    #expect(try session.run("optimizer schedule=warm-up initial-lr=0").lines.count > 0)
    try session.run("optimizer adam schedule=warm-up initial-lr=0 warmup=50%")
    #expect(try session.run("train steps=4").foreword.isEmpty, "only the first is 0")
    try session.run("optimizer adam schedule=cosine final-lr=0.01")
    let longer = try session.run("train steps=4 horizon=3").foreword
    #expect(longer.count == 1 && longer[0].contains("ends after 3 of all 4 updates"), "\(longer)")
  }

  @Test func `warnings come before the first progress`() throws {
    let seen = Mutex<[String]>([])
    let folder = FileManager.default.temporaryDirectory.appending(path: "backflow-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let runner = CommandRunner.session(
      files: Files(script: folder, session: nil),
      progress: { update in
        seen.withLock { $0.append(update.warning.map { "warning: \($0)" } ?? update.text) }
      })
    for line in Self.setup + ["optimizer adam schedule=cosine", "train steps=3 batch=2"] {
      _ = try runner.run(line, line: 1)?.result.get()
    }
    seen.withLock { $0 = [] }
    _ = try runner.run("continue steps=2", line: 1)?.result.get()
    let texts = seen.withLock { $0 }
    let warning = texts.firstIndex { $0.hasPrefix("warning: ") }
    let step = texts.firstIndex { $0.hasPrefix("epoch") }
    #expect(try #require(warning) < #require(step), "\(texts)")
  }

  // MARK: - Clipping and noise

  @Test func `clipping is counted and holds the update`() throws {
    let session = try session("optimizer sgd lr=1 clip=norm:0.001")
    let outcome = try session.run("train steps=3 batch=2")
    #expect(outcome.result["clipped"] == .integer(3))
    #expect(outcome.lines[0].contains("clipped 3 of 3"))
    let names = ["b1.conv1.weight", "b1.conv1.bias", "c1.weight", "c1.bias"]
    let squares = try names.map { name in
      let count = name == "c1.bias" ? 1.0 : name == "b1.conv1.bias" ? 2.0 : 18.0
      let (mean, std) = (
        try session.number("stats \(name).update", "mean"),
        try session.number("stats \(name).update", "std")
      )
      return count * (mean * mean + std * std)
    }
    #expect(abs(squares.reduce(0, +).squareRoot() / 0.001 - 1) < 0.01)
    let free = try self.session("optimizer sgd lr=1 clip=norm:1e6")
    #expect(try free.run("train steps=3 batch=2").result["clipped"] == .integer(0))
    let none = try self.session("optimizer sgd lr=1")
    #expect(try none.run("train steps=3 batch=2").result["clipped"] == .null)
    #expect(try free.fingerprint("c1.weight") == none.fingerprint("c1.weight"))
  }

  @Test func `gradient noise reaches the update and not the gradient, and goes off`() throws {
    let quiet = try session("optimizer sgd lr=1", "train steps=1")
    let noisy = try session("optimizer sgd lr=1", "gradient-noise scalar eta=0.5", "train steps=1")
    #expect(try quiet.fingerprint("c1.weight.grad") == noisy.fingerprint("c1.weight.grad"))
    let shift =
      try noisy.number("stats c1.weight.update", "mean")
      - quiet.number("stats c1.weight.update", "mean")
    let same =
      try noisy.number("stats c1.weight.update", "std")
      - quiet.number("stats c1.weight.update", "std")
    #expect(abs(shift) > 1e-3 && abs(same) < 1e-5, "one number for all")
    let off = try session(
      "optimizer sgd lr=1", "gradient-noise scalar eta=0.5", "gradient-noise off", "train steps=1")
    #expect(try off.fingerprint("c1.weight") == quiet.fingerprint("c1.weight"))
    let other = try session(
      "optimizer sgd lr=1", "gradient-noise scalar eta=0.5 seed=2", "train steps=1")
    #expect(try other.fingerprint("c1.weight") != noisy.fingerprint("c1.weight"))
  }

  // MARK: - Names and lines

  @Test(arguments: [
    "optimizer adam lr=0.002 beta1=0.8 beta2=0.99 epsilon=1e-7 correction=constant clip=norm:2",
    "optimizer sgd lr=0.3 momentum=0.5 nesterov=yes schedule=step decay-every=3 decay-factor=0.7",
    "optimizer rmsprop lr=0.1 decay=0.95 momentum=0.1 epsilon=1e-5 schedule=cosine final-lr=0.07",
    "optimizer adagrad lr=0.1 decay=0.01 initial=0.1 epsilon=1e-6 schedule=warm-up warmup=100%",
    "optimizer adadelta lr=0.7 decay=0.8 epsilon=1e-4 schedule=one-cycle warmup=7% clip=value:0.3",
    "optimizer sgd schedule=warm-up warmup=12 initial-lr=0.001",
  ])
  func `the line of an optimizer chooses the same optimizer`(line: String) throws {
    let session = TestSession()
    try session.run(line)
    let shown = try session.run("optimizer").lines[0]
    try session.run("optimizer sgd lr=9")
    try session.run(shown)
    #expect(try session.run("optimizer").lines[0] == shown)
    // Nothing that was typed is lost.
    for word in line.split(separator: " ").dropFirst(2) {
      let parts = word.split(separator: "=").map(String.init)
      let value = shown.firstMatch(of: try Regex("\\b\(parts[0])=(\\S+)"))?.output[1].substring
      let found = try #require(value, "\(parts[0])").replacing("norm:", with: "")
        .replacing("value:", with: "")
      let typed = parts[1].replacing("norm:", with: "").replacing("value:", with: "")
      #expect(
        found == typed || Double(found) == Double(typed)
          || typed.hasSuffix("%")
            && Double(found).map({ abs($0 * 100 - (Double(typed.dropLast()) ?? -1)) < 1e-9 })
              ?? false,
        "\(word): \(shown)")
    }
  }

  @Test func `a kept optimizer is chosen by its name, with schedule and clipping`() throws {
    let session = try session(
      "optimizer adam lr=0.01 schedule=cosine clip=value:0.1 as=fast", "optimizer sgd as=plain")
    let shown = try session.run("optimizer")
    #expect(shown.lines[0].hasPrefix("optimizer sgd"))
    #expect(shown.lines.contains { $0.hasPrefix("fast") && $0.contains("clip=value:0.1") })
    #expect(try session.run("optimizer fast").lines[0].contains("schedule=cosine"))
    try session.run("train steps=1")
    try session.run("race optimizer=fast,plain,rmsprop seeds=2 steps=2")
  }

  @Test(arguments: [
    ("optimizer adan", #"did you mean "adam"#), ("optimizer adan lr=1", #"did you mean "adam"#),
    ("optimizer adam as=sgd", "cannot name"), ("optimizer adam as=1a", "cannot name"),
    ("optimizer nesterov=yes", "adam has no nesterov="), ("optimizer lr=-1", "out of range"),
    ("optimizer warmup=3", "no use with schedule=constant"), ("optimizer beta1=1", "below 1"),
    ("optimizer adam schedule=cosin", #"did you mean "cosine"?"#),
    ("optimizer adam decay-every=2", "belongs to schedule=step"),
    ("optimizer adam schedule=cosine warmup=3", "schedule=one-cycle and schedule=warm-up"),
    ("optimizer adam schedule=one-cycle warmup=1.5", "whole number"),
    ("optimizer adam schedule=one-cycle warmup=150%", "at most 100%"),
    ("optimizer adam schedule=one-cycle warmup=1e300", "whole number"),
    ("optimizer adam clip=norm:0", "above 0"), ("optimizer adam clip=1", "norm:N"),
    ("optimizer adam clip=value:1e999", "finite"), ("optimizer rmsprop decay=1", "below 1"),
    ("optimizer adadelta decay=2", "out of range"),
    ("optimizer adagrad epsilon=-1", "out of range"),
    ("gradient-noise", "elementwise"),
    ("gradient-noise on", "elementwise, scalar, multiply or off"),
    ("gradient-noise off eta=1", "takes no eta="),
    ("gradient-noise scalar gamma=-1", "out of range"),
    ("train horizon=0", "out of range"),
  ])
  func `wrong lines say what is right`(line: String, words: String) throws {
    let session = try session()
    let before = try session.run("optimizer").lines
    let error = #expect(throws: CommandError.self) { try session.run(line) }
    #expect(error?.summary.contains(words) == true, "\(error?.summary ?? "")")
    #expect(try session.run("optimizer").lines == before)
  }
}
