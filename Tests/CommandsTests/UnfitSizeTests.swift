import CommandLanguage
import Commands
import Testing

/// Slices whose sides the network cannot halve, through commands.
struct UnfitSizeTests {
  private static let data = [
    "phantom size=33 slices=5 patients=1", "noise gaussian sigma=60HU",
    "split train=0.6 validation=0.2 test=0.2 by=slice",
  ]
  private static let network = [
    "conv channels=3 act=relu", "pool max", "conv channels=3 act=relu", "up", "join c1", "conv",
  ]

  private func session(_ lines: String...) throws -> TestSession {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network + lines)
    return session
  }

  @Test(arguments: [
    "train steps=2", "train steps=2 batch=3 accumulate=2", "evaluate", "denoise",
    "forward noisy[0]",
  ])
  func `whole slices are padded, which is said once`(_ line: String) throws {
    let remarks = try session().run(line).remarks.filter { $0.contains("reflection") }
    #expect(remarks.count == 1)
    #expect(remarks.first?.contains("33×33") == true && remarks.first?.contains("34×34") == true)
  }

  @Test(arguments: [
    "train epochs=2 keep=best", "train epochs=1 patch=16 patience=3", "diagnose",
    "compare standard tape", "race flow=standard,tape seeds=1 epochs=1",
    "plot lr steps=10 as=text",
    "gradcheck", "train steps=3 augment=flip,rotate",
  ])
  func `every training and test of gradients takes them`(_ line: String) throws {
    let session = try session("train steps=1")
    try session.run(line)
  }

  @Test(arguments: ["", "flow tape", "flow feedback"])
  func `sides that need different numbers of rows and columns are shown and trained`(
    _ flow: String
  ) throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "crop rows=0..31", "conv channels=4 act=relu", "pool max",
        "conv channels=4 dilation=2 groups=2", "conv channels=4 stride=2 kernel=4",
        "conv channels=4 kernel=2 stride=2 transpose=yes pad=none",
        "conv channels=4 kernel=2 stride=2 transpose=yes pad=none", "join c1", "conv",
      ] + (flow.isEmpty ? [] : [flow]))
    let lines = try session.run("net show").lines
    #expect(lines.contains { $0.contains("[N,4,32,36]") }, "\(lines)")
    #expect(lines.last?.contains("needs about") == true)
    try session.run("train steps=1")
  }

  @Test(arguments: ["loss ssim", "loss l1:0.84 ssim:0.16"])
  func `other losses leave the padding out, too`(_ loss: String) throws {
    let session = try session(loss, "train steps=2", "backward", "finish")
    #expect(try session.run("stats net.out").lines[0].contains(",1,34,34]"))
  }

  @Test func `patches must fit, and those that do are named`() throws {
    let error = try #require(throws: CommandError.self) {
      try session().run("train steps=1 patch=15")
    }
    #expect(error.message.contains("15×15"))
    #expect(error.hint?.contains("patch=14") == true)
  }

  // MARK: - Receptive fields

  @Test func `plot field gives the effective side beside the theoretical one`() throws {
    let session = try session()
    for (name, theory) in [("c1", 3), ("net.out", 10), ("c2.out", 8)] {
      let result = try session.run("plot field \(name) as=text").result
      #expect(result.value(at: "theoretical")?.numeric == Double(theory), "\(name)")
      let side = try #require(result.value(at: "effective")?.numeric)
      #expect(side > 0 && side <= Double(theory))
    }
  }

  @Test func `plot field needs a layer`() throws {
    let error = try #require(throws: CommandError.self) { try session().run("plot field c7") }
    #expect(error.message == "the network has no layer 'c7'")
    #expect(throws: CommandError.self) { try TestSession().run("plot field") }
  }
}
