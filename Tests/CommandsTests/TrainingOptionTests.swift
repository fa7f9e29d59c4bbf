import CommandLanguage
import Commands
import Foundation
import Testing

/// What `train`, `loss`, `net use` and `plot lr` offer beside the plain training, through commands.
struct TrainingOptionTests {
  private static let data = [
    "phantom size=32 slices=10 patients=1", "noise gaussian sigma=60HU fresh",
    "split train=0.6 validation=0.2 test=0.2 by=slice",
  ]
  private static let network = ["block channels=3", "conv"]
  private static let options =
    "batch=2 patch=20 keep=best patience=50 augment=flip,rotate accumulate=2 average=0.9"

  private func session(_ lines: String...) throws -> TestSession {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network + lines)
    return session
  }

  private func error(_ line: String, _ session: TestSession) throws -> CommandError {
    try #require(throws: CommandError.self) { try session.run(line) }
  }

  /// The weights after the last update, the best ones and the average.
  private func weights(_ session: TestSession) throws -> [String] {
    try ["last", "best", "average"].map {
      try session.run("net use \($0)")
      return try session.fingerprint("b1.conv1.weight")
    }
  }

  // MARK: - Best weights

  @Test func `keep=best ends with the weights of the epoch with the lowest validation loss`() throws
  {
    let session = try session("optimizer adam lr=0.1")
    let outcome = try session.run("train epochs=11 batch=2 keep=best")
    let epoch = try #require(outcome.result.value(at: "best.epoch")?.numeric)
    let loss = try #require(outcome.result.value(at: "best.loss")?.numeric)
    #expect(epoch < 11, "large steps make the last epoch worse")
    #expect(outcome.lines.contains { $0.hasPrefix("keeps the weights after epoch \(Int(epoch)),") })
    let kept = try session.fingerprint("b1.conv1.weight")
    // The same epochs alone end with these weights.
    let short = try self.session("optimizer adam lr=0.1")
    let again = try short.run("train epochs=\(Int(epoch)) batch=2 patience=50")
    #expect(again.result.value(at: "best.loss")?.numeric == loss)
    #expect(try short.fingerprint("b1.conv1.weight") == kept)
    #expect(
      try session.number("evaluate", "denoised.psnr") == short.number("evaluate", "denoised.psnr"))
    try session.run("net use last")
    #expect(try session.fingerprint("b1.conv1.weight") != kept)
    try session.run("net use best")
    #expect(try session.fingerprint("b1.conv1.weight") == kept)
  }

  @Test func `without validation slices there is no best epoch`() throws {
    let session = TestSession()
    try session.run(lines: Array(Self.data.prefix(2)) + Self.network)
    for option in ["keep=best", "patience=3"] {
      let refused = try error("train epochs=2 \(option)", session)
      #expect(refused.message.contains("needs validation slices"))
      #expect(refused.hint?.contains("split train=") == true)
    }
    #expect(try error("net use best", session).hint?.contains("keep=best") == true)
    #expect(try error("net use average", session).hint?.contains("average=") == true)
  }

  @Test func `patience ends a training the same way each time, and going on waits anew`() throws {
    let session = try session("optimizer sgd lr=0.5 momentum=0.9")
    let outcome = try session.run("train epochs=40 batch=2 patience=2")
    #expect(outcome.result["stopped"] == .string("patience"))
    #expect(outcome.recordedCommand == nil, "the line as typed gives the same again")
    let epochs = try #require(outcome.result.value(at: "epochs")?.numeric)
    let best = try #require(outcome.result.value(at: "best.epoch")?.numeric)
    #expect(epochs == best + 2 && epochs < 40)
    #expect(outcome.lines.contains("ends after 2 epochs without a better one"))
    let further = try session.run("continue")
    #expect(try #require(further.result.value(at: "epochs")?.numeric) >= 2)
  }

  @Test func `that no epoch ends is said before the training`() throws {
    let session = try session()
    let outcome = try session.run("train steps=2 batch=2 keep=best")
    #expect(outcome.foreword.count == 1 && outcome.foreword[0].contains("no epoch ends within 2"))
    #expect(outcome.result["best"] == .null)
    #expect(try session.run("train steps=3 batch=2 keep=best").foreword.isEmpty)
  }

  @Test func `that a schedule ends within the training is said before it`() throws {
    let session = try session("optimizer adam schedule=cosine")
    let outcome = try session.run("train epochs=1 steps=7 batch=2")
    #expect(outcome.foreword.count == 1)
    #expect(outcome.foreword[0].contains("ends after 3 of all 7 updates"))
  }

  // MARK: - In parts

  @Test func `a training in parts, by continue and through a checkpoint, is the whole one`() throws
  {
    let whole = try session("train epochs=5 \(Self.options)")
    let parts = try session("train epochs=5 steps=4 \(Self.options)", "continue steps=3")
    try parts.run("checkpoint middle")
    let restored = TestSession(sessionFolder: parts.folder)
    try restored.run("restore middle")
    let expected = try weights(whole)
    #expect(expected[0] != expected[2] && expected[1] != expected[2])
    for session in [parts, restored] {
      try session.run("continue steps=3")
      #expect(try weights(session) == expected)
    }
    // A training goes on from the last weights, whichever are in use.
    for session in [whole, restored] {
      try session.run(lines: ["net use average", "continue steps=2", "net use last"])
    }
    #expect(try whole.fingerprint("c1.weight") == restored.fingerprint("c1.weight"))
  }

  @Test(arguments: ["last", "best", "average"])
  func `a checkpoint keeps which weights are in use`(_ name: String) throws {
    let session = try session(
      "train epochs=4 \(Self.options)", "net use \(name)", "checkpoint here")
    let restored = TestSession(sessionFolder: session.folder)
    try restored.run("restore here")
    #expect(try restored.fingerprint("c1.weight") == session.fingerprint("c1.weight"))
    #expect(try weights(restored) == weights(session))
  }

  @Test func `a copy of a network has its own averages, and no network has their names`() throws {
    let session = try session("train epochs=2 \(Self.options)", "net fork other")
    #expect(try error("net fork average", session).message.contains("weights of a training"))
    let expected = try weights(session)
    try session.run(lines: ["net use best", "net use other"])
    #expect(try weights(session) == expected)
    #expect(
      try error(
        "net save w.safetensors optimizer=yes",
        try self.session(
          "train epochs=2 \(Self.options)")
      ).hint?.contains("net use last") == true)
  }

  @Test func `accumulated batches make the updates of large ones`() throws {
    let (parts, whole) = (try session(), try session())
    let loss = try parts.number("train epochs=3 batch=1 accumulate=3", "loss")
    let other = try whole.number("train epochs=3 batch=3", "loss")
    #expect(abs(loss - other) <= 1e-4 * other)
    #expect(
      try parts.run("stats net.out").result["shape"] == whole.run("stats net.out").result["shape"])
  }

  @Test func `turned slices are drawn by the seed alone`() throws {
    func fingerprint(_ line: String) throws -> String {
      let session = try session(line)
      return try session.fingerprint("c1.weight")
    }
    let turned = try fingerprint("train epochs=2 augment=flip")
    #expect(try fingerprint("train epochs=2 augment=flip") == turned)
    #expect(try fingerprint("train epochs=2") != turned)
    #expect(try fingerprint("train epochs=2 augment=rotate") != turned)
    #expect(try fingerprint("train epochs=2 augment=flip seed=5") != turned)
  }

  // MARK: - Losses

  @Test(arguments: [
    ("loss charbonnier", "loss charbonnier epsilon=0.001"),
    ("loss ssim range=2", "loss ssim range=2.0"),
    ("loss l1:0.84 ssim:0.16", "loss l1:0.84 ssim:0.16 range=1.0"),
    ("loss MSE:2", "loss mse:2.0"), ("loss sinogram views=40", "loss sinogram views=40"),
    ("loss mse:1 sinogram:0.05 views=9", "loss mse:1.0 sinogram:0.05 views=9"),
    ("loss bias", "loss bias width=0.05"),
    ("loss mse:1 bias:10 width=0.1", "loss mse:1.0 bias:10.0 width=0.1"),
    (
      "loss charbonnier:1 half-squares:0.5 epsilon=0.1",
      "loss charbonnier:1.0 half-squares:0.5 epsilon=0.1 gradient=exact"
    ),
  ])
  func `a loss is trained, stepped, explained, checked and kept`(_ pair: (String, String)) throws {
    let session = try session(pair.0)
    let lines = session.runner.workspace.state.kept.first { $0.name.hasPrefix("loss") }?.text ?? ""
    #expect(lines.hasPrefix(pair.1 + " flow"), "\(lines)")
    let before = try session.number("train steps=1 batch=2", "loss")
    let after = try session.number("train epochs=8 batch=2", "loss")
    #expect(after < before)
    // A bend of 0.001 is narrow beside the steps of the differences.
    let tolerance = pair.0 == "loss charbonnier" ? 1e-4 : 1e-6
    #expect(try session.number("gradcheck samples=12", "worst") < tolerance)
    for line in ["backward", "until c1.z.grad", "where", "finish", "explain loss"] {
      try session.run(line)
    }
    let explained = try session.run("explain net.out.grad[0,0,9,9]")
    let (sum, value) = (
      try #require(explained.result.value(at: "sum")?.numeric),
      try #require(explained.result.value(at: "value")?.numeric)
    )
    #expect(abs(sum - value) <= 1e-5 * max(abs(value), 1e-6))
    try session.run("checkpoint kept")
    let restored = TestSession(sessionFolder: session.folder)
    try restored.run("restore kept")
    for other in [session, restored] { try other.run("continue steps=1") }
    #expect(try restored.fingerprint("c1.weight") == session.fingerprint("c1.weight"))
  }

  @Test(arguments: [
    ("loss l1 ssim", "needs a weight"), ("loss l1:1 l1:2", "is there already"),
    ("loss l1:0 mse:1", "above 0"), ("loss mse epsilon=1", "belongs to charbonnier"),
    ("loss l1 range=2", "belongs to ssim"), ("loss mse gradient=exact", "only half-squares"),
    ("loss half-squares:1 gradient=declared", "exact gradient"), ("loss ssim:x", "needs a number"),
    ("loss huber", "expected"),
  ])
  func `a loss that makes no sense is refused`(line: String, message: String) throws {
    #expect(try error(line, session()).message.contains(message))
  }

  @Test func `images smaller than its window are refused by ssim before anything is computed`()
    throws
  {
    let session = try session("loss ssim")
    #expect(try error("train steps=1 patch=10", session).message.contains("11×11"))
    #expect(try error("plot lr steps=10 patch=10", session).message.contains("11×11"))
    #expect(
      try error("forward noisy[0,0:10,0:32] target=clean[0,0:10,0:32]", session).message
        .contains("11×11"))
    try session.run("train steps=1 patch=11")
  }

  // MARK: - Optimizers

  @Test func `weights that decay are told in the arithmetic of an update`() throws {
    let session = try session("optimizer adamw lr=0.01 weight-decay=0.5", "train steps=2 batch=2")
    let update = try session.run("explain c1.weight.update[0,0,1,1]")
    #expect(update.lines[0].contains("− lr·λ · w"))
    #expect(update.lines.contains { $0.contains("w before") })
    try session.run(lines: [
      "optimizer sgd lr=0.1 weight-decay=0.25 clip=norm:1e-3", "train steps=1",
    ])
    let decayed = try session.run("explain c1.weight.update[0,0,1,1]")
    #expect(decayed.lines[0].contains("−lr · g̃"))
    #expect(decayed.lines.contains { $0.hasPrefix("g̃  g̃ = g + λ·w") })
    #expect(decayed.lines.contains { $0.hasPrefix("g  g = 0.001/(‖grad‖") })
    #expect(
      try session.run("optimizer weight-decay=0").lines[0]
        == "optimizer sgd lr=0.1 momentum=0.0 nesterov=no clip=norm:0.001")
  }

  @Test(arguments: ["adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta"])
  func `the printed line of an optimizer chooses it again`(_ word: String) throws {
    let session = try session(
      "optimizer \(word) lr=0.0123 schedule=cosine final-lr=1e-5 clip=value:2")
    let line = try session.run("optimizer").lines[0]
    try session.run(lines: ["optimizer sgd", line])
    #expect(try session.run("optimizer").lines[0] == line)
  }

  // MARK: - The sweep

  @Test func `a sweep of rates leaves the session as it was`() throws {
    let session = try session("train steps=2 batch=2 average=0.9")
    let before = session.runner.workspace.state
    let outcome = try session.run("plot lr steps=30 batch=2 from=1e-5 to=10 as=text")
    #expect(session.runner.workspace.state == before)
    guard case .array(let rates)? = outcome.result["rates"],
      case .array(let losses)? = outcome.result["losses"]
    else {
      Issue.record("no rates")
      return
    }
    #expect(rates.count == losses.count && rates.count > 10)
    #expect(rates.first?.numeric == 1e-5)
    #expect(outcome.lines[0] == "Loss by learning rate, adam")
    #expect(try error("plot lr from=1 to=0.1", session).message.contains("not below"))
  }
}
