import CT
package import CommandLanguage
package import Figures
package import GradientFlows
package import Networks
import Tensors
import Training

/// The named things of a session.
package struct Workspace: Sendable {
  package var files: Files
  /// The commands that lines may say, which files with lines are read by, too.
  let commands: [Command<Workspace>]
  var settings = Settings()

  // MARK: - Data

  /// The clean slices; changing them clears all that was made of them.
  var clean: ImageStack? { didSet { forgetData() } }
  /// Where each clean slice comes from; empty when the data do not say.
  var sources: [SliceSource] = []
  /// The lines that made the data what they are.
  var recipe = DataRecipe()
  var noise: Noise?
  /// The fixed noisy slices: made of the clean ones, or loaded, with them or alone.
  var noisyStack: ImageStack? { didSet { forgetNoisy() } }
  /// Where each noisy slice comes from if they were loaded; empty when the data do not say.
  var noisySources: [SliceSource] = []
  var scaleRule = ScaleRule.automatic { didSet { forgetPass() } }
  /// The scale that the rule gave, once slices were denoised with it: minmax looks at all that train.
  private var knownScale: Scale?
  var split: Split? { didSet { forgetPass() } }

  // MARK: - Network and training

  package internal(set) var network = Network<Float>() { didSet { forgetNetwork() } }
  /// What the network in use is called, and the others by name.
  var networkName = Self.firstNetworkName
  static let firstNetworkName = "main"
  var parked: [String: ParkedNetwork] = [:]
  var initializer = Initializer.he
  /// The seed of `net new`, in place of the session's.
  var networkSeed: UInt64?
  var loss = Loss.meanSquaredError { didSet { forgetPass() } }
  var optimizer = OptimizerSetting(Adam()) { didSet { trainer = nil } }
  /// Settings that were kept under a name.
  var namedOptimizers: [String: OptimizerSetting] = [:]
  var gradientNoise: GradientNoise?
  package internal(set) var flow: any GradientFlow = StandardFlow()
  /// Flows that were kept under a name.
  var namedFlows: [String: any GradientFlow] = [:]
  /// Set while training goes on; a changed network or optimizer begins anew.
  var trainer: Trainer?
  /// How the trainings of the session went.
  var curves = TrainingCurves()
  /// The last training of one network, moment by moment.
  var film: TrainingFilm?
  /// What is left of a training that was stopped.
  var unfinished: UnfinishedTraining?

  /// The pass that is walked through now.
  var stepper: Stepper?

  var breakpoints: [Breakpoint] = []

  /// Numbers that were typed, and what was computed from them.
  var computation = Computation()
  /// What 'backward' read of them last, with the numbers as they were.
  var computationWalk: ComputationWalk?

  /// What was asked of the reader, and how it went.
  var quiz = Quiz()

  /// Where trainings are kept and taken from, if anywhere.
  var trainings: TrainingStore?

  // MARK: - Results

  /// The pass behind the last update.
  var lastPass: TrainingPass<Float>? { didSet { inspected = Inspection() } }
  /// What was looked up of it.
  var inspected = Inspection()
  /// Slices denoised by the network as it is, by number.
  var denoised: [Int: Tensor<Float>] = [:]
  /// The slices of the last `baseline`, by number.
  var baseline: [Int: BaselineSlice] = [:]
  /// The figures of `noisy`, `denoised` and `baseline` that were judged last.
  var figures: [String: FiguresOfMerit] = [:]
  var windowRule = WindowRule.automatic
  /// How often each automatic picture name was used.
  var pictureNames: [String: Int] = [:]

  /// How often clean, noisy and network became others.
  private(set) var changes = ChangeCounts()
  /// What a ledger is to learn; nil if nobody keeps one.
  var tracing: Tracing?

  /// Makes an empty workspace that reads and writes through `files`.
  package init(files: Files, commands: [Command<Workspace>] = commandTable) {
    (self.files, self.commands) = (files, commands)
  }

  /// Keeps what an undo does not take back: names of pictures that were written must not come again,
  /// and a ledger must look at everything anew.
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
    (noise, noisyStack, split, sources, noisySources) = (nil, nil, nil, [], [])
    leaveTrainings()
  }

  /// Ends what trainings had still to visit: the slices are others now.
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

  /// Takes another arithmetic, which would give the last pass and denoised slices other digits.
  mutating func replacePrecision(_ precision: Precision) {
    guard precision != settings.precision else { return }
    settings.precision = precision
    forgetPass()
  }

  /// Takes a changed network: training begins anew with it.
  mutating func replaceNetwork(_ network: Network<Float>) {
    self.network = network
    trainer = nil
    unfinished = nil
    film = nil
  }

  /// Takes what a training made of the network.
  mutating func take(_ trainer: Trainer) {
    network = trainer.network
    self.trainer = trainer
    lastPass = trainer.lastPass
    if let last = trainer.lastUpdate { inspected.gradients[last.flow] = last.computed }
  }
}

/// What `set` changes.
struct Settings: Sendable, Codable {
  var seed: UInt64 = 1
  var precision = Precision.fast
  var reluNaN = ReLUNaN.keep
  /// In bytes; none for four fifths of the machine's memory.
  var memoryLimit: Int?
  /// In seconds, for one training.
  var timeLimit: Double?
  var pictures = PictureDisplay.auto
  /// Whether the prompt says what a line would do.
  var hints = true
}

/// A training that can go on.
struct UnfinishedTraining: Sendable, Codable {
  let options: TrainingOptions
  let steps: Int
  /// Whether a person, a clock or a NaN ended it, which a replay of the record does without.
  var isCut: Bool?
}

/// How values become network range.
enum ScaleRule: Hashable, Sendable {
  /// −1000…1000 for HU, the file's range otherwise.
  case automatic
  case interval(Double, Double)
  /// The minimum and maximum of the training slices.
  case minmax
  case none
}

/// Which window pictures are shown in.
enum WindowRule: Hashable, Sendable {
  /// Lung for HU, otherwise the file's own, otherwise everything.
  case automatic
  case fixed(Window)
  /// The file's own: the first, or the one with this number or name.
  case file(String?)
  /// From the smallest to the largest value of what is shown.
  case covering
}

// MARK: - What commands ask for

extension Workspace {
  /// The line from values to network range.
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

  /// The slices that train: those of the split, or all.
  func trainingSlices(_ stack: ImageStack) -> [Int] {
    split?.slices(.train) ?? Array(0..<stack.count)
  }

  /// The images a training reads.
  func requireTrainingData() throws(CommandError) -> TrainingData {
    let noisy = try requireNoisy()
    let noise = self.noise
    return TrainingData(
      clean: try requireJudge(), noisy: noisy,
      freshNoise: noise?.isFresh == true ? noise : nil, scale: try requireScale())
  }

  /// The denoised slice `index`, from the store or computed now.
  mutating func denoisedSlice(_ index: Int) throws -> Tensor<Float> {
    let result = try denoised[index] ?? denoise(index)
    denoised[index] = result
    return result
  }

  /// The same; nil once `isAbandoned` says yes.
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
      hint: "train first, for example 'train steps=1', or type 'forward noisy[0]'")
  }
}

extension Workspace {
  /// The session's seed.
  package var seed: UInt64 { settings.seed }

  /// How a terminal shows pictures.
  package var pictures: PictureDisplay { settings.pictures }

  /// Whether the prompt says what a line would do.
  package var hints: Bool { settings.hints }
}
