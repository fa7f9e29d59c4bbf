import CommandLanguage
import Testing

/// Copies of a network that go on alike.
struct NetworkForkTests {
  private static let setup = [
    "phantom size=32 slices=2", "noise gaussian sigma=60HU fresh", "block channels=2", "conv",
    "train steps=3 batch=2",
  ]

  @Test func `a fork goes on with the same batches, noise and moments`() throws {
    let session = TestSession()
    try session.run(lines: Self.setup + ["net fork second", "train steps=4 batch=2"])
    let names = ["b1.conv1.weight", "c1.bias", "c1.weight.m", "c1.weight.v", "b1.out.grad"]
    let first = try names.map { try session.fingerprint($0) }
    try session.run(lines: ["net use second", "train steps=4 batch=2"])
    #expect(try names.map { try session.fingerprint($0) } == first)
    #expect(try names.map { try session.fingerprint("main/" + $0) } == first)
  }

  @Test func `plot loss shows the run of the network in use, and names it`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.setup + ["net fork small", "net use small", "train steps=2 batch=2"])
    try session.run(lines: ["net use main"])
    #expect(try session.run("plot loss as=text").lines[0] == "Loss in training of main")
    try session.run("train steps=5 batch=2")
    let main = try session.run("plot loss as=text")
    #expect(main.result.value(at: "runs.0.network") == .string("main"))
    #expect(main.lines.last?.hasPrefix("run 1 of main  8 steps") == true, "\(main.lines)")
    let small = try session.run("net use small").result
    #expect(small["name"] == .string("small"))
    #expect(
      try session.run("plot psnr as=text").lines.last?.hasPrefix("run 2 of small") == true)
    let both = try session.run("plot loss runs=2 as=text")
    #expect(both.lines[0] == "Loss in training of main, small")
    #expect(both.result.value(at: "runs.1.network") == .string("main"), "trained last")
  }

  @Test func `a network that has not trained has no curve, and the error says whose there are`()
    throws
  {
    let session = TestSession()
    try session.run(lines: Self.setup + ["net fork small", "net use small"])
    let error = #expect(throws: CommandError.self) { try session.run("plot loss") }
    #expect(error?.message.contains("small, the network in use, has not been trained") == true)
    #expect(error?.hint?.contains("net use main") == true)
  }

  @Test func `other flows' gradients of the same pass have names`() throws {
    let session = TestSession()
    try session.run(lines: Self.setup)
    let (standard, tape) = (
      try session.number("stats b1.conv1.weight.grad.standard", "max"),
      try session.number("stats b1.conv1.weight.grad.tape", "max")
    )
    #expect(abs(standard - tape) <= 1e-5 * abs(standard))
  }

  @Test func `a race claims nothing without a spread and leaves the network alone`() throws {
    let session = TestSession()
    try session.run(lines: Self.setup)
    let before = try session.fingerprint("c1.weight")
    let race = try session.run("race flow=standard,tape seeds=1 steps=2 batch=2")
    #expect(race.lines.last?.contains("nothing can be said") == true)
    #expect(try session.fingerprint("c1.weight") == before)
  }

  @Test(arguments: [
    ("1a", 950.0), ("1b", 394), ("1c", 470), ("2a", 5398), ("2b", 5398), ("2c", 5398), ("3a", 1338),
    ("3b", 1338), ("3c", 1338), ("4", 5398),
  ])
  func `the article's networks have its counts of weights`(
    _ name: String, _ count: Double
  ) throws {
    let session = TestSession()
    try session.run("net preset article-\(name)")
    #expect(try session.number("net show", "parameters") == count)
  }
}
