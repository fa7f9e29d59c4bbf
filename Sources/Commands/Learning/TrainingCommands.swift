import CT
import CommandLanguage
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  /// The largest number of updates, with which epochs × batches stays within an integer.
  private static let mostUpdates = 1_000_000_000
  private static let timeLimit = Parameter.key(
    "time", .duration, "stop after the step that passes this time", default: .absent("no limit"))

  private static let judge = Parameter.key(
    "judge", .yesNo, "the PSNR of validation slices, or of some that train, at the end",
    default: .value("yes"))

  static let train = Command(
    CommandSpec(
      "train", family: .learning,
      summary: "Train the network on the training slices.",
      details: """
        An epoch visits each training slice once (with patch=, one random patch of each); a short \
        last batch is kept. steps= makes exactly that many updates. Ctrl-C stops after the current \
        step and keeps everything, a second one drops the step; 'continue' goes on. A NaN or an infinity stops the training \
        before it harms the weights and is named; nan=keep goes on. A schedule of the optimizer \
        begins with each 'train' and spans its updates; with both steps= and epochs=, it spans the \
        epochs. The loss that is shown is that of the last epoch: the mean over its pixels, however \
        short the last batch; of loss half-squares, which is a sum, the mean over its batches. \
        keep=best and patience= take the loss of the validation slices after each epoch, whole and with \
        the fixed noise; keep=best ends with the weights where it was lowest. average= keeps an average \
        beside the weights. 'net use last', best or average changes between them; 'continue' goes on \
        from the last. target= trains without clean slices: pair towards a second noisy image of each \
        slice, another draw of the noise or the loaded counterpart, either being the input (Noise2Noise); \
        views on the reconstruction of three quarters of the views of 'noise lowdose' \
        towards that of the rest (Noise2Inverse); neighbor towards neighboring pixels of the noisy slice \
        (Neighbor2Neighbor), where the noise of neighbors must be independent. 'evaluate' judges all by the \
        clean slices.
        """,
      parameters: [
        .key("epochs", .integer(1...mostUpdates), "visits of each slice", default: .value("10")),
        .key(
          "steps", .integer(1...mostUpdates), "exactly this many updates",
          default: .absent("all epochs")),
        .key(
          "horizon", .integer(1...mostUpdates), "updates that the optimizer's schedule spans",
          default: .absent("all updates of the line")),
        .key("batch", .integer(1...4096), "slices of one update", default: .value("4")),
        .key(
          "patch", .integer(1...4096), "side of the random squares",
          default: .absent("whole slices")),
        .key("shuffle", .yesNo, "a new order in each epoch", default: .value("yes")),
        .key(
          "nan", .choice(["stop", "keep"]), "what a NaN or infinity does", default: .value("stop")),
        .key(
          "seed", .integer(), "replaces the session's seed for order and patches",
          default: .absent("the session's seed")),
        .key(
          "keep", .choice(["last", "best"]), "the weights of the last update or of the best epoch",
          default: .value("last")),
        .key(
          "patience", .integer(1...mostUpdates), "end after so many epochs without a better one",
          default: .absent("all epochs")),
        TrialTraining.augment,
        .key(
          "accumulate", .integer(1...4096), "batches whose gradients make one update",
          default: .value("1")),
        .key(
          "average", .number(units: [], .between(0, 1)),
          "keep an average of the weights with this decay", default: .absent("none")),
        .key(
          "target", .choice(TrainingTarget.allCases.map(\.rawValue)),
          "what the network is trained towards", default: .value("clean")),
        judge, timeLimit,
      ],
      examples: [
        CommandExample("train epochs=2", after: setup),
        CommandExample("train epochs=2 target=pair", after: setup),
        CommandExample("train steps=3 batch=2 patch=16", after: setup),
        CommandExample(
          "train epochs=3 augment=flip,rotate accumulate=2 average=0.99", after: setup),
        CommandExample(
          "train epochs=4 keep=best patience=2",
          after: ["phantom size=32 slices=6 patients=1"] + setup.dropFirst() + ["split by=slice"]),
      ], seeAlso: ["continue", "evaluate", "optimizer adam"], trains: true),
    preview: previewTraining
  ) { arguments, workspace, context in
    var options = TrainingOptions()
    options.epochs = try arguments.integer("epochs")
    options.steps = arguments.integerIfGiven("steps")
    if let updates = arguments.integerIfGiven("horizon") {
      options.horizon = .updates(updates)
    } else if arguments.has("epochs") {
      options.horizon = .epochs(options.epochs)
    }
    options.batch = try arguments.integer("batch")
    options.patch = arguments.integerIfGiven("patch")
    options.shuffles = try arguments.flag("shuffle")
    options.stopsOnNonFinite = try arguments.choice("nan") == "stop"
    options.seed = workspace.seed(arguments)
    options.keepsBest = try arguments.choice("keep") == "best"
    options.patience = arguments.integerIfGiven("patience")
    options.augmentation = arguments.augmentation
    options.accumulation = try arguments.integer("accumulate")
    options.averageDecay = arguments.numberIfGiven("average")?.value
    options.target = TrainingTarget(rawValue: try arguments.choice("target")) ?? .clean
    if options.averageDecay == 1 {
      throw arguments.error(
        at: "average", .outOfRange, "average must be below 1",
        hint: "with 1 the average never moves; 0.999 spans some thousand updates")
    }
    try workspace.requireFittingPatch(options, try workspace.requireClean(), arguments)
    try workspace.requireValidation(arguments)
    return try workspace.train(options, resumes: false, arguments, context)
  }

  static let `continue` = Command(
    CommandSpec(
      "continue", family: .learning,
      summary: "Go on with a training that was stopped, or train longer.",
      details: """
        Without a number, makes the updates that were left when the training stopped; the result is \
        the same as if it had not been stopped. In an open pass, goes on to the next breakpoint; in \
        one that a training was stopped in, closes it and trains on. A schedule of the optimizer goes on, too; beyond its \
        end the last rate stays.
        """,
      parameters: [
        .key(
          "epochs", .integer(1...mostUpdates), "this many further epochs",
          default: .absent("what is left")),
        .key(
          "steps", .integer(1...mostUpdates), "this many further updates",
          default: .absent("what is left")),
        judge, timeLimit,
      ],
      examples: [CommandExample("continue steps=2", after: setup + ["train steps=1"])],
      seeAlso: ["train"], trains: true, runsInPass: true)
  ) { arguments, workspace, context in
    if let outcome = workspace.continueWalk() { return outcome }
    guard let unfinished = workspace.unfinished, workspace.trainer != nil else {
      throw arguments.error(
        .state, "there is no training to continue", hint: "type 'train' to begin one")
    }
    var options = unfinished.options
    var isCut = false
    if let steps = arguments.integerIfGiven("steps") {
      options.steps = steps
    } else if let epochs = arguments.integerIfGiven("epochs") {
      options.steps = nil
      options.epochs = epochs
    } else if unfinished.steps > 0 {
      options.steps = unfinished.steps
      isCut = unfinished.isCut ?? false
    } else {
      throw arguments.error(
        .state, "the last training made all its updates",
        hint: "say how much further: continue epochs=10")
    }
    var outcome = try workspace.train(options, resumes: true, arguments, context)
    // A replay does not stop the training, so its line gets the number of steps.
    if isCut, outcome.recordedCommand == nil, let steps = options.steps {
      outcome.recordedCommand = workspace.recorded(arguments, options, steps: steps)
    }
    return outcome
  }

  private static let setup = [
    "phantom size=32 slices=2", "noise gaussian sigma=40HU", "block channels=2", "conv",
  ]
}

// MARK: - Limits

extension Workspace {
  /// Throws when the patches are larger than the slices.
  func requireFittingPatch(
    _ options: TrainingOptions, _ clean: ImageStack, _ arguments: Arguments
  ) throws(CommandError) {
    guard let patch = options.patch, patch > min(clean.height, clean.width) else { return }
    throw arguments.error(
      at: "patch", .outOfRange,
      "patch=\(patch) is larger than the slices of \(clean.height)×\(clean.width)",
      hint: "at most \(min(clean.height, clean.width))")
  }

  /// Throws when the images of a training do not fit a network; the hint names patches that do.
  func requireFit(
    _ network: Network<Float>, _ options: TrainingOptions, _ clean: ImageStack
  ) throws(CommandError) {
    let (height, width) = (options.patch ?? clean.height, options.patch ?? clean.width)
    let name = options.patch == nil ? "slices" : "patches"
    let part = options.target == .neighbor ? 2 : 1
    guard height >= part, width >= part else {
      throw CommandError(
        .shape, "target=neighbor takes every other pixel of \(name) of \(height)×\(width)",
        hint: "train on larger \(name)")
    }
    do throws(NetworkError) {
      if options.patch != nil {
        try network.requireFit(height: height, width: width, named: name)
        try network.requireFit(
          height: height / part, width: width / part, named: part == 1 ? name : "halves of \(name)")
      }
      // Whole slices are judged, padded where they do not fit, and so they are trained on.
      try network.requireFitWhenPadded(height: clean.height, width: clean.width)
      try network.requireFitWhenPadded(height: height / part, width: width / part)
    } catch {
      let side = (part...min(height, width)).last { side in
        [side, side / part].allSatisfy { network.misfit(height: $0, width: $0) == nil }
      }
      throw CommandError(
        .shape, error.message, hint: side.map { "train on patches: patch=\($0)" } ?? error.hint)
    }
  }

  /// Throws when epochs are to be judged and there is nothing to judge them on.
  func requireValidation(_ arguments: Arguments) throws(CommandError) {
    let keepsBest = try arguments.choice("keep") == "best"
    guard keepsBest || arguments.has("patience"), split?.slices(.validation).isEmpty ?? true
    else { return }
    let key = keepsBest ? "keep" : "patience"
    throw arguments.error(
      at: key, .state,
      "\(keepsBest ? "keep=best" : "patience=") needs validation slices, and there are none",
      hint: "for example: split train=0.7 validation=0.1 test=0.2 by=slice")
  }

  /// Throws when the images of a training do not fit `network`, or a step under `flow` would need more memory
  /// than is allowed.
  func requireMemory(
    _ network: Network<Float>, _ flow: any GradientFlow, _ options: TrainingOptions,
    _ clean: ImageStack, _ slices: Int
  ) throws(CommandError) {
    try requireFit(network, options, clean)
    let whole = network.fitting(height: clean.height, width: clean.width)
    let (height, width) = (
      options.patch ?? whole?.height ?? clean.height, options.patch ?? whole?.width ?? clean.width
    )
    let batch = min(options.batch, slices)
    let needed = flow.trainingBytes(
      of: network, BatchSize(batch: batch, height: height, width: width))
    guard needed > memoryLimit else { return }
    throw CommandError(
      .limit,
      "a step on \(batch) × \(height)×\(width) needs about \(needed >> 20) MiB, the limit is "
        + "\(memoryLimit >> 20) MiB",
      hint: batch > 1
        ? "batch=\(max(1, batch * (memoryLimit >> 10) / (needed >> 10))) or patch=64, or set limit.memory="
        : "patch=64, or set limit.memory=")
  }

  /// The slices whose PSNR is judged during a training: validation, or some that train when there
  /// are none.
  func watchedSlices(_ clean: ImageStack) -> (label: String, slices: [Int]) {
    let validation = split?.slices(.validation) ?? []
    return validation.isEmpty
      ? ("training", Array(trainingSlices(clean).prefix(4))) : ("validation", validation)
  }
}
