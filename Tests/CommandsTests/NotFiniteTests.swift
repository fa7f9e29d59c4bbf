import CommandLanguage
import Testing

/// What commands say of NaN: that it is there, and nothing else.
struct NotFiniteTests {
  private func session(_ lines: String...) throws -> TestSession {
    let session = TestSession()
    try session.run(
      lines: [
        "phantom size=32 slices=4 patients=1", "noise gaussian sigma=60HU", "block channels=2",
        "conv",
      ] + lines)
    return session
  }

  @Test func `figures of NaN weights are said to say nothing`() throws {
    let session = try session("assign c1.weight = 0/0")
    let outcome = try session.run("evaluate")
    #expect(
      outcome.warnings == [
        "denoised holds NaN or infinite values in slices 0, 1, 2, 3: the means over slices say nothing"
      ])
    #expect(try session.run("denoise").warnings.count == 1)
    let lines = try session.run("diagnose").lines
    #expect(!lines.contains { $0.hasPrefix("oracle") || $0.hasPrefix("nothing found") })
  }

  @Test func `a slice of NaN is named, and no claim is made`() throws {
    let session = try session("assign noisy[2, 5, 6] = 0/0")
    #expect(
      try session.run("evaluate").warnings.contains {
        $0.hasPrefix("noisy holds NaN or infinite values in slice 2:")
      })
    let diagnosis = try session.run("diagnose").lines
    #expect(diagnosis[0].contains("1 of the noisy slices hold NaN"), "\(diagnosis)")
    let race = try session.run("race flow=standard,tape seeds=2 steps=2 batch=4")
    #expect(race.lines.contains { $0.contains("nothing can be said") })
    #expect(!race.lines.contains { $0.contains("better") || $0.contains("worse") })
    #expect(try session.run("stats noisy[2]").lines[0].hasSuffix("nan 1"))
    #expect(try session.run("hist noisy[2] as=text").lines.last?.hasSuffix("nan 1") == true)
    try session.run("assign noisy[2] = 0/0")
    let error = #expect(throws: CommandError.self) { try session.run("hist noisy[2]") }
    #expect(error?.message.contains("no finite number") == true)
  }

  @Test func `a training that a NaN stopped keeps its steps, and goes on when the cause is mended`()
    throws
  {
    let session = try session("assign noisy[3, 5, 6] = 0/0")
    let before = try session.fingerprint("c1.weight")
    let error = #expect(throws: CommandError.self) { try session.run("train steps=40 batch=1") }
    #expect(error?.code == "non-finite")
    let message = try #require(error?.message)
    let made = try #require(message.firstMatch(of: /the (\d+) updates? before it (are|is) kept/)?.1)
    let steps = try #require(Int(made))
    #expect(message.contains("before step \(steps + 1):"))
    #expect(try session.fingerprint("c1.weight") != before)
    #expect(try session.number("stats c1.weight", "nan") == 0)
    let again = TestSession()
    try again.run(lines: [
      "phantom size=32 slices=4 patients=1", "noise gaussian sigma=60HU", "block channels=2",
      "conv", "assign noisy[3, 5, 6] = 0/0", "train batch=1 steps=\(steps)",
    ])
    #expect(try again.fingerprint("c1.weight") == session.fingerprint("c1.weight"))
    try session.run("assign noisy[3, 5, 6] = 0.5")
    #expect(try session.number("continue", "steps") == Double(40 - steps))
  }
}
