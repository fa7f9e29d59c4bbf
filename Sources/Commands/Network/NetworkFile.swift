import CommandLanguage
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

/// A network as a `.safetensors` file: weights by name, and in the metadata the lines that build it.
struct NetworkFile {
  /// The keys of the file's metadata.
  private enum Key {
    /// The version of the format of the other keys.
    static let format = "backflow"
    /// The lines of ``Workspace/networkLines``.
    static let lines = "lines"
    /// The values that become 0 and 1 in the network, as `LOWER..UPPER`.
    static let scale = "scale"
    /// The numbers of updates and epochs made so far, stored with the optimizer's state.
    static let step = "step", epoch = "epoch"
  }

  private static let format = "1"

  /// The bytes of the file.
  let data: Data

  /// The file of the network in use, with the optimizer's state if `keepsOptimizer`.
  init(_ workspace: Workspace, keepsOptimizer: Bool) {
    let network = workspace.network
    var tensors = Dictionary(
      uniqueKeysWithValues: zip(network.stateNames, network.state))
    for item in workspace.flowTensors { tensors[item.name] = item.tensor }
    var metadata = [
      Key.format: Self.format, Key.lines: workspace.networkLines.joined(separator: "\n"),
    ]
    if let scale = workspace.knownScale { metadata[Key.scale] = "\(scale.lower)..\(scale.upper)" }
    if keepsOptimizer, let trainer = workspace.trainer {
      (metadata[Key.step], metadata[Key.epoch]) = ("\(trainer.step)", "\(trainer.epoch)")
      for (name, state) in zip(network.parameterNames, trainer.states) {
        for (kept, tensor) in state.kept { tensors["\(name).\(kept)"] = tensor }
      }
      for (name, state) in trainer.flowStates {
        for (kept, tensor) in state.kept { tensors["\(name).\(kept)"] = tensor }
      }
    }
    data = SafeTensors.encode(tensors, metadata: metadata)
  }

  /// Whether a file holds the lines that build its network.
  static func isOwn(_ file: SafeTensors) -> Bool { file.metadata[Key.format] != nil }

  /// Returns the workspace whose network has the tensors of a file by their order, and the parameter that
  /// each became.
  ///
  /// - Throws: An error that names the first tensor that does not fit.
  static func loadInOrder(
    _ file: SafeTensors, into workspace: Workspace
  ) throws -> (workspace: Workspace, order: TensorOrder, warnings: [String]) {
    guard !workspace.network.layers.isEmpty else {
      throw CommandError(
        .state, "match=order fills a network, and there is none",
        hint: "build it first, for example 'net preset dncnn17'")
    }
    let order = try TensorOrder(file, workspace.network)
    let tensors = try Dictionary(
      uniqueKeysWithValues: order.assignments.map { ($0.name, try file.floats($0.entry)) })
    var (changed, network) = (workspace, workspace.network)
    network.state = network.stateNames.compactMap { tensors[$0] }
    changed.replaceNetwork(network)
    return (changed, order, warnings(file, changed))
  }

  /// Returns the workspace with the network of a file, and warnings.
  ///
  /// - Throws: An error that says why the file is no network, or does not fit the network in use.
  static func load(
    _ file: SafeTensors, into workspace: Workspace
  ) throws -> (workspace: Workspace, warnings: [String]) {
    var changed = workspace
    if isOwn(file) {
      try build(file, &changed)
    } else if workspace.network.layers.isEmpty {
      throw CommandError(
        .state, "the file has weights but no lines, and the network has no layers",
        hint: "build the network that the weights belong to, then load them")
    }
    var network = changed.network
    let names = network.parameterNames
    let counts = try self.counts(file)
    // Optimizers differ in what they keep, so any of it may be missing.
    let kept = OptimizerState.keptNames
    let states = counts == nil ? [] : names.flatMap { name in kept.map { "\(name).\($0)" } }
    let own = isOwn(file) ? changed.flowTensors : []
    try requireFit(
      file, network, optional: Set(states), own.map { ($0.name, $0.tensor.shape) })
    let entries = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.name, $0) })
    func tensor(_ name: String) throws(TensorError) -> Tensor<Float>? {
      guard let entry = entries[name] else { return nil }
      return try file.floats(entry)
    }
    network.state = try network.stateNames.compactMap { name throws(TensorError) in
      try tensor(name)
    }
    let learned = try own.filter { $0.learning != .fixed }.compactMap {
      item throws(TensorError) in try tensor(item.name).map { (item.name, $0) }
    }
    // A flow draws again what no training has changed.
    let drawn = Dictionary(uniqueKeysWithValues: own.map { ($0.name, $0.tensor.fingerprint) })
    if learned.contains(where: { drawn[$0.0] != $0.1.fingerprint }) {
      network.flowState = FlowState(
        flow: changed.flow.line, tensors: Dictionary(uniqueKeysWithValues: learned))
    }
    changed.replaceNetwork(network)
    if let counts {
      changed.trainer = Trainer(
        network, optimizer: changed.optimizer,
        states: try names.map { name throws(TensorError) in
          var state = OptimizerState()
          for word in kept { state[word] = try tensor("\(name).\(word)") }
          return state
        }, step: counts.step, epoch: counts.epoch,
        flowStates: try Dictionary(
          uniqueKeysWithValues: learned.map { entry throws(TensorError) in
            var state = OptimizerState()
            for word in kept { state[word] = try tensor("\(entry.0).\(word)") }
            return (entry.0, state)
          }))
    }
    return (changed, warnings(file, changed))
  }

  /// Builds the network and training of the file's lines.
  private static func build(_ file: SafeTensors, _ workspace: inout Workspace) throws(CommandError)
  {
    guard file.metadata[Key.format] == format, let text = file.metadata[Key.lines] else {
      throw refusal(
        "it is of format \(SafeTensors.shown(file.metadata[Key.format] ?? "")), this version reads "
          + format, hint: "load it with the version of Backflow that wrote it")
    }
    try workspace.build(
      text.split(separator: "\n").map(String.init),
      weights: file.entries.reduce(0) { $0 + $1.shape.count }, tensors: file.entries.count
    ) { refusal($0, hint: $1) }
  }

  /// The numbers of updates and epochs that a file with an optimizer's state holds; nil without
  /// them.
  private static func counts(
    _ file: SafeTensors
  ) throws(CommandError) -> (step: Int, epoch: Int)? {
    guard isOwn(file), let steps = file.metadata[Key.step] else { return nil }
    let most = 1_000_000_000_000
    guard let step = Int(steps), let epoch = file.metadata[Key.epoch].flatMap({ Int($0) }),
      (0...most).contains(step), (0...most).contains(epoch)
    else { throw refusal("its counts of updates and epochs are none", hint: "save it again") }
    return (step, epoch)
  }

  /// Throws a list of what differs between a file and the parameters of a network.
  private static func requireFit(
    _ file: SafeTensors, _ network: Network<Float>, optional: Set<String>,
    _ ofFlow: [(String, Shape)]
  ) throws(CommandError) {
    let own = zip(network.stateNames, network.state.map(\.shape)).map { $0 }
    let expected = own.map { ($0.0, $0.1, true) } + ofFlow.map { ($0.0, $0.1, false) }
    // A flow's own tensors may be missing, and so may what an optimizer keeps of them.
    let optional = optional.union(
      ofFlow.flatMap { name, _ in
        [name] + (optional.isEmpty ? [] : OptimizerState.keptNames.map { "\(name).\($0)" })
      })
    let found = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.name, $0) })
    var differences: [String] = []
    for (name, shape, isNeeded) in expected {
      let kept = OptimizerState.keptNames.map { ("\(name).\($0)", false) }
      for (name, isNeeded) in [(name, isNeeded)] + kept {
        guard let entry = found[name], isNeeded || optional.contains(name) else {
          if isNeeded { differences.append("\(name) \(shape) is missing") }
          continue
        }
        if entry.shape != shape {
          differences.append("\(name) is \(entry.shape), expected \(shape)")
        } else if !entry.type.isReal {
          differences.append("\(name) holds \(entry.type.rawValue), expected real numbers")
        }
      }
    }
    let known = Set(own.map(\.0)).union(optional)
    differences += file.networkEntries.filter { !known.contains($0.name) }.map {
      "\(SafeTensors.shown($0.name)) \($0.shape) has no place"
    }
    guard differences.isEmpty else {
      let more = differences.count > 5 ? " and \(differences.count - 5) more" : ""
      throw CommandError(
        .shape,
        "the file does not fit the network: \(differences.prefix(5).joined(separator: ", "))\(more)",
        hint: "names and shapes must be those that 'net show' and NAME.weight have")
    }
  }

  /// Warnings about converted types, values that are not finite, and a scale that differs.
  private static func warnings(_ file: SafeTensors, _ workspace: Workspace) -> [String] {
    var warnings: [String] = []
    for type in Set(file.entries.map(\.type)).subtracting([.float]).map(\.rawValue).sorted() {
      let count = file.entries.count { $0.type.rawValue == type }
      warnings.append(
        "\(count) \(count == 1 ? "tensor was" : "tensors were") \(type) and \(count == 1 ? "is" : "are") float32 now"
      )
    }
    warnings += [workspace.network.wildWeights].compactMap(\.self)
    if let told = file.metadata[Key.scale], let scale = scale(told),
      let current = workspace.knownScale, current != scale
    {
      warnings.append(
        "the network was used to \(NumberFormat.shortest.string(scale.lower))…"
          + "\(NumberFormat.shortest.string(scale.upper)) as 0…1, the scale is another now: "
          + "scale hu=\(NumberFormat.shortest.string(scale.lower))"
          + "..\(NumberFormat.shortest.string(scale.upper))")
    }
    return warnings
  }

  private static func scale(_ text: String) -> Scale? {
    let ends = text.split(separator: "..", omittingEmptySubsequences: false).map { Double($0) }
    guard ends.count == 2, let lower = ends[0], let upper = ends[1], lower.isFinite,
      upper.isFinite, lower < upper
    else { return nil }
    return Scale(lower: lower, upper: upper)
  }

  private static func refusal(_ found: String, hint: String) -> CommandError {
    CommandError("safetensors", "the file holds no network: \(found)", hint: hint)
  }
}

extension Network<Float> {
  /// A warning of parameters that hold NaN or infinity; nil when all are finite.
  var wildWeights: String? {
    let wild = zip(parameterNames, parameters).filter { !$0.1.isFinite() }
    return wild.first.map {
      "\(wild.count) of the parameters \(wild.count == 1 ? "holds" : "hold") NaN or infinity, the first is \($0.0)"
    }
  }
}

extension Workspace {
  /// Warnings of networks whose parameters hold NaN or infinity.
  var wildWeights: [String] {
    let others = parked.sorted { $0.key < $1.key }.map { ($0.key, $0.value.network) }
    return ([(networkName, network)] + others).compactMap { name, network in
      network.wildWeights.map { parked.isEmpty ? $0 : "\(name): \($0)" }
    }
  }

  /// The scale; nil without slices, on which it depends.
  fileprivate var knownScale: Scale? { slices == nil ? nil : try? requireScale() }
}
