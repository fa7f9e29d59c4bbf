import CommandLanguage
import Foundation
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let fileEnding = ".safetensors"
  private static let small = ["block channels=2", "conv"]

  static let netSave = Command(
    CommandSpec(
      "net save", family: .network,
      summary: "Write the network's weights, and the lines that build it.",
      details: """
        The file holds b1.conv1.weight [O,I,kH,kW] and so on as float32, and opens in Python with \
        safetensors. Its metadata hold the lines for layers, loss, optimizer and flow, and the scale; \
        nothing of a patient. With optimizer=yes it also holds what the optimizer remembers \
        (b1.conv1.weight.m and .v), so that training goes on after 'net load' as if it had not been \
        left; an epoch that was left in the middle is not finished but a new one begun.
        """,
      parameters: [
        .word("file", .path, "the file, ending in \(fileEnding)"),
        .key(
          "optimizer", .yesNo, "whether the optimizer's memory goes with the weights",
          default: .value("no")),
        Parameter.replace,
      ],
      examples: [
        CommandExample("net save small.safetensors", after: small),
        CommandExample(
          "net save small.safetensors optimizer=yes",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"] + small
            + ["train steps=1"]),
      ], seeAlso: ["net load", "net show", "save tensor"], runsInPass: true)
  ) { arguments, workspace, _ in
    let path = try arguments.path("file")
    guard path.lowercased().hasSuffix(fileEnding) else {
      throw arguments.error(
        at: "file", .wrongValue, "weights are written as \(fileEnding)", hint: path + fileEnding)
    }
    guard !workspace.network.layers.isEmpty else {
      throw arguments.error(.state, "the network has no layers", hint: "add one with block or conv")
    }
    let keepsOptimizer = try arguments.flag("optimizer")
    guard !keepsOptimizer || workspace.trainer != nil else {
      throw arguments.error(
        at: "optimizer", .state, "the optimizer remembers nothing before a training",
        hint: "leave optimizer=yes out, or train first")
    }
    guard !keepsOptimizer || workspace.weightsInUse == .last else {
      throw arguments.error(
        at: "optimizer", .state,
        "the optimizer's memory belongs to the last weights, and the \(workspace.weightsInUse.rawValue) "
          + "ones are in use",
        hint: "'net use last' first, or leave optimizer=yes out")
    }
    let file = NetworkFile(workspace, keepsOptimizer: keepsOptimizer)
    let place = try arguments.write(file.data, to: path, in: workspace.files)
    var outcome = workspace.describeFile("saved", path, at: place)
    outcome.add(file: path, at: place)
    outcome.warnings += [workspace.network.wildWeights].compactMap(\.self)
    return outcome
  }

  static let netFold = Command(
    CommandSpec(
      "net fold", family: .network,
      summary: "Merge each batch norm into the convolution before it.",
      details: """
        w' = w·k and b' = (b − running mean)·k + norm.bias with k = norm.weight/√(running variance + ε): \
        the output of 'denoise' is the same to rounding, with fewer parameters. Training begins anew.
        """,
      examples: [
        CommandExample("net fold", after: ["conv channels=8 norm=batch act=relu", "conv"])
      ],
      seeAlso: ["norm", "net show", "net save"])
  ) { _, workspace, _ in
    var network = workspace.network
    let before = network.parameterCount
    let count = network.fold()
    guard count > 0 else {
      throw CommandError(
        .state, "there is no batch norm behind a convolution",
        hint: "a norm is merged that stands within a conv or block, or right behind a linear conv")
    }
    workspace.replaceNetwork(network)
    return Outcome(
      """
      merged \(count) \(count == 1 ? "batch norm" : "batch norms") · \(before) → \
      \(network.parameterCount) parameters · the output is the same to rounding
      """,
      result: [
        "merged": .integer(count), "parameters": .integer(network.parameterCount),
      ])
  }

  static let netLoad = Command(
    CommandSpec(
      "net load", family: .network,
      summary: "Read a network with its weights, or weights for the network.",
      details: """
        A file of 'net save' builds its network anew, with loss, optimizer and flow. One from \
        elsewhere must hold a tensor for each parameter of the network in use, of its name and \
        shape, and no other. With match=order its tensors take the places of the network in use in \
        their order, whatever their names are: so a PyTorch state dictionary loads, running statistics \
        included. float16, bfloat16 and float64 are converted, which a warning says. A \
        file that does not fit changes nothing.
        """,
      parameters: [
        .word("file", .path, "the file, ending in \(fileEnding)"),
        .key(
          "match", .choice(["name", "order"]), "how tensors find their places",
          default: .value("name")),
      ],
      examples: [
        CommandExample(
          "net load small.safetensors", after: small + ["net save small.safetensors", "net new"])
      ], seeAlso: ["net save", "net show", "denoise", "evaluate"])
  ) { arguments, workspace, _ in
    let path = try arguments.path("file")
    do {
      let place = try workspace.files.reading(path)
      let attributes = try FileManager.default.attributesOfItem(atPath: place)
      // The sum counts the bytes of the file, and the tensors made of them, which may be wider.
      try workspace.requireMemory(
        3 * (attributes[.size] as? Int ?? 0), for: path, hint: "choose a smaller file")
      guard attributes[.type] as? FileAttributeType != .typeDirectory,
        let data = FileManager.default.contents(atPath: place)
      else {
        throw CommandError(
          .file, "\(path) cannot be read", hint: "it must be a file that you may read",
          status: .badInput)
      }
      let loaded = try SafeTensors(decoding: data)
      if try arguments.choice("match") == "order" {
        let (changed, order, warnings) = try NetworkFile.loadInOrder(loaded, into: workspace)
        workspace = changed
        return workspace.describeOrder(order, path, warnings)
      }
      let (changed, warnings) = try NetworkFile.load(loaded, into: workspace)
      workspace = changed
      var outcome = Outcome()
      if NetworkFile.isOwn(loaded) {
        outcome.say(lines: workspace.networkLines.joined(separator: "\n"))
      }
      let description = workspace.describeFile("loaded", path)
      outcome.append(description)
      outcome.result = description.result
      outcome.warnings = warnings
      return outcome
    } catch {
      throw arguments.error(at: "file", commandError(error), status: .badInput)
    }
  }
}

extension Workspace {
  /// The places that tensors took, and a line about the file.
  fileprivate func describeOrder(
    _ order: TensorOrder, _ path: String, _ warnings: [String]
  ) -> Outcome {
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [.words("parameter"), .words("tensor"), .words("shape")],
        rows: order.assignments.map {
          [
            OutputLine($0.name), OutputLine(SafeTensors.shown($0.entry.name)),
            OutputLine($0.entry.shape.description),
          ]
        }))
    outcome.append(describeFile("loaded", path))
    outcome.result = [
      "path": .string(path), "layers": .list(network.layerNames) { .string($0) },
      "parameters": .integer(network.parameterCount),
      "tensors": .list(order.assignments) {
        ["parameter": .string($0.name), "tensor": .string($0.entry.name)]
      },
    ]
    outcome.warnings = warnings
    return outcome
  }

  /// One line: `saved  small.safetensors  2 layers · 39 parameters`.
  fileprivate func describeFile(
    _ verb: String, _ path: String, at place: String? = nil
  ) -> Outcome {
    let count = network.layers.count
    return Outcome(
      """
      \(verb)  \(file: path, at: place)  \(count, "layer") · \
      \(network.parameterCount, "parameter")
      """,
      result: [
        "path": .string(path), "layers": .list(network.layerNames) { .string($0) },
        "parameters": .integer(network.parameterCount), "updates": .integer(trainer?.step ?? 0),
      ])
  }
}
