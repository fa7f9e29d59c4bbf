package import CommandLanguage
import Tensors

/// All commands, by family: the only registry.
///
/// Each computes in the precision that `set` chose.
package let commandTable: [Command<Workspace>] =
  (dataCommands + networkCommands + learningCommands + lookingCommands + otherCommands).map {
    var command = $0.around { body in
      { arguments, workspace, context in
        try Precision.$current.withValue(workspace.settings.precision) {
          try body(arguments, &workspace, context)
        }
      }
    }
    command.preview = preview(of: $0.spec)
    return command
  } + SessionCommand.allCases.map { Command($0) }

private let dataCommands: [Command<Workspace>] = [
  .phantom, .load, .series, .tags, .scale, .noiseGaussian, .noiseUniform, .split, .data, .crop,
]

private let networkCommands: [Command<Workspace>] = [
  .netNew, .netPreset, .block, .conv, .output, .remove, .netShow, .netSave, .netLoad, .netFork,
  .netUse,
]

private let learningCommands: [Command<Workspace>] = [
  .loss, .optimizerAdam, .optimizerSGD, .optimizerRMSProp, .optimizerAdagrad, .optimizerAdadelta,
  .optimizer, .flowStandard, .flowDilated, .flowTape, .flow, .gradientNoise, .train, .continue,
  .evaluate, .denoise,
  .baselineMedian,
]

private let lookingCommands: [Command<Workspace>] = [
  .stats, .show, .view, .panel, .blink, .windowCommand, .hist, .plot, .plotLoss, .plotPSNR,
  .plotGradients,
  .plotNet, .plotFlow, .kernels,
]

private let otherCommands: [Command<Workspace>] = [
  .expect, .gradcheck, .compare, .race, .diagnose, .saveTensor, .saveImage, .saveDICOM, .set,
  .demo,
]
