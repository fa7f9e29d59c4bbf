import CommandLanguage
import Commands
import Figures
import GradientFlows
import Testing

/// A gradient of zero has no direction: it is said so, and no figure of it is made up.
struct ZeroGradientTests {
  private func session(_ lines: String...) throws -> TestSession {
    let session = TestSession()
    try session.run(
      lines: [
        "phantom size=32 slices=4", "noise gaussian sigma=60HU", "conv channels=3 act=tanh",
        "block channels=3 act=tanh", "block channels=3 act=tanh", "conv",
      ] + lines)
    return session
  }

  @Test func `compare has no cosine of it, nor does JSON`() throws {
    let session = try session("flow truncated depth=1 as=top", "flow standard")
    for (line, word) in [
      ("compare standard top", "is 0"), ("compare top standard", "reference is 0"),
      ("compare top top", "both are 0"),
    ] {
      let outcome = try session.run(line)
      let row = try #require(outcome.lines.first { $0.contains("c1.weight") })
      #expect(row.contains(word) && row.contains("–"), "\(row)")
      #expect(!outcome.lines.contains { $0.contains("nan") || $0.contains("inf") })
      #expect(outcome.result.value(at: "rows.0.cosine") == .null)
      #expect(!outcome.result.text.contains("nan") && !outcome.result.text.contains("\"inf\""))
      #expect(outcome.result.value(at: "rows.4.cosine")?.numeric == 1)
    }
  }

  @Test func `plot angle says which gradient has no direction, and where there is an angle`()
    throws
  {
    let session = try session("flow truncated depth=1", "optimizer adam lr=0.01")
    let top = try session.run("plot angle steps=3 as=text")
    #expect(
      top.lines.contains("c1  no angle: its gradient is 0, which has no direction"), "\(top.lines)")
    #expect(top.result.value(at: "lines.0.angles.0") == .null)
    #expect(try #require(top.result.value(at: "lines.3.angles.0")?.numeric) < 1e-3)
    // Predictors begin with 0 and have learned something after one update.
    let predicted = try session.run("plot angle flow=synthetic steps=3 as=text")
    let line = try #require(predicted.lines.first { $0.hasPrefix("c1  ") })
    #expect(line.contains("° at update 2, "), "\(line)")
    #expect(line.contains("; none at 1 of 3 looks: its gradient is 0"), "\(line)")
    #expect(!predicted.result.text.contains("nan"))
  }

  @Test func `diagnose names the layers that get none, and no breakpoint on a cosine holds`() throws
  {
    let session = try session("flow truncated depth=1")
    let found = try session.run("diagnose")
    #expect(
      found.lines.first
        == "no gradient  c1 b1: the gradient of their outputs is 0 everywhere, so they learn nothing in this "
        + "step")
    #expect(found.lines.contains("  try: flow standard"))
    #expect(found.result.value(at: "findings.0.kind") == .string("no-gradient"))
    try session.run("break cosine truncated standard b1 != 1")
    #expect(try !session.run("train steps=2").lines.contains { $0.contains("breakpoint") })
    try session.run(lines: ["break delete 1", "break cosine truncated standard b2 > 0.999"])
    #expect(try session.run("train steps=2").lines.contains { $0.contains("breakpoint 1") })
    let untaught = try self.session("flow synthetic").run("diagnose")
    #expect(untaught.lines.contains("  try: train steps=20"))
  }

  @Test func `a race without a figure says – and null`() throws {
    let session = try session("assign noisy[2, 5, 6] = 0/0")
    let race = try session.run("race flow=standard,tape seeds=2 steps=2 batch=4 as=text")
    #expect(race.lines.contains { $0.hasPrefix("standard") && $0.contains("–") }, "\(race.lines)")
    #expect(!race.lines.contains { $0.contains("nan") })
    #expect(race.result.value(at: "contestants.0.mean") == .null)
    #expect(!race.result.text.contains("nan"))
  }

  @Test func `every sign of a flow can be drawn, and each says what comes in place of a gradient`()
    throws
  {
    var legends: Set<String> = []
    for flow in allFlows {
      for letter in (flow.summary + flow.line).unicodeScalars {
        #expect(OutlineFont.regular.has(letter), "\(letter) of \(flow.line)")
      }
      let options = ["truncated": " depth=1", "checkpointed": " every=1"][flow.name] ?? ""
      let session = try session("flow \(flow.name)\(options)")
      let lines = try session.run("plot flow as=text").lines
      if let line = lines.first(where: { $0.contains("b1 is fed with") }) { legends.insert(line) }
      #expect(
        lines.contains { $0.contains("c1 is computed twice") } == (flow.name == "checkpointed"),
        "\(flow.name) \(lines)")
    }
    #expect(legends.count == 6)
  }
}
