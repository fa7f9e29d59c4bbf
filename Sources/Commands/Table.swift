package import CommandLanguage
import GradientFlows
import Tensors

/// All commands, by family: the only registry.
package let commandTable: [Command<Workspace>] =
  (dataCommands + networkCommands + learningCommands + Baseline.all.map(\.command)
  + steppingCommands + lookingCommands
  + otherCommands).map { $0.inSession } + SessionCommand.allCases.map { Command($0) }

extension Command<Workspace> {
  /// The command as a session runs it: in the precision that `set` chose, with a preview, where Ctrl-C
  /// ends it with all as before.
  package var inSession: Command<Workspace> {
    let spec = spec
    var command = around { body in
      { arguments, workspace, context in
        try run(body, of: spec, arguments, &workspace, context)
      }
    }
    command.preview = command.preview ?? previewNames
    return command
  }
}

/// Runs the body of a command: in the session's precision, where Ctrl-C ends it with all as before,
/// and with a note of what it did to the data.
@Sendable private func run(
  _ body: Command<Workspace>.Body, of spec: CommandSpec, _ arguments: Arguments,
  _ workspace: inout Workspace, _ context: CommandContext
) throws -> Outcome {
  try requireClosedPass(spec, workspace)
  let holdings = DataRecipe.Holdings(workspace)
  let before = workspace
  let outcome: Outcome
  do {
    outcome = try Precision.$current.withValue(workspace.settings.precision) {
      try Interruption.$ofCommand.withValue(context.interruption) {
        guard spec.isAllOrNothing else { return try body(arguments, &workspace, context) }
        return try interruptible { try body(arguments, &workspace, context) }
      }
    }
  } catch let error as CommandError where error.status == .interrupted {
    if error.kept == nil { workspace = before }
    throw error
  }
  workspace.recipe.note(
    arguments, seed: workspace.seed, context.variables, before: holdings,
    after: DataRecipe.Holdings(workspace))
  return outcome
}

/// Throws when a command would change the network or data of an open pass.
@Sendable private func requireClosedPass(
  _ spec: CommandSpec, _ workspace: Workspace
) throws(CommandError) {
  guard workspace.stepper?.networkWalk != nil, !spec.runsInPass else { return }
  throw CommandError(
    .state, "a pass is open, and \(spec.name) would change what it was made of",
    hint: "finish first: type 'finish'")
}

private let dataCommands: [Command<Workspace>] = [
  .phantom, .load, .pair, .series, .tags, .scale, .noiseGaussian, .noiseUniform, .noiseLowDose,
  .split, .data, .crop,
]

private let networkCommands: [Command<Workspace>] = [
  .netNew, .netPreset, .block, .conv, .pool, .up, .join, .norm, .dense, .output, .remove, .netShow,
  .netSave, .netLoad, .netFold, .netFork,
  .netUse,
]

private let learningCommands: [Command<Workspace>] =
  [.loss] + Command.optimizers + [
    .optimizer, .flowStandard, .flowDilated, .flowTape, .flowFeedback, .flowDirect,
    .flowSynthetic, .flowLocal, .flowForward, .flowTruncated, .flowCheckpointed, .flow,
    .gradientNoise, .train, .continue,
    .evaluate, .denoise,
  ]

private let steppingCommands: [Command<Workspace>] = [
  .forward, .backward, .step, .next, .until, .finish, .whereCommand, .pick, .explain,
  .tensor, .project, .reconstruct, .assign, .quiz, .answer,
  .breakCommand, .breaks, .breakDelete,
]

private let lookingCommands: [Command<Workspace>] = [
  .stats, .roi, .show, .view, .panel, .blink, .windowCommand, .hist, .plot, .plotLoss, .plotPSNR,
  .plotGradients, .plotAngle, .plotRate, .plotField, .plotProfile, .spectrum, .sharpness, .detect,
  .plotNet, .plotFlow, .kernels,
]

private let otherCommands: [Command<Workspace>] = [
  .expect, .gradcheck, .compare, .paths, .race, .diagnose, .saveTensor, .saveImage, .saveCurves,
  .saveAnimation,
  .saveDICOM, .checkpoint, .restore, .set, .demo,
]
