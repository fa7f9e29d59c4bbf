import CommandLanguage
import Ledgers
import Testing
import Transcripts

struct `The recorder` {
  @Test func `writes what the contract shows`() throws {
    let scratch = try Scratch()
    try scratch.record([
      "# A first look", "load x", "help", "block \\\n  # wide", "block", "view", "quit",
    ])
    #expect(
      try scratch.read("first.session") == """
        #! backflow session 1
        #@ backflow: 0.1.0
        #@ engine: SkylakeX
        #@ data x: sha256:1111
        # A first look
        > load x
        clean  16 slices  mean -512.4 HU
        > block \\
        >   # wide
        > block
        > view
        [png noisy-3.png 4x3 gray8 px:aaaaaaaaaaaa]

        """)
    #expect(try scratch.read("first/noisy-3.png") == "aaaaaaaaaaaa")
  }

  @Test func `escapes outputs that look like something else`() throws {
    let scratch = try Scratch()
    try scratch.record(["measure"])
    let text = try scratch.read("first.session")
    #expect(text.contains("\n\\> unit HU\n"))
    #expect(text.contains("\n\\\\<b>"))
    let outputs = try SessionFile(text: text).entries[0].outputs.map(\.text)
    #expect(outputs.last == "> unit HU" && outputs.contains { $0.hasPrefix("\\<b>") })
  }

  @Test func `writes a stopped training so that it runs exactly so again`() throws {
    let scratch = try Scratch()
    try scratch.record(["train epochs=10"])
    #expect(
      try scratch.read("first.session")
        .contains("> train epochs=10 steps=141  # stopped by hand\nloss 0.5000\n"))
    #expect(try scratch.replay().status == .success)
  }

  @Test func `leaves failed commands out, or writes that they fail`() throws {
    let runner = ToyStudio.runner(ToyStudio(folder: "/"))
    var recorder = Recorder()
    for line in ["lod x", "fails block", "block", "load 'open"] {
      if let execution = runner.run(line, line: 1) { recorder.add(execution) }
    }
    #expect(recorder.text(stamps: []) == "#! backflow session 1\n> block\n")
    let text = recorder.text(stamps: [], includingErrors: true)
    #expect(
      text == """
        #! backflow session 1
        > fails lod x
        failed: there is no command "lod"; did you mean "load"?
        > block
        > fails load 'open
        failed: the quote ' is not closed; add ' at its end

        """)
    for entry in try SessionFile(text: text).entries {
      let lines = runner.run(entry.command, line: entry.line)?.outcome?.lines
      #expect(lines == entry.outputs.map(\.text))
    }
  }

  @Test(arguments: ["fails block", "fails train steps=2", "fails undo"])
  func `holds nothing of a command that did not fail under fails`(line: String) throws {
    let scratch = try Scratch()
    let lines = ["load x", line, "measure", line]
    let runner = ToyStudio.runner(ToyStudio(folder: scratch.out))
    var recorder = Recorder()
    for line in lines {
      let execution = try #require(runner.run(line, line: 1))
      var trace = Trace()
      // A trace without an entry of its own once shifted all that follow, and ended the program.
      trace.tensors = [
        TracedTensor(name: "w", shape: [1], scalars: [Float(recorder.text(stamps: []).count)])
      ]
      recorder.add(execution, trace)
    }
    for includesErrors in [false, true] {
      try recorder.save(
        to: scratch.paths, picturesFrom: scratch.out, stamps: Scratch.stamps,
        includingErrors: includesErrors)
      let commands = try SessionFile(path: scratch.paths.file).entries.map(\.command)
      #expect(commands == ["load x", "measure"])
    }
  }

  @Test func `writes what a failed command did all the same`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x", "spoil", "block"])
    let text = try scratch.read("first.session")
    #expect(text.contains("\n> train steps=3  # stopped by a NaN\nloss 0.5000\n> block\n"))
    #expect(!text.contains("spoil"))
    #expect(try scratch.replay().status == .success)
  }

  @Test func `leaves out what a person interrupted, which no replay brings about again`() {
    var recorder = Recorder()
    let error = CommandError("interrupted", "interrupted", status: .interrupted)
    recorder.add(Execution(line: 1, text: "view", spec: nil, seconds: 0, result: .failure(error)))
    #expect(recorder.text(stamps: [], includingErrors: true) == "#! backflow session 1\n")
  }

  @Test func `holds the value from outside that a let took`() throws {
    let runner = CommandRunner(
      commands: ToyStudio.commands, workspace: ToyStudio(folder: "/"),
      overrides: ["v": "a value"])
    var recorder = Recorder()
    recorder.add(try #require(runner.run("let v = 3", line: 1)))
    #expect(recorder.text(stamps: []).contains("> let v = \"a value\"\n"))
  }

  @Test func `carries the stamp of BLAS where it multiplied`() throws {
    let runner = ToyStudio.runner(ToyStudio(folder: "/"))
    for usesBLAS in [false, true] {
      var recorder = Recorder()
      var trace = Trace()
      trace.usedBLAS = usesBLAS
      recorder.add(try #require(runner.run("block", line: 1)), trace)
      let text = recorder.text(stamps: Scratch.stamps + [Stamp("blas", "openblas 0.3.21 Haswell")])
      #expect(text.contains("#@ backflow: ") && text.contains("#@ blas: ") == usesBLAS)
    }
  }

  @Test func `leaves pictures outside the output folder where they are`() throws {
    let scratch = try Scratch()
    try scratch.write("outside", to: "x.png")
    var recorder = Recorder()
    var outcome = Outcome()
    outcome.add(
      RecordedPicture(
        path: "../x.png", width: 1, height: 1, samples: "gray8", fingerprint: "aaaaaaaaaaaa"))
    recorder.add(Execution(line: 1, text: "view", spec: nil, seconds: 0, result: .success(outcome)))
    try recorder.save(to: scratch.paths, picturesFrom: scratch.out, stamps: [])
    #expect(try scratch.read("first.session").contains("[png ../x.png"))
    #expect(try scratch.read("x.png") == "outside" && !scratch.exists("first"))
  }

  @Test func `copies a picture from where it is, under the name that the record gives it`() throws {
    let scratch = try Scratch()
    try scratch.write("pixels", to: "elsewhere.png")
    var recorder = Recorder()
    var outcome = Outcome()
    outcome.add(
      RecordedPicture(
        path: "a.png", place: scratch.path + "/elsewhere.png", width: 1, height: 1,
        samples: "gray8", fingerprint: "aaaaaaaaaaaa"))
    recorder.add(Execution(line: 1, text: "view", spec: nil, seconds: 0, result: .success(outcome)))
    try recorder.save(to: scratch.paths, picturesFrom: scratch.out, stamps: [])
    #expect(try scratch.read("first/a.png") == "pixels")
  }

  @Test func `replaces a session as a whole: what the old one named and the new does not goes`()
    throws
  {
    let scratch = try Scratch()
    try scratch.record(["view", "train epochs=10"])
    try scratch.write("of another", to: "first/other.png")
    #expect(scratch.exists("first/noisy-3.png") && scratch.exists("first.curves.json"))
    try scratch.record(["load x"])
    #expect(!scratch.exists("first/noisy-3.png") && !scratch.exists("first.curves.json"))
    #expect(try scratch.read("first/other.png") == "of another")
  }

  @Test(arguments: 0..<20)
  func `makes a session that replays, whatever was typed`(seed: UInt64) throws {
    var random = SystemlessRandom(state: seed)
    let scratch = try Scratch()
    let runner = ToyStudio.runner(ToyStudio(folder: scratch.out))
    var recorder = Recorder()
    let pieces = [
      "load ", "measure ", "view", "train steps=2", "block ", "let a = ", "$a", "fails ", "value=",
      "3",
      "'", "\"", "#", " # ", "> ", "#@ ", "\\", "\\\n", "\\> ", "<", "[", "]", "~1", "=", "é",
      "\u{1B}",
    ]
    for _ in 0..<60 {
      let count = Int.random(in: 1..<6, using: &random)
      let line = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      // A comment ends with its line.
      let starts = line.indices.filter { line[$0] == "\n" }.map { String(line[..<$0]) }
      guard starts.allSatisfy(ContinuedLine.goesOn) else { continue }
      if let execution = runner.run(line, line: 1) {
        recorder.add(execution)
      } else {
        recorder.add(note: line)
      }
    }
    try recorder.save(
      to: scratch.paths, picturesFrom: scratch.out, stamps: Scratch.stamps, includingErrors: true)
    let report = try scratch.replay()
    let text = try scratch.read("first.session")
    #expect(report.status == .success, "\(report.differences) \(text)")
    #expect(report.checked > 0)
    #expect(report.tolerated + report.notComparable + report.notChecked == 0, "\(text)")
  }
}
