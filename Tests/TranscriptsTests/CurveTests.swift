import CommandLanguage
import Foundation
import Testing
import Transcripts

struct `Curves behind results` {
  private func curves(_ scratch: Scratch) throws -> CurveFile {
    CurveFile(bytes: Array(try Data(contentsOf: URL(filePath: scratch.paths.curves))))
  }

  @Test func `are kept beside the session, numbers that are none included`() throws {
    let scratch = try Scratch()
    try scratch.record(["measure", "train steps=3", "train steps=3"])
    var file = try curves(scratch)
    for _ in 0..<2 {
      let found = file.take(command: "train steps=3", output: ["loss 0.5000"])
      let point = try #require(found.first?.points.first)
      #expect(point.y == 0.5 && point.low.isNaN && point.high == .infinity)
    }
    #expect(file.take(command: "train steps=3", output: ["loss 0.5000"]) == [])
  }

  @Test func `are another command's after another run`() throws {
    let scratch = try Scratch()
    try scratch.record(["train steps=3"])
    var file = try curves(scratch)
    #expect(file.take(command: "train steps=3", output: ["loss 0.5001"]) == [])
    #expect(file.take(command: "train steps=4", output: ["loss 0.5000"]) == [])
    #expect(file.take(command: "train steps=3", output: ["loss 0.5000"]) != [])
  }

  @Test func `stay those of the same run in another time`() throws {
    let text =
      #"{"entries":[{"command":"train","output":["loss 1  <>"],"curves":[{"title":"","name":"","x":"","#
      + #""y":"","isLogarithmic":false,"points":[],"reference":{}}]}]}"#
    var file = CurveFile(bytes: Array(text.utf8))
    #expect(file.take(command: "train", output: ["loss 2  <4.1 s>"]) == [])
    #expect(file.take(command: "train", output: ["loss 1  <4.1 s>", ""]) != [])
  }

  @Test func `of a session without any make no file`() throws {
    let scratch = try Scratch()
    try scratch.record(["measure"])
    #expect(!scratch.exists("first.curves.json"))
  }

  @Test func `are accepted with what they belong to`() throws {
    let scratch = try Scratch()
    try scratch.record(["train steps=3", "train steps=4"])
    let other = ToyStudio(folder: scratch.out, offset: 1)
    _ = try scratch.replay(other)
    var old = try curves(scratch)
    #expect(old.take(command: "train steps=3", output: ["loss 1.5000"]) == [])
    let line = try #require(
      try SessionFile(path: scratch.paths.file).entries.first?.outputs.first?.line)
    #expect(try Acceptance(scratch.paths).accept(lines: [line]) == nil)
    var some = try curves(scratch)
    #expect(
      some.take(command: "train steps=3", output: ["loss 1.5000"]).first?.points.first?.y == 1.5)
    #expect(
      some.take(command: "train steps=4", output: ["loss 0.5000"]).first?.points.first?.y == 0.5)
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    var all = try curves(scratch)
    #expect(
      all.take(command: "train steps=4", output: ["loss 1.5000"]).first?.points.first?.y == 1.5)
    #expect(!scratch.exists("first.new.curves.json"))
  }

  @Test func `stay when numbers get tolerances`() throws {
    let scratch = try Scratch()
    try scratch.record(["train steps=3"])
    _ = try scratch.replay(ToyStudio(folder: scratch.out, offset: 1))
    #expect(try Acceptance(scratch.paths).acceptWithTolerances().widened == 1)
    let output = try #require(try SessionFile(path: scratch.paths.file).entries.first?.outputs)
    #expect(output.contains { $0.text.contains("~") })
    var kept = try curves(scratch)
    #expect(
      kept.take(command: "train steps=3", output: output.map(\.text)).first?.points.first?.y == 0.5)
    var entries = CurveFile()
    entries = try curves(scratch)
    #expect(entries.take(command: "train steps=3", output: ["loss 0.6000~1.01"]) == [])
  }

  @Test(arguments: ["", "{}", "[]", "{\"entries\":3}", "{\"entries\":[{\"command\":1}]}", "\u{0}"])
  func `that cannot be read are none`(_ text: String) {
    #expect(CurveFile(bytes: Array(text.utf8)) == CurveFile())
  }
}
