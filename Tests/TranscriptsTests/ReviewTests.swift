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
    let (widened, left, _) = try Acceptance(scratch.paths).acceptWithTolerances()
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
    let (widened, left, _) = try Acceptance(scratch.paths).acceptWithTolerances()
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
    #expect(try Acceptance(scratch.paths).acceptWithTolerances(lines: [line]).widened == 1)
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
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
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

  @Test func `knows the tensors of a command that failed half way by the one that was recorded`()
    throws
  {
    let scratch = try Scratch()
    let runner = ToyStudio.runner(ToyStudio(folder: scratch.out))
    var recorder = Recorder()
    for (line, trace) in zip(["spoil", "measur", "measure"], [Self.traces()[0], Trace(), Trace()]) {
      if let execution = runner.run(line, line: 1) { recorder.add(execution, trace) }
    }
    try recorder.save(to: scratch.paths, picturesFrom: scratch.out, stamps: Scratch.stamps)
    let ledger = try #require(try LedgerFile.read(scratch.paths.ledger))
    #expect(ledger.entry(number: 1)?.command == "train steps=3  # stopped by a NaN")
    #expect(
      ledger.commands?.map { $0?.command } == ["train steps=3  # stopped by a NaN", "measure"])
  }

  @Test func `that is damaged is an error before anything runs`() throws {
    let scratch = try Scratch()
    try Self.record(scratch)
    try scratch.write("no ledger", to: "first.ledger")
    #expect(throws: SessionError.self) { try Self.replay(scratch, Self.traces()) }
  }
}

struct `A replay after an edit` {
  private func scratch(_ lines: [String]) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.record(lines)
    return scratch
  }

  @Test func `begins with what was edited and what follows from it`() throws {
    let scratch = try scratch(["load x", "measure", "block", "view", "measure value=5"])
    try scratch.edit("> measure\n", "> measure value=40\n")
    try scratch.edit("> block\n", "> block\n> load y\n")
    try scratch.edit("> view\n[png", "[png")
    try scratch.edit("[png noisy-3.png 4x3 gray8 px:aaaaaaaaaaaa]\n", "")
    let report = try scratch.replay()
    let lines = report.lines(file: "f")
    #expect(
      lines.prefix(5) == [
        "edited since it was recorded:",
        "  line 7: measure → measure value=40",
        "  line 15: view → load y",
        "what follows from it: line 7 says something else, 1 below says the same",
        "f:8: measure value=40",
      ], "\(lines)")
    #expect(report.json.text.contains("\"edited\":[{\"line\":7,\"before\":\"measure\""))
  }

  @Test func `names added and removed commands, and says when nothing follows`() throws {
    let scratch = try scratch(["load x", "block", "measure", "block"])
    try scratch.edit("> measure\n", "> let a = 1\n> measure\n")
    try scratch.write(
      String(try scratch.read("first.session").dropLast("> block\n".count)), to: "first.session")
    let lines = try scratch.replay().lines(file: "f")
    #expect(
      lines.prefix(4) == [
        "edited since it was recorded:", "  line 8, added: let a = 1",
        "  at the end, removed: block",
        "what follows from it: nothing, 1 below says the same",
      ], "\(lines)")
  }

  @Test func `says of lines that did not run that nothing is known`() throws {
    let scratch = try scratch(["load x", "measure", "measure value=5", "view"])
    try scratch.edit("> measure value=5\n", "> measure value=6\n")
    let line = try #require(SessionFile(path: scratch.paths.file).entries.last).line
    let edited = try #require(SessionFile(path: scratch.paths.file).entries.dropLast().last).line
    let before = try scratch.replay(player: SessionPlayer(stopLine: edited)).lines(file: "f")
    #expect(before.contains("what follows from it is not known: 2 below did not run"), "\(before)")
    let after = try scratch.replay(player: SessionPlayer(stopLine: line)).lines(file: "f")
    #expect(after.contains { $0.hasPrefix("what follows") && $0.hasSuffix(", 1 did not run") })
  }

  @Test func `does not blame the edit for what differs above it`() throws {
    let scratch = try scratch(["load x", "measure", "view"])
    try scratch.edit("-512.4", "-512.5")
    try scratch.edit("> view\n", "> view  # now\n")
    let lines = try scratch.replay().lines(file: "f")
    #expect(lines.contains("line 5 above it: no edit explains that"), "\(lines)")
  }

  @Test func `without an edit, or where none is known, says nothing of it`() throws {
    let scratch = try scratch(["load x", "measure"])
    #expect(try scratch.replay().edits == nil)
    try scratch.edit("> measure", "> measure value=2")
    try FileManager.default.removeItem(atPath: scratch.path + "/first.ledger")
    #expect(try scratch.replay().edits == nil)
  }

  @Test func `reads other data, if the edit asks for them`() throws {
    let scratch = try scratch(["let a = x", "load $a", "measure"])
    try scratch.edit("> let a = x\n", "> let a = x  # others\n")
    let report = try scratch.replay(ToyStudio(folder: scratch.out, data: "sha256:2222"))
    #expect(report.otherData == nil && report.status == .success)
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    #expect(try scratch.read("first.session").contains("#@ data x: sha256:2222"))
    let again = try scratch.replay(ToyStudio(folder: scratch.out, data: "sha256:1111"))
    #expect(again.status == .badInput)
  }

  @Test func `still knows the edit after some lines were accepted`() throws {
    let scratch = try scratch(["load x", "measure", "measure value=5"])
    try scratch.edit("> measure\n", "> block\n> measure value=7\n")
    _ = try scratch.replay()
    #expect(try Acceptance(scratch.paths).accept(lines: [8]) == nil)
    let lines = try scratch.replay().lines(file: "f")
    #expect(
      lines.prefix(2) == ["edited since it was recorded:", "  line 7: measure → block"], "\(lines)")
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    #expect(try scratch.replay().edits == nil)
  }
}
