import CommandLanguage
import Commands
import Testing

/// `train target=`, and what the commands around it say.
struct TargetCommandTests {
  private static let data = [
    "phantom size=32 slices=4 patients=2", "split by=patient train=0.5 test=0.5",
  ]
  private static let lowDose = "noise lowdose dose=0.25 photons=20000 beam=parallel views=120"
  /// The same with a filter that makes the noise of neighbors alike.
  private static let smooth = "\(lowDose) filter=hann"
  private static let network = ["conv channels=4 act=relu", "conv", "output subtract"]

  private func session(_ noise: String) throws -> TestSession {
    let session = TestSession()
    try session.run(lines: Self.data + [noise] + Self.network)
    return session
  }

  private func kinds(_ session: TestSession) throws -> [String] {
    guard case .array(let findings)? = try session.run("diagnose").result["findings"] else {
      return []
    }
    return findings.compactMap { if case .string(let kind)? = $0["kind"] { kind } else { nil } }
  }

  @Test(arguments: ["pair", "views", "neighbor"])
  func `a training without clean slices brings slices nearer to these`(_ target: String) throws {
    // Neighbors are independent in normal noise alone.
    let session = try session(
      target == "neighbor" ? "noise gaussian sigma=100HU" : Self.lowDose)
    try session.run("optimizer adam lr=0.01")
    try session.run("train epochs=200 batch=2 target=\(target)")
    let figures = try session.run("evaluate").result
    let noisy = try #require(figures.value(at: "noisy.psnr")?.numeric)
    let denoised = try #require(figures.value(at: "denoised.psnr")?.numeric)
    #expect(denoised > noisy + 0.5)
  }

  @Test func `targets differ from clean ones and from each other`() throws {
    var weights: Set<String> = []
    for target in ["clean", "pair", "views", "neighbor"] {
      let session = try session(Self.lowDose)
      try session.run("train steps=2 batch=2 target=\(target)")
      weights.insert(try session.fingerprint("c1.weight"))
    }
    #expect(weights.count == 4)
  }

  @Test func `a training towards views that is cut and continued ends with the same bits`() throws {
    let whole = try session(Self.lowDose)
    try whole.run("train steps=5 batch=1 target=views")
    let cut = try session(Self.lowDose)
    try cut.run("train steps=2 batch=1 horizon=5 target=views")
    try cut.run("continue steps=3")
    #expect(try cut.fingerprint("c1.weight") == whole.fingerprint("c1.weight"))
  }

  @Test func `views need projections`() throws {
    let session = try session("noise gaussian sigma=60HU")
    let error = #expect(throws: CommandError.self) { try session.run("train steps=1 target=views") }
    #expect(error?.hint?.contains("noise lowdose") == true)
  }

  @Test func `patches whose halves do not fit are refused with a size that does`() throws {
    let session = try session("noise gaussian sigma=60HU")
    try session.run(lines: ["net new", "conv channels=2", "pool mean", "up", "conv"])
    let error = #expect(throws: CommandError.self) {
      try session.run("train steps=1 patch=18 target=neighbor")
    }
    #expect(error?.hint?.contains("patch=16") == true)
    try session.run("train steps=1 patch=16 target=neighbor")
  }

  @Test(arguments: [35, 36])
  func `whole slices whose halves do not fit are padded, which is said`(_ side: Int) throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=\(side) slices=2 patients=1", "noise gaussian sigma=60HU", "conv channels=2",
      "pool mean", "pool mean", "up", "up", "conv",
    ])
    // In the second update the network's own image of the whole slice counts, too.
    let remarks = try session.run("train steps=2 target=neighbor").remarks
    #expect(remarks.contains { $0.hasPrefix("halves of slices of \(side / 2)×\(side / 2) do not") })
    try session.run("race target=clean,neighbor seeds=1 steps=2")
  }

  @Test func `fresh noise draws other views in each update, and a cut training the same ones`()
    throws
  {
    let fixed = try session(Self.lowDose), whole = try session("\(Self.lowDose) fresh")
    for one in [fixed, whole] { try one.run("train steps=4 batch=1 target=views") }
    #expect(try fixed.fingerprint("c1.weight") != whole.fingerprint("c1.weight"))
    let cut = try session("\(Self.lowDose) fresh")
    try cut.run("train steps=1 batch=1 horizon=4 target=views")
    try cut.run("continue steps=3")
    #expect(try cut.fingerprint("c1.weight") == whole.fingerprint("c1.weight"))
  }

  @Test func `validation of fresh targets takes the images of the fixed ones`() throws {
    for target in ["pair", "views"] {
      let losses = try ["", " fresh"].map { freshness in
        let session = TestSession()
        try session.run(
          lines: Self.data + [
            "split by=slice train=0.5 validation=0.25 test=0.25", Self.lowDose + freshness,
          ] + Self.network)
        // The rate is too small to change a weight.
        try session.run("optimizer sgd lr=1e-30")
        return try session.run("train epochs=1 target=\(target) keep=best").result
          .value(at: "best.loss")?.numeric
      }
      let (fixed, fresh) = (try #require(losses[0]), try #require(losses[1]))
      #expect(abs(fixed / fresh - 1) < 1e-4)
    }
  }

  @Test func `correlated noise is told by train and diagnose where neighbors are the target`()
    throws
  {
    let session = try session(Self.smooth)
    let trained = try session.run("train steps=1 target=neighbor")
    #expect((trained.foreword + trained.warnings).contains { $0.contains("correlation") })
    guard case .array(let findings)? = try session.run("diagnose").result["findings"] else {
      Issue.record("no findings")
      return
    }
    let finding = try #require(findings.first { $0["kind"] == .string("correlated-noise") })
    let correlation = try #require(finding["value"]?.numeric)
    #expect(abs(correlation) > 0.1 && abs(correlation) < 1)
    #expect(finding["try"] == .string("train target=views"))
    try session.run("train steps=1 target=views")
    #expect(try !kinds(session).contains("correlated-noise"))
  }

  @Test func `independent noise is no finding`() throws {
    let session = try session("noise gaussian sigma=60HU")
    let trained = try session.run("train steps=1 target=neighbor")
    #expect(trained.foreword.isEmpty && trained.warnings.isEmpty)
    #expect(try !kinds(session).contains("correlated-noise"))
  }

  @Test func `a network whose loss is taken in the sinogram denoises`() throws {
    let session = try session("noise gaussian sigma=100HU")
    try session.run(lines: ["loss sinogram views=40", "optimizer adam lr=0.01"])
    try session.run("train epochs=400 batch=2")
    let figures = try session.run("evaluate").result
    let noisy = try #require(figures.value(at: "noisy.psnr")?.numeric)
    let denoised = try #require(figures.value(at: "denoised.psnr")?.numeric)
    #expect(denoised > noisy + 1)
  }

  @Test func `a network whose loss counts the bias keeps the mean of each tissue better`() throws {
    let tissues = ["lung", "fat", "soft"]
    let shifts = try ["loss mse", "loss mse:1 bias:10"].map { loss in
      let session = try session("noise gaussian sigma=100HU")
      try session.run(lines: [loss, "optimizer adam lr=0.01"])
      let trained = try session.run("train epochs=300 batch=4")
      #expect(trained.foreword.isEmpty && trained.warnings.isEmpty)
      let figures = try session.run("evaluate").result
      let noisy = try #require(figures.value(at: "noisy.psnr")?.numeric)
      #expect(try #require(figures.value(at: "denoised.psnr")?.numeric) > noisy + 1)
      return try tissues.map {
        abs(try #require(figures.value(at: "denoised.bias.\($0)")?.numeric))
      }
    }
    let sums = shifts.map { $0.reduce(0, +) }
    #expect(sums[1] < 0.75 * sums[0], "\(shifts)")
  }

  @Test func `a loss that takes pixels together by noisy targets is told before the training`()
    throws
  {
    let session = try session("noise gaussian sigma=60HU")
    try session.run("loss mse:1 bias:10")
    let trained = try session.run("train steps=1 target=pair")
    #expect((trained.foreword + trained.warnings).contains { $0.contains("target=pair are noisy") })
  }

  @Test func `a race that turns its slices trains as 'train' does`() throws {
    let line = "epochs=3 batch=2 patch=16 augment=flip,rotate"
    let (trained, raced) = (try session(Self.lowDose), try session(Self.lowDose))
    try trained.run("train \(line)")
    let psnr = try trained.number("evaluate", "denoised.psnr")
    let race = try raced.run("race target=clean,pair seeds=1 \(line)").result
    let found = try #require(race.value(at: "contestants.0.psnr.0")?.numeric)
    #expect(abs(found - psnr) < 1e-9)
    let still = try raced.run("race target=clean,pair seeds=1 epochs=3 batch=2 patch=16").result
    #expect(still.value(at: "contestants.0.psnr.0")?.numeric != psnr)
  }

  @Test func `targets race from the same weights`() throws {
    let session = try session(Self.lowDose)
    let result = try session.run("race target=clean,pair,views,neighbor seeds=2 steps=2 batch=2")
      .result
    guard case .array(let contestants)? = result["contestants"] else {
      Issue.record("no contestants")
      return
    }
    #expect(contestants.count == 4)
    let means = contestants.compactMap { $0["mean"]?.numeric }
    #expect(Set(means).count == 4)
  }
}
