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
  /// The number of updates before the last pass; nil for 0.
  let passStep: Int?
  /// The state of the training that gives the network's weights; nil for the last.
  let weights: TrainedWeights?
  /// The line of the flow that trained tensors of its own; nil for none.
  let flowLine: String?

  /// The record of the network in use.
  init(_ workspace: Workspace) {
    name = workspace.networkName
    lines = workspace.networkLines
    hasOwnSeed = workspace.networkSeed != nil
    reluNaN = workspace.network.reluNaN
    position = workspace.trainer.map { TrainingPosition($0) }
    unfinished = workspace.unfinished
    passEpoch = workspace.lastPass?.epoch
    passStep = workspace.lastPass.flatMap { $0.step == 0 ? nil : $0.step }
    flowLine = workspace.network.flowState?.flow
    weights = workspace.weightsInUse == .last ? nil : workspace.weightsInUse
  }

  /// The tensors of the network in use, by their names in the file.
  static func tensors(_ workspace: Workspace) -> [String: Tensor<Float>] {
    let network = workspace.network
    let prefix = workspace.networkName
    var tensors: [String: Tensor<Float>] = [:]
    for (name, tensor) in zip(network.stateNames, network.state) {
      tensors["\(prefix)/\(name)"] = tensor
    }
    for weights in TrainedWeights.allCases {
      // The last weights are those of the network, unless others are in use.
      guard weights != .last || workspace.weightsInUse != .last else { continue }
      let kept = workspace.trainer?.network(weights)
      for (name, tensor) in zip(network.stateNames, kept?.state ?? []) {
        tensors["\(prefix)/\(weights.rawValue)/\(name)"] = tensor
      }
    }
    for (name, state) in zip(network.parameterNames, workspace.trainer?.states ?? []) {
      for word in OptimizerState.names { tensors["\(prefix)/\(name).\(word)"] = state[word] }
    }
    for (name, tensor) in network.flowState?.tensors ?? [:] {
      tensors["\(prefix)/flow/\(name)"] = tensor
    }
    for (name, state) in workspace.trainer?.flowStates ?? [:] {
      for word in OptimizerState.names { tensors["\(prefix)/flow/\(name).\(word)"] = state[word] }
    }
    if let pass = workspace.lastPass {
      for (name, tensor) in zip(network.stateNames, pass.network.state) {
        tensors["\(prefix)/pass/\(name)"] = tensor
      }
      for (name, tensor) in pass.network.flowState?.tensors ?? [:] {
        tensors["\(prefix)/pass/flow/\(name)"] = tensor
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
    func state(_ prefix: String) throws -> [Tensor<Float>] {
      try zip(network.stateNames, network.state).map { name, former in
        guard let tensor = try tensor(prefix + name, former.shape) else {
          throw CheckpointFile.refusal(source, "\(prefix)\(name) is missing")
        }
        return tensor
      }
    }
    func state(of weights: TrainedWeights, _ isKept: Bool) throws -> [Tensor<Float>]? {
      isKept ? try state("\(weights.rawValue)/") : nil
    }
    let own = try flowTensors(of: network, in: changed)
    func flowState(_ prefix: String) throws -> FlowState<Float>? {
      guard let flowLine else { return nil }
      let tensors = try own.compactMap { item in
        try tensor(prefix + item.name, item.tensor.shape).map { (item.name, $0) }
      }
      return tensors.isEmpty
        ? nil : FlowState(flow: flowLine, tensors: Dictionary(uniqueKeysWithValues: tensors))
    }
    network.state = try state("")
    network.flowState = try flowState("flow/")
    changed.replaceNetwork(network)
    var lastPass: TrainingPass<Float>?
    if let passEpoch, let input = try tensor("pass/input", nil),
      let target = try tensor("pass/target", input.shape)
    {
      guard input.shape.rank == 4, input.shape[1] == 1, input.shape.count > 0, passEpoch >= 0 else {
        throw CheckpointFile.refusal(source, "the last batch is \(input.shape)")
      }
      var former = network
      former.state = try state("pass/")
      former.flowState = try flowState("pass/flow/")
      lastPass = TrainingPass(
        network: former, input: input, target: target,
        mask: try tensor("pass/mask", input.shape), loss: changed.loss, epoch: passEpoch,
        step: max(0, passStep ?? 0))
      if let misfit = network.misfit(height: input.shape.height, width: input.shape.width) {
        throw CheckpointFile.refusal(source, "the last batch does not fit: \(misfit.message)")
      }
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
      let first = network.stateNames.first ?? ""
      let flowStates = try own.map { item in
        var state = OptimizerState()
        for word in OptimizerState.names {
          state[word] = try tensor("flow/\(item.name).\(word)", item.tensor.shape)
        }
        return (item.name, state)
      }.filter { _, state in OptimizerState.names.contains { state[$0] != nil } }
      let hasAverage = try tensor("\(TrainedWeights.average.rawValue)/\(first)", nil) != nil
      let kept = position.kept(
        best: try state(of: .best, position.hasBest), average: try state(of: .average, hasAverage))
      let last = try weights.flatMap { try state(of: .last, $0 != .last) }
      changed.trainer = Trainer(
        last.map { network.with(state: $0) } ?? network, optimizer: changed.optimizer,
        states: states, position: position, kept: kept, lastPass: lastPass,
        flowStates: Dictionary(uniqueKeysWithValues: flowStates))
      changed.weightsInUse = weights ?? .last
    }
    changed.unfinished = unfinished
    changed.lastPass = lastPass
    return changed
  }

  /// The tensors that the recorded flow trains, as it begins with them.
  private func flowTensors(
    of network: Network<Float>, in workspace: Workspace
  ) throws -> [FlowTensor<Float>] {
    guard let flowLine else { return [] }
    var other = workspace
    other.replaceNetwork(network)
    try other.build([flowLine])
    return other.flow.tensors(for: network, step: 0).filter { $0.learning != .fixed }
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
