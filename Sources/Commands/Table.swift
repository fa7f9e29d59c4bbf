package import CommandLanguage

/// All commands, by family: the only registry.
package let commandTable: [Command<Workspace>] =
  dataCommands + networkCommands + learningCommands + lookingCommands + otherCommands
  + SessionCommand.allCases.map { Command($0) }

private let dataCommands: [Command<Workspace>] = [
  .phantom, .load, .series, .tags, .scale, .noiseGaussian, .noiseUniform, .split, .data, .crop,
]

private let networkCommands: [Command<Workspace>] = [
  .netNew, .netPreset, .block, .conv, .output, .remove, .netShow, .netFork, .netUse,
]

private let learningCommands: [Command<Workspace>] = [
  .loss, .optimizerAdam, .optimizerSGD, .optimizerRMSProp, .optimizerAdagrad, .optimizerAdadelta,
  .optimizer, .flowStandard, .flowDilated, .flowTape, .flow, .gradientNoise, .train, .continue,
  .evaluate, .denoise,
  .baselineMedian,
]

private let lookingCommands: [Command<Workspace>] = [
  .stats, .show, .view, .panel, .windowCommand,
]

private let otherCommands: [Command<Workspace>] = [
  .expect, .gradcheck, .compare, .race, .diagnose, .saveTensor, .saveImage, .saveDICOM, .set,
]
