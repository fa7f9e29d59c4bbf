import CT
import CommandLanguage
import GradientFlows
import Networks
import Training

/// A training that a command makes with copies of the network, which itself stays as it is.
struct TrialTraining {
  let options: TrainingOptions
  let data: TrainingData
  /// The slices to train on.
  let slices: [Int]

  /// The arguments that say how long it takes, and on what.
  static let parameters: [Parameter] = [
    .key("epochs", .integer(1...1_000_000), "visits of each slice", default: .value("5")),
    .key(
      "steps", .integer(1...100_000_000), "exactly this many updates",
      default: .absent("all epochs")),
    .key("batch", .integer(1...4096), "slices of one update", default: .value("4")),
    .key(
      "patch", .integer(1...4096), "side of the random squares", default: .absent("whole slices")),
    augment,
  ]

  static let augment = Parameter.key(
    "augment", .list(.choice(["flip", "rotate"])),
    "mirror and turn slices or patches at random", default: .absent("as they are"))
}

extension Arguments {
  /// The ways in which `augment=` turns images.
  var augmentation: Augmentation {
    let turns = list("augment")
    var augmentation = Augmentation()
    augmentation.flips = turns.contains(.choice("flip"))
    augmentation.rotates = turns.contains(.choice("rotate"))
    return augmentation
  }

  /// Returns the options that the arguments of ``TrialTraining/parameters`` give.
  func trialOptions() throws(CommandError) -> TrainingOptions {
    var options = TrainingOptions()
    if let epochs = integerIfGiven("epochs") { options.epochs = epochs }
    options.steps = integerIfGiven("steps")
    options.batch = try integer("batch")
    options.patch = integerIfGiven("patch")
    options.augmentation = augmentation
    return options
  }
}

extension Workspace {
  /// Returns the options, data and slices of a trial training of the network in use under a flow.
  ///
  /// - Throws: `CommandError` when it cannot train, when its images do not fit, or when memory does not suffice.
  func trialTraining(
    _ flow: any GradientFlow, _ arguments: Arguments
  ) throws -> TrialTraining {
    try network.requireTrainable()
    try flow.requireFit(network)
    var options = try arguments.trialOptions()
    options.seed = seed
    let data = try requireTrainingData()
    let slices = trainingSlices(data.clean)
    try requireFittingPatch(options, data.clean, arguments)
    try requireMemory(network, flow, options, data.clean, slices.count)
    try requireFittingLoss(options.patch ?? min(data.clean.height, data.clean.width))
    return TrialTraining(options: options, data: data, slices: slices)
  }
}
