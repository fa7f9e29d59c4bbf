import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

/// A network with its training, as a checkpoint holds it.
struct NetworkRecord: Codable {
  /// The name of the network.
  let name: String
  /// The lines of ``Workspace/networkLines``.
  let lines: [String]
  /// Whether `net new` set a seed for the network alone.
  let hasOwnSeed: Bool
  let reluNaN: ReLUNaN
  let position: TrainingPosition?
  let unfinished: UnfinishedTraining?
  /// The epoch of the last pass; nil without one.
  let passEpoch: Int?

  /// The record of the network in use.
  init(_ workspace: Workspace) {
    name = workspace.networkName
    lines = workspace.networkLines
    hasOwnSeed = workspace.networkSeed != nil
    reluNaN = workspace.network.reluNaN
    position = workspace.trainer.map { TrainingPosition($0) }
    unfinished = workspace.unfinished
    passEpoch = workspace.lastPass?.epoch
  }

  /// The tensors of the network in use, by their names in the file.
  static func tensors(_ workspace: Workspace) -> [String: Tensor<Float>] {
    let network = workspace.network
    let prefix = workspace.networkName
    var tensors: [String: Tensor<Float>] = [:]
    for (name, parameter) in zip(network.parameterNames, network.parameters) {
      tensors["\(prefix)/\(name)"] = parameter
    }
    for (name, state) in zip(network.parameterNames, workspace.trainer?.states ?? []) {
      for word in OptimizerState.names { tensors["\(prefix)/\(name).\(word)"] = state[word] }
    }
    if let pass = workspace.lastPass {
      for (name, parameter) in zip(network.parameterNames, pass.network.parameters) {
        tensors["\(prefix)/pass/\(name)"] = parameter
      }
      tensors["\(prefix)/pass/input"] = pass.input
      tensors["\(prefix)/pass/target"] = pass.target
      tensors["\(prefix)/pass/mask"] = pass.mask
    }
    return tensors
  }

  /// Returns the workspace with the recorded network in use, its loss and flow, and nothing else
  /// changed.
  ///
  /// - Parameters:
  ///   - workspace: A workspace whose data are those of the checkpoint.
  ///   - file: The tensors.
  ///   - source: The name of the file in errors.
  /// - Returns: The workspace.
  /// - Throws: `CommandError` when lines, tensors and counts do not match.
  func restored(
    in workspace: Workspace, from file: CheckpointFile, source: String
  ) throws -> Workspace {
    var changed = workspace
    changed.networkName = name
    try changed.build(lines, weights: file.scalarCount, tensors: file.tensorCount) { found, _ in
      CheckpointFile.refusal(source, found)
    }
    if !hasOwnSeed { changed.networkSeed = nil }
    var network = changed.network
    network.reluNaN = reluNaN
    let names = network.parameterNames
    func tensor(_ key: String, _ shape: Shape?) throws -> Tensor<Float>? {
      guard let tensor = try file.tensor("\(name)/\(key)") else { return nil }
      guard shape == nil || tensor.shape == shape else {
        throw CheckpointFile.refusal(source, "\(key) is \(tensor.shape)")
      }
      return tensor
    }
    func weights(_ prefix: String) throws -> [Tensor<Float>] {
      try zip(names, network.parameters).map { name, parameter in
        guard let weight = try tensor(prefix + name, parameter.shape) else {
          throw CheckpointFile.refusal(source, "\(prefix)\(name) is missing")
        }
        return weight
      }
    }
    network.parameters = try weights("")
    changed.replaceNetwork(network)
    var lastPass: TrainingPass<Float>?
    if let passEpoch, let input = try tensor("pass/input", nil),
      let target = try tensor("pass/target", input.shape)
    {
      guard input.shape.rank == 4, input.shape[1] == 1, input.shape.count > 0, passEpoch >= 0 else {
        throw CheckpointFile.refusal(source, "the last batch is \(input.shape)")
      }
      var former = network
      former.parameters = try weights("pass/")
      lastPass = TrainingPass(
        network: former, input: input, target: target,
        mask: try tensor("pass/mask", input.shape), loss: changed.loss, epoch: passEpoch)
    }
    if let position {
      try requireFit(position, changed, source)
      let states = try zip(names, network.parameters).map { name, parameter in
        var state = OptimizerState()
        for word in OptimizerState.names {
          state[word] = try tensor("\(name).\(word)", parameter.shape)
        }
        return state
      }
      changed.trainer = Trainer(
        network, optimizer: changed.optimizer, states: states, position: position,
        lastPass: lastPass)
    }
    changed.unfinished = unfinished
    changed.lastPass = lastPass
    return changed
  }

  /// Throws when a recorded place in a training is impossible with the data of the workspace.
  private func requireFit(
    _ position: TrainingPosition, _ workspace: Workspace, _ source: String
  ) throws(CommandError) {
    let slices = workspace.slices
    let fits = position.fits(
      slices: slices?.count ?? 0, height: slices?.height ?? 0, width: slices?.width ?? 0,
      patch: unfinished?.options.patch)
    guard fits, unfinished?.options.isConsistent ?? true,
      (0...1_000_000_000).contains(unfinished?.steps ?? 0)
    else {
      throw CheckpointFile.refusal(source, "its counts do not fit its data")
    }
  }
}
