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
        short the last batch; of loss half-squares, which is a sum, the mean over its batches.
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
        judge, timeLimit,
      ],
      examples: [
        CommandExample("train epochs=2", after: setup),
        CommandExample("train steps=3 batch=2 patch=16", after: setup),
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
    try workspace.requireFittingPatch(options, try workspace.requireClean(), arguments)
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

  /// Throws when a step of `network` under `flow` would need more memory than is allowed.
  func requireMemory(
    _ network: Network<Float>, _ flow: any GradientFlow, _ options: TrainingOptions,
    _ clean: ImageStack, _ slices: Int
  ) throws(CommandError) {
    let (height, width) = (options.patch ?? clean.height, options.patch ?? clean.width)
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
