import CommandLanguage
import Foundation
import Ledgers
import Testing
import Transcripts

struct `A review` {
  @Test func `shows words and numbers that changed, with their difference`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x", "measure"])
    try scratch.edit("31.20 dB", "31.15 dB")
    try scratch.edit("clean  16", "clear  16")
    let lines = try scratch.replay().lines(file: "f")
    #expect(lines.contains("  changed   31.15 → 31.20 (+0.05)"), "\(lines)")
    #expect(lines.contains("  changed   clear → clean"), "\(lines)")
  }

  @Test func `counts a command without recorded output as recorded`() throws {
    let scratch = try Scratch()
    try scratch.write("> load x\n> measure\n", to: "first.session")
    let report = try scratch.replay()
    #expect(report.checked == 0 && report.recorded == 2)
    #expect(report.lines(file: "f").contains { $0.hasPrefix("2 commands have no recorded output") })
  }

  @Test(arguments: [0.04, -0.04, 0.3])
  func `accepts numbers with tolerances that the same replay then keeps`(offset: Double) throws {
    let scratch = try Scratch()
    try scratch.record(["load x", "measure", "train"])
    let other = ToyStudio(folder: scratch.out, offset: offset)
    #expect(try scratch.replay(other).status == .replayDiffers)
    let (widened, left) = try Acceptance.acceptWithTolerances(scratch.paths)
    #expect(widened == (abs(offset) < 0.05 ? 3 : 4) && left.isEmpty)
    #expect(try scratch.read("first.session").contains("psnr 31.20~0"))
    #expect(try scratch.replay(other).status == .success)
    #expect(try scratch.replay().status == .success)
    let far = ToyStudio(folder: scratch.out, offset: 2 * offset)
    #expect(try scratch.replay(far).status == .replayDiffers)
  }

  @Test func `leaves words and pictures alone when it writes tolerances`() throws {
    let scratch = try Scratch()
    try scratch.record(["measure", "view"])
    let other = ToyStudio(folder: scratch.out, offset: 0.04, pixels: "bbbbbbbbbbbb", unit: "mm")
    #expect(try scratch.replay(other).status == .replayDiffers)
    let (widened, left) = try Acceptance.acceptWithTolerances(scratch.paths)
    #expect(widened == 2 && left.count == 2)
    #expect(try scratch.read("first.session").contains("unit HU"))
    #expect(try scratch.replay(other).differences.map(\.line) == left)
  }

  @Test func `widens only the lines it is told`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x", "measure"])
    _ = try scratch.replay(ToyStudio(folder: scratch.out, offset: 0.04))
    let line =
      try #require(
        scratch.read("first.session").split(separator: "\n", omittingEmptySubsequences: false)
          .firstIndex { $0.hasPrefix("psnr") }) + 1
    #expect(try Acceptance.acceptWithTolerances(scratch.paths, lines: [line]).widened == 1)
    #expect(try scratch.read("first.session").components(separatedBy: "~").count == 2)
  }
}

struct `A replay with a ledger` {
  private static let commands = ["load x", "measure", "train"]

  /// What each command leaves: a tensor of 2000 numbers, one of them off by `bits`.
  private static func traces(bits: UInt32 = 0, at command: Int = 2) -> [Trace] {
    (1...3).map { number in
      var numbers = [Float](repeating: Float(number), count: 2000)
      if number == command { numbers[1234] = Float(bitPattern: numbers[1234].bitPattern + bits) }
      var trace = Trace()
      trace.tensors = [TracedTensor(name: "w", shape: [2, 1000], scalars: numbers)]
      return trace
    }
  }

  private static func record(_ scratch: Scratch) throws {
    let runner = ToyStudio.runner(ToyStudio(folder: scratch.out))
    var recorder = Recorder()
    for (line, trace) in zip(commands, traces()) {
      if let execution = runner.run(line, line: 1) { recorder.add(execution, trace) }
    }
    try recorder.save(to: scratch.paths, picturesFrom: scratch.out, stamps: Scratch.stamps)
  }

  private static func replay(
    _ scratch: Scratch, _ traces: [Trace], stamps: [Stamp] = Scratch.stamps,
    against: Ledger? = nil
  ) throws -> ReplayReport {
    var replayer = Replayer(paths: scratch.paths, outputFolder: scratch.out, stamps: stamps)
    replayer.against = against
    var left = traces[...]
    return try replayer.replay(
      on: ToyStudio.runner(ToyStudio(folder: scratch.out)),
      trace: { left.popFirst() ?? Trace() })
  }

  @Test func `names command, tensor and element of one other bit`() throws {
    let scratch = try Scratch()
    try Self.record(scratch)
    #expect(try Self.replay(scratch, Self.traces()).status == .success)
    let report = try Self.replay(scratch, Self.traces(bits: 3))
    #expect(report.status == .replayDiffers && report.differences.count == 1)
    let difference = try #require(report.differences.first)
    #expect(difference.command == "measure" && difference.expected == "w[1,234] = 2.0")
    #expect(difference.json["ulp"]?.numeric == 3 && difference.json["tensor"] == "w")
    try Acceptance.acceptAll(scratch.paths)
    #expect(try Self.replay(scratch, Self.traces(bits: 3)).status == .success)
  }

  @Test func `elsewhere tells where it parts, which is no fault`() throws {
    let scratch = try Scratch()
    try Self.record(scratch)
    let report = try Self.replay(
      scratch, Self.traces(bits: 1), stamps: `A replay`.elsewhere)
    #expect(report.status == .success)
    #expect(report.parting?.command == "measure" && report.json["parts"] != nil)
  }

  @Test func `against another ledger`() throws {
    let scratch = try Scratch()
    try Self.record(scratch)
    _ = try Self.replay(scratch, Self.traces(bits: 9, at: 3))
    let other = try #require(try LedgerFile.read(scratch.paths.newLedger))
    let report = try Self.replay(scratch, Self.traces(), against: other)
    #expect(report.differences.map(\.command) == ["train"])
  }

  @Test func `writes a command that failed but changed something`() throws {
    let scratch = try Scratch()
    let runner = ToyStudio.runner(ToyStudio(folder: scratch.out))
    var recorder = Recorder()
    for (line, trace) in zip(["load", "measur", "measure"], [Self.traces()[0], Trace(), Trace()]) {
      if let execution = runner.run(line, line: 1) { recorder.add(execution, trace) }
    }
    let text = recorder.text(stamps: [])
    #expect(text.contains("> fails load\n") && !text.contains("measur\n"))
  }

  @Test func `that is damaged is an error before anything runs`() throws {
    let scratch = try Scratch()
    try Self.record(scratch)
    try scratch.write("no ledger", to: "first.ledger")
    #expect(throws: SessionError.self) { try Self.replay(scratch, Self.traces()) }
  }
}
