import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

/// A network that is not in use, with its training and results.
struct ParkedNetwork: Sendable {
  let network: Network<Float>
  let initializer: Initializer
  let seed: UInt64?
  let optimizer: OptimizerSetting
  var trainer: Trainer?
  let weightsInUse: TrainedWeights
  var unfinished: UnfinishedTraining?
  var lastPass: TrainingPass<Float>?
  var denoised: [Int: Tensor<Float>]
}

extension Command<Workspace> {
  static let netFork = Command(
    CommandSpec(
      "net fork", family: .network,
      summary: "Copy the network under a second name; this one stays in use.",
      details: """
        The copy has the same weights, optimizer, and place in the training data, so that both go \
        on with the same batches and noise; 'net use' changes to it. The network that a session \
        begins with is called main. NAME/b1.out is a value of another network.
        """,
      parameters: [.word("name", .text(placeholder: "NAME"), "the name of the copy")],
      examples: [
        CommandExample("net fork second", after: ["block channels=2", "conv"])
      ], seeAlso: ["net use", "net show", "race"])
  ) { arguments, workspace, _ in
    let name = try arguments.text("name")
    guard Variables.isName(name) else {
      throw arguments.error(
        at: "name", .wrongValue, "'\(name)' cannot name a network",
        hint: "use letters, digits and _, a letter first")
    }
    guard TrainedWeights(rawValue: name) == nil else {
      throw arguments.error(
        at: "name", .wrongValue, "'\(name)' cannot name a network: it names weights of a training",
        hint: "take another name")
    }
    guard !workspace.networkNames.contains(name) else {
      throw arguments.error(
        at: "name", .state, "there is a network called '\(name)' already",
        hint: "take another name, or 'net use \(name)'")
    }
    workspace.parked[name] = workspace.parkedCopy
    return Outcome(
      "\(name)  a copy of \(workspace.networkName), which stays in use",
      result: ["name": .string(name), "in_use": .string(workspace.networkName)])
  }

  static let netUse = Command(
    CommandSpec(
      "net use", family: .network,
      summary: "Change to another network, or to other weights of its training.",
      details: """
        The network that is left is kept as it is. last, best and average are weights of the network in \
        use: those after the last update, those of the lowest validation loss ('train keep=best', \
        patience=), and the average over updates ('train average='). They are judged, shown and saved \
        instead; 'train' and 'continue' go on from the last ones.
        """,
      parameters: [
        .word("name", .text(placeholder: "NAME"), "the network, or last, best or average")
      ],
      examples: [
        CommandExample("net use second", after: ["block channels=2", "conv", "net fork second"]),
        CommandExample(
          "net use average",
          after: [
            "phantom size=32 slices=2", "noise gaussian sigma=40HU", "block channels=2", "conv",
            "train steps=3 average=0.9",
          ]),
      ], seeAlso: ["net fork", "net show", "train"])
  ) { arguments, workspace, _ in
    let name = try arguments.text("name")
    if let weights = TrainedWeights(rawValue: name.lowercased()),
      !workspace.networkNames.contains(name)
    {
      return try workspace.use(weights, arguments)
    }
    guard workspace.networkNames.contains(name) else {
      throw arguments.error(
        at: "name", .unknownName, "there is no network called '\(name)'",
        hint: NearestNames.question(for: name, among: workspace.networkNames)
          ?? "there are \(workspace.networkNames.joined(separator: ", "))")
    }
    workspace.use(name)
    let network = workspace.network
    return Outcome(
      """
      \(name)  \(network.layers.count, "layer") · \
      \(network.parameterCount, "parameter")
      """,
      result: [
        "name": .string(name), "layers": .integer(network.layers.count),
        "parameters": .integer(network.parameterCount),
      ])
  }
}

extension Workspace {
  /// The names of all networks, that in use first.
  var networkNames: [String] { [networkName] + parked.keys.sorted() }

  var parkedCopy: ParkedNetwork {
    ParkedNetwork(
      network: network, initializer: initializer, seed: networkSeed, optimizer: optimizer,
      trainer: trainer, weightsInUse: weightsInUse, unfinished: unfinished, lastPass: lastPass,
      denoised: denoised)
  }

  /// Parks the network in use and takes the one called `name`, if it is parked.
  mutating func use(_ name: String) {
    guard let wanted = parked.removeValue(forKey: name) else { return }
    parked[networkName] = parkedCopy
    install(wanted, name: name)
  }

  /// Puts a network with its training and results in place of the one in use.
  mutating func install(_ wanted: ParkedNetwork, name: String) {
    networkName = name
    network = wanted.network
    (initializer, networkSeed) = (wanted.initializer, wanted.seed)
    optimizer = wanted.optimizer
    (trainer, unfinished) = (wanted.trainer, wanted.unfinished)
    weightsInUse = wanted.weightsInUse
    (lastPass, denoised) = (wanted.lastPass, wanted.denoised)
  }

  /// The workspace with the network in use that a name such as `second/b1.out` begins with, and the
  /// rest of the name; nil for names without a network.
  func parkedNetwork(of text: String) throws(CommandError) -> (workspace: Workspace, name: String)?
  {
    guard let slash = text.firstIndex(of: "/") else { return nil }
    let name = String(text[..<slash])
    guard networkNames.contains(name) else {
      throw CommandError(
        .unknownName, "there is no network called '\(name)'",
        hint: NearestNames.question(for: name, among: networkNames)
          ?? "there are \(networkNames.joined(separator: ", "))")
    }
    var other = self
    other.use(name)
    return (other, String(text[text.index(after: slash)...]))
  }

  /// A value of a network that is not in use: `second/b1.out`.
  func valueOfParkedNetwork(_ text: String) throws -> NamedValue? {
    guard let (workspace, rest) = try parkedNetwork(of: text) else { return nil }
    var other = workspace
    let value = try other.value(rest)
    return NamedValue(
      name: text, tensor: value.tensor, mask: value.mask, isImage: value.isImage,
      slice: value.slice)
  }
}
