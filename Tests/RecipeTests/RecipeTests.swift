import CommandLanguage
import Commands
import Foundation
import GradientFlows
import Networks
import Tensors
import Testing

/// A layer and an operation that no source of Backflow knows, at work: docs/design.md tells how to add
/// them.
struct RecipeTests {
  private let folder = FileManager.default.temporaryDirectory
    .appending(path: "backflow-\(UUID().uuidString)")

  private static let lines = [
    "phantom size=16 slices=2 patients=1", "noise gaussian sigma=80HU", "conv channels=3", "gain",
    "block channels=3 act=tanh", "gain", "conv",
  ]

  private func runner() -> CommandRunner<Workspace> {
    CommandRunner.session(
      files: Files(script: folder, session: nil),
      commands: commandTable + [Command<Workspace>.gain.inSession])
  }

  @discardableResult
  private func run(_ line: String, _ runner: CommandRunner<Workspace>) throws -> Outcome {
    let execution = try #require(runner.run(line, line: 1))
    return try execution.result.get()
  }

  private func text(_ line: String, _ runner: CommandRunner<Workspace>) throws -> String {
    try run(line, runner).lines.joined(separator: "\n")
  }

  @Test func `trains, is stepped through, explained, checked, saved and loaded`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let session = runner()
    for line in Self.lines { try run(line, session) }
    #expect(try text("net show", session).contains("g2"))
    // It trains.
    let before = try text("stats g1.gain", session)
    try run("train epochs=40 batch=2", session)
    #expect(try text("stats g1.gain", session) != before)
    try run("forward noisy[0]", session)
    // It is stepped through, forwards and backwards, with its formulas.
    var shown = ""
    while let more = try? text("step", session) { shown += more + "\n" }
    for formula in [
      "g1.z = c1.out · gain", "a = tanh z", "gain.grad = Σ z.grad · c1.out",
      "in.grad = z.grad · gain",
      "z.grad = (1 − a²) · a.grad",
    ] {
      #expect(shown.contains(formula), "\(formula)")
    }
    try run("finish", session)
    // Each number is the sum of its terms.
    for name in [
      "g1.z[0,1,3,4]", "g2.gain.grad[2]", "g1.in.grad[0,2,5,5]", "g1.a.grad[0,0,1,1]",
    ] {
      let explained = try run("explain \(name)", session).result
      let value = try #require(explained.value(at: "value")?.numeric)
      let sum = try #require(explained.value(at: "sum")?.numeric)
      #expect(abs(value - sum) <= 1e-5 * max(abs(sum), 1e-3), "\(name): \(value), \(sum)")
    }
    // Its gradient is right under every flow that gives the gradient of the loss.
    let checked = try text("gradcheck samples=20", session)
    #expect(checked.contains("standard is the gradient of the loss"), "\(checked)")
    #expect(try text("compare tape standard", session).contains("1.00"))
    // It is saved and loaded, in a weight file and in a checkpoint.
    try run("net save w.safetensors", session)
    try run("checkpoint c.checkpoint", session)
    let gain = try text("stats g2.gain", session)
    let again = runner()
    try run("net load w.safetensors", again)
    #expect(try text("stats g2.gain", again) == gain)
    let restored = runner()
    try run("restore c.checkpoint", restored)
    #expect(try text("stats g2.gain", restored) == gain)
    try run("continue epochs=1", restored)
  }

  @Test func `takes its names from typed numbers`() {
    let runner = runner()
    for name in ["g1", "c12", "b3"] {
      let error = runner.run("tensor \(name) = 2", line: 1)?.error
      #expect(error?.message == "\(name) has a meaning of its own")
    }
    for name in ["g", "x1", "bc1"] {
      #expect(runner.run("tensor \(name) = 2", line: 1)?.error == nil, "\(name)")
    }
  }

  @Test func `trains to the same bits as on the tape, and knows its memory`() throws {
    var network = Network<Float>()
    var options = ConvolutionOptions()
    options.channels = 4
    try network.append(convolution: options, initializer: .he, seed: 1)
    network.append(GainLayer<Float>.ones(4))
    try network.append(convolution: ConvolutionOptions(), initializer: .he, seed: 1)
    let stream = RandomStream(seed: 5, name: "recipe")
    let input = Tensor<Float>(shape: [2, 1, 9, 8]) { stream.fillNormals($0) }
    let target = Tensor<Float>(shape: input.shape, repeating: 0)
    let pass = TrainingPass(
      network: network, input: input, target: target, loss: .meanSquaredError)
    let trained = pass.run(StandardFlow(), retention: .training)
    let plain = pass.run(StandardFlow(), retention: .everything)
    #expect(trained.parameterGradients.map(\.scalars) == plain.parameterGradients.map(\.scalars))
    let samples = GradientCheck(TapeFlow(), pass.doubles).samples(
      of: network.parameterNames, count: 8, stream: RandomStream(seed: 1, name: "check"))
    #expect(samples.contains { $0.name == "g1.gain" })
    #expect(samples.allSatisfy { $0.relativeError < 1e-6 })
    #expect(pass.trainingBytes(StandardFlow()) > 4 * 4 * 144 * 4)
  }
}
