import CT
package import CommandLanguage
package import Figures
package import GradientFlows
package import Networks
import Tensors
import Training

/// The state of a session: data, network, training and results.
package struct Workspace: Sendable {
  package var files: Files
  /// The commands that lines may say, which files with lines are read by, too.
  let commands: [Command<Workspace>]
  var settings = Settings()
  /// Whether figures come as drawings, too, for a host that shows them.
  package var keepsDrawings = false

  // MARK: - Data

  /// The clean slices; changing them clears everything that depends on them.
  var clean: ImageStack? { didSet { forgetData() } }
  /// The lines and edits that made the data.
  var recipe = DataRecipe()
  var noise: Noise?
  /// The fixed noisy slices: made of the clean ones, or loaded, with them or alone.
  var noisyStack: ImageStack? { didSet { forgetNoisy() } }
  var scaleRule = ScaleRule.automatic { didSet { forgetPass() } }
  /// The scale that the rule gave when slices were denoised; `minmax` reads all training slices.
  private var knownScale: Scale?
  var split: Split? { didSet { forgetPass() } }

  // MARK: - Network and training

  package internal(set) var network = Network<Float>() { didSet { forgetNetwork() } }
  /// The name of the network in use; the others are in `parked`, by name.
  var networkName = Self.firstNetworkName
  static let firstNetworkName = "main"
  var parked: [String: ParkedNetwork] = [:]
  var initializer = Initializer.he
  /// The seed of `net new`, in place of the session's.
  var networkSeed: UInt64?
  var loss = Loss.meanSquaredError { didSet { forgetPass() } }
  var optimizer = OptimizerSetting(Adam()) { didSet { trainer = nil } }
  /// The optimizers that were kept under a name.
  var namedOptimizers: [String: OptimizerSetting] = [:]
  var gradientNoise: GradientNoise?
  package internal(set) var flow: any GradientFlow = StandardFlow()
  /// Flows that were kept under a name.
  var namedFlows: [String: any GradientFlow] = [:]
  /// The state of a training; nil when a changed network or optimizer begins a new one.
  var trainer: Trainer? { didSet { if trainer == nil { weightsInUse = .last } } }
  /// The state of the training that the network in use has.
  var weightsInUse = TrainedWeights.last
  /// The curves of the last trainings of the session.
  var curves = TrainingCurves()
  /// The networks at some moments of the last training.
  var film: TrainingFilm?
  /// The options of the last training and its remaining steps, for `continue`; nil if there is
  /// none.
  var unfinished: UnfinishedTraining?

  /// The pass that is open for stepping; nil if none is.
  var stepper: Stepper?

  var breakpoints: [Breakpoint] = []

  /// The tensors that were typed, and those computed from them.
  var computation = Computation()
  /// The result of the last 'backward' over typed tensors, with their values at that moment.
  var computationWalk: ComputationWalk?

  /// The open question of `quiz`, and the score.
  var quiz = Quiz()

  /// The store for results of trainings; nil if none is used.
  var trainings: TrainingStore?
  /// The trainings of the session, for lines that run again after an edit; nil if none can.
  var pastTrainings: PastTrainings?

  // MARK: - Results

  /// The last pass, of a training or of stepping.
  var lastPass: TrainingPass<Float>? { didSet { inspected = Inspection() } }
  /// Results of the last pass that were computed again for inspection.
  var inspected = Inspection()
  /// The slices that the network in use has denoised so far, by number.
  var denoised: [Int: Tensor<Float>] = [:]
  /// The slices of the last `baseline`, by number.
  var baseline: [Int: BaselineSlice] = [:]
  /// The figures of `noisy`, `denoised` and `baseline` that were judged last.
  var figures: [String: FiguresOfMerit] = [:]
  var windowRule = WindowRule.automatic
  /// The number of pictures with each automatic name.
  package var pictureNames: [String: Int] = [:]

  /// Counts of changes to the clean slices, the noisy slices and the network.
  private(set) var changes = ChangeCounts()
  /// The state of the ledger's reading; nil if no ledger is kept.
  var tracing: Tracing?

  /// Makes an empty workspace that reads and writes through `files`.
  package init(files: Files, commands: [Command<Workspace>] = commandTable) {
    (self.files, self.commands) = (files, commands)
  }

  /// Keeps what `undo` does not take back: names of pictures that were written must not be used
  /// again, and a ledger must read everything anew.
  mutating func carryOver(from current: Workspace) {
    pictureNames = current.pictureNames
    changes = current.changes
    changes.clean += 1
    changes.noisy += 1
    changes.network += 1
    tracing = current.tracing
  }

  private mutating func forgetData() {
    changes.clean += 1
    (noise, noisyStack, split) = (nil, nil, nil)
    leaveTrainings()
  }

  /// Forgets trainings that could go on, since their slices have changed.
  private mutating func leaveTrainings() {
    unfinished = nil
    trainer?.leaveEpoch()
    for name in parked.keys {
      parked[name]?.unfinished = nil
      parked[name]?.trainer?.leaveEpoch()
    }
  }

  private mutating func forgetNoisy() {
    changes.noisy += 1
    baseline = [:]
    figures = [:]
    forgetPass()
  }

  private mutating func forgetPass() {
    knownScale = nil
    forgetOwnPass()
    for name in parked.keys {
      parked[name]?.lastPass = nil
      parked[name]?.denoised = [:]
    }
  }

  private mutating func forgetNetwork() {
    changes.network += 1
    forgetOwnPass()
  }

  private mutating func forgetOwnPass() {
    lastPass = nil
    denoised = [:]
    figures["denoised"] = nil
  }

  /// Sets another precision; the last pass and denoised slices, whose digits would differ, are
  /// cleared.
  mutating func replacePrecision(_ precision: Precision) {
    guard precision != settings.precision else { return }
    settings.precision = precision
    forgetPass()
  }

  /// Sets a changed network, whose training begins anew.
  mutating func replaceNetwork(_ network: Network<Float>) {
    self.network = network
    trainer = nil
    unfinished = nil
    film = nil
  }

  /// Takes over the network that a training changed, in one of the states that it kept; in the last
  /// where that one is not kept.
  mutating func take(_ trainer: Trainer, _ weights: TrainedWeights = .last) {
    let chosen = trainer.network(weights)
    network = chosen ?? trainer.network
    self.trainer = trainer
    weightsInUse = chosen == nil ? .last : weights
    lastPass = trainer.lastPass
    if let last = trainer.lastUpdate { inspected.gradients[last.flow] = last.computed }
  }
}

/// The settings of a session that `set` changes.
struct Settings: Hashable, Sendable, Codable {
  var seed: UInt64 = 1
  var precision = Precision.fast
  var reluNaN = ReLUNaN.keep
  /// The memory limit in bytes; nil for four fifths of the machine's memory.
  var memoryLimit: Int?
  /// The time limit for one training, in seconds; nil for none.
  var timeLimit: Double?
  var pictures = PictureDisplay.auto
  /// Whether the prompt shows a preview of a line.
  var hints = true
}

/// The options of a training and its remaining steps, with which `continue` goes on.
struct UnfinishedTraining: Sendable, Codable {
  let options: TrainingOptions
  let steps: Int
  /// Whether a person, a clock or a NaN ended it, which does not happen again in a replay.
  var isCut: Bool?
}

/// The rule for the scale from values to the network's range.
enum ScaleRule: Hashable, Sendable {
  /// −1000…1000 for HU, the file's range otherwise.
  case automatic
  case interval(Double, Double)
  /// The minimum and maximum of the training slices.
  case minmax
  case none
}

/// The rule for the window in which pictures are shown.
enum WindowRule: Hashable, Sendable {
  /// Lung for HU, otherwise the file's own, otherwise everything.
  case automatic
  case fixed(Window)
  /// The file's own: the first, or the one with this number or name.
  case file(String?)
  /// The window from the smallest to the largest value of the picture.
  case covering
}

// MARK: - Required state

extension Workspace {
  /// The linear scale from values to the network's range.
  func requireScale() throws(CommandError) -> Scale {
    let slices = try requireSlices()
    if let knownScale { return knownScale }
    switch scaleRule {
    case .interval(let lower, let upper): return Scale(lower: lower, upper: upper)
    case .none: return .none
    case .minmax: return try scale(covering: slices.slices(trainingSlices(slices)))
    case .automatic:
      switch slices.unit {
      case .hounsfield: return Scale(lower: -1000, upper: 1000)
      case .stored(let range): return Scale(lower: range.lowerBound, upper: range.upperBound)
      }
    }
  }

  private func scale(covering stack: ImageStack) throws(CommandError) -> Scale {
    let statistics = stack.values.statistics(excluding: stack.mask)
    guard statistics.max > statistics.min else {
      throw CommandError(
        .data, "minmax needs different values, all training slices hold \(statistics.min)",
        hint: "scale none")
    }
    return Scale(lower: statistics.min, upper: statistics.max)
  }

  /// The slices used for training: those of the split, or all.
  func trainingSlices(_ stack: ImageStack) -> [Int] {
    split?.slices(.train) ?? Array(0..<stack.count)
  }

  /// The denoised slice `index`, from the store or computed now.
  mutating func denoisedSlice(_ index: Int) throws -> Tensor<Float> {
    let result = try denoised[index] ?? denoise(index)
    denoised[index] = result
    return result
  }

  /// The denoised slice `index`, or nil once `isAbandoned` returns true.
  mutating func denoisedSlice(
    _ index: Int, unless isAbandoned: @escaping @Sendable () -> Bool
  ) throws -> Tensor<Float>? {
    if let known = denoised[index] { return known }
    let result = try abandonable(when: isAbandoned) { try denoise(index) }
    if let result { denoised[index] = result }
    return result
  }

  private mutating func denoise(_ index: Int) throws -> Tensor<Float> {
    try network.requireTrainable()
    let noisy = try requireNoisy().image(index)
    try network.requireFitWhenPadded(height: noisy.shape.height, width: noisy.shape.width)
    try requireMemoryForSlice(noisy.shape)
    let scale = try requireScale()
    knownScale = scale
    let denoiser = Denoiser(network, scale: scale)
    return try interruptible { denoiser.denoise(noisy) }
  }

  /// The last pass, of training or stepping.
  func requireLastPass() throws(CommandError) -> TrainingPass<Float> {
    if let lastPass { return lastPass }
    throw CommandError(
      .state, "there is no pass to look into yet",
      hint: passCure("train first, for example 'train steps=1', or type 'forward noisy[0]'"))
  }
}

extension Workspace {
  /// The session's seed.
  package var seed: UInt64 { settings.seed }

  /// How a terminal shows pictures.
  package var pictures: PictureDisplay { settings.pictures }

  /// Whether the prompt shows a preview of a line.
  package var hints: Bool { settings.hints }
}
