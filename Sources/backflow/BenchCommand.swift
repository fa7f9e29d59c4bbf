import ArgumentParser
import CT
import CommandLanguage
import Commands
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

/// `backflow bench`: times training steps or passes of the residual network or a published one.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time training steps.",
    discussion: """
      First conv 1→C with ReLU, blocks of 3×3 convs with ReLU and an added skip, last conv C→1, MSE,
      Adam. 2·K·K·C·C'·H·W·batch operations a convolution pass; three passes a step.
      """)

  @Option(help: "C.") var channels = 32
  @Option(help: "Residual blocks.") var blocks = 4
  @Option(help: "Convolutions of a block.") var convs = 2
  @Option(help: "Rows and columns.") var size = 512
  @Option(help: "Images of a step.") var batch = 1
  @Option(help: "Steps to time; the median counts.") var steps = 10
  @Option(help: "Threads (default: all cores).") var threads: Int?
  @Option(help: "A network of 'net preset' in place of the residual one.") var preset: String?
  @Option(help: "How gradients travel: a line such as 'dilated links=sparse'.") var flow =
    "standard"
  @Flag(help: "Keep every value of a pass, as for inspection, in place of training.") var inspect =
    false
  @Option(
    help: ArgumentHelp(
      "Repeat for several channels, blocks, convs, sizes or batches, a JSON object each.",
      valueName: "KEY=V1,V2"))
  var over: String?
  @Option(
    help: "Draw how the time grows with them, as .png or .svg.",
    completion: .file(extensions: ["png", "svg"]))
  var plot: String?
  @Flag(help: "Time passes that keep nothing, as when a slice is denoised.") var forward = false
  @Flag(help: "Print the JSON object; it is all that is printed either way.") var json = false

  func validate() throws {
    if let axis = try over.map({ try BenchAxis($0) }) {
      for value in axis.values { try axis.setting(value, in: self).validate() }
      if let plot { try BenchAxis.requireFigure(plot) }
      return
    }
    guard plot == nil else { throw ValidationError("--plot draws what --over repeats.") }
    let numbers = [channels, blocks, convs, size, batch, steps, threads ?? 1]
    guard numbers.allSatisfy({ (1...1 << 16).contains($0) }) else {
      throw ValidationError("All numbers must be 1 to 65536.")
    }
    // Weights, gradients and Adam's state are counted before anything is built.
    try requireMemory(10 * 4 * 9 * Double(channels * channels) * Double(blocks * convs))
  }

  func run() throws {
    if let threads { Parallelism.threads = threads }
    Interrupts.endAtOnce()
    requireMemoryForBLAS()
    guard let axis = try over.map({ try BenchAxis($0) }) else {
      return Console.print(try measured().json.text)
    }
    var points: [BenchAxis.Point] = []
    for value in axis.values {
      let (json, seconds, operations) = try axis.setting(value, in: self).measured(
        [.init(axis.key, .integer(value))])
      Console.print(json.text)
      points.append(.init(value: value, seconds: seconds, operations: operations))
    }
    if let plot { try axis.draw(points, to: plot) }
  }

  /// Times the steps; returns the output behind `members`, the median in seconds, and the
  /// operations of a step.
  private func measured(
    _ members: [JSONValue.Member] = []
  ) throws -> (json: JSONValue, seconds: Double, operations: Double) {
    let network = try makeNetwork()
    let flow = try makeFlow()
    let planned =
      inspect
      ? flow.inspectionBytes(
        of: network, BatchSize(batch: batch, height: size, width: size))
      : flow.trainingBytes(of: network, BatchSize(batch: batch, height: size, width: size))
    try requireMemory(Double(planned))
    let stream = RandomStream(seed: 1, name: "bench")
    let clean = Tensor<Float>(shape: [batch, 1, size, size]) { output in
      for i in output.indices { output[i] = Float(stream.uniform(at: i)) }
    }
    let seconds =
      forward
      ? times(passing: clean, network)
      : inspect
        ? times(inspecting: clean, network, flow) : try times(training: clean, network, flow)
    // The first step warms up and does not count.
    let median = seconds.dropFirst().sorted()[steps / 2]
    let operations = operations(network)
    let result: [JSONValue.Member] = [
      .init("seconds_per_step", .number(median)),
      .init("gflops", .number(operations / median / 1e9)),
      .init("planned_mib", .integer(planned >> 20)),
      .init("peak_mib", .integer(peakMebibytes)),
      .init("peak_maps_mib", .integer(ConvolutionMemory.peak >> 20)),
      .init("engine", .string("\(engineDescription), \(InstructionSet.current)")),
    ]
    return (.object(members + result), median, operations)
  }

  /// The seconds of each of `steps` + 1 training steps.
  private func times(
    training clean: Tensor<Float>, _ network: Network<Float>, _ flow: any GradientFlow
  ) throws -> [Double] {
    let noise = Noise(GaussianNoise(deviation: 0.1), isFresh: false, seed: 1)
    let stack = ImageStack(values: clean, unit: .stored(0...1))
    let data = TrainingData(
      clean: stack, noisy: noise.apply(to: stack), freshNoise: nil, scale: .none)
    var trainer = Trainer(network, optimizer: OptimizerSetting(Adam()))
    var options = TrainingOptions()
    options.batch = batch
    options.steps = 1
    return try (0...steps).map { _ in
      let start = ContinuousClock.now
      let report = trainer.train(
        on: data, slices: Array(0..<batch), loss: .meanSquaredError, flow: flow,
        options: options, clock: { 0 }, afterStep: { _ in nil })
      if let failure = report.failure { throw failure }
      return (ContinuousClock.now - start) / .seconds(1)
    }
  }

  /// The seconds of each of `steps` + 1 passes of which every value is kept.
  private func times(
    inspecting clean: Tensor<Float>, _ network: Network<Float>, _ flow: any GradientFlow
  ) -> [Double] {
    let pass = TrainingPass(
      network: network, input: clean, target: clean, loss: .meanSquaredError)
    return (0...steps).map { _ in
      let start = ContinuousClock.now
      let result = pass.run(flow, retention: .everything)
      return withExtendedLifetime(result) { (ContinuousClock.now - start) / .seconds(1) }
    }
  }

  /// The seconds of each of `steps` + 1 forward passes.
  private func times(passing clean: Tensor<Float>, _ network: Network<Float>) -> [Double] {
    (0...steps).map { _ in
      let start = ContinuousClock.now
      let output = network.output(of: FeatureMap(clean)).tensor
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      return withExtendedLifetime(output) { seconds }
    }
  }

  private func makeNetwork() throws -> Network<Float> {
    guard let preset else { return try makeResidualNetwork() }
    return try workspace(after: "net preset \(preset)", for: "--preset \(preset)").network
  }

  private func makeFlow() throws -> any GradientFlow {
    try workspace(after: "flow \(flow)", for: "--flow \(flow)").flow
  }

  /// The workspace after a one-line session, which an option stands for.
  private func workspace(after line: String, for option: String) throws -> Workspace {
    let runner = CommandRunner(
      commands: commandTable,
      workspace: Workspace(files: Files(script: URL(fileURLWithPath: "."), session: nil)),
      describe: commandError)
    if case .failure(let error) = runner.run(line, line: 1)?.result {
      throw ValidationError("\(option): \(error.message).")
    }
    return runner.workspace
  }

  private func makeResidualNetwork() throws -> Network<Float> {
    var network = Network<Float>()
    var first = ConvolutionOptions()
    first.channels = channels
    first.activation = .relu
    try network.append(convolution: first, initializer: .he, seed: 1)
    var block = BlockOptions()
    block.channels = channels
    block.convolutions = convs
    for _ in 0..<blocks { try network.append(block: block, initializer: .he, seed: 1) }
    try network.append(convolution: ConvolutionOptions(), initializer: .he, seed: 1)
    return network
  }

  /// The number of operations of one step: forward, input gradient and kernel gradient of each
  /// convolution, without the first one's input gradient.
  private func operations(_ network: Network<Float>) -> Double {
    let pixels = Double(size * size * batch)
    let kernels = network.parameters.filter { $0.shape.rank == 4 }.map { Double($0.shape.count) }
    let passes = 3 * kernels.reduce(0, +) - (kernels.first ?? 0)
    return 2 * pixels * (forward ? kernels.reduce(0, +) : passes)
  }

  /// Throws when the machine has too little memory.
  private func requireMemory(_ bytes: Double) throws {
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    func mebibytes(_ bytes: Double) -> String { NumberFormat.fixed(0).string(bytes / 1_048_576) }
    guard bytes < memory else {
      throw ValidationError(
        "A step would need about \(mebibytes(bytes)) MiB, the machine has \(mebibytes(memory)) MiB."
      )
    }
  }

  /// The largest amount of memory that this program held, in MiB.
  private var peakMebibytes: Int {
    #if os(Linux)
      // getrusage would include the memory of the program that started this one.
      let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      if let words = line?.split(whereSeparator: \.isWhitespace), words.count > 1,
        let kibibytes = Int(words[1])
      {
        return kibibytes / 1024
      }
    #endif
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1024
  }
}
