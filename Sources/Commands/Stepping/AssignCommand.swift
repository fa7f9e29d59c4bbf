import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let assign = Command(
    CommandSpec(
      "assign", family: .stepping,
      summary: "Overwrite numbers of an input, a weight or a typed tensor.",
      details: """
        Fills the named part with one number, or takes a list of as many. What was computed from a \
        typed tensor is computed again, its gradients stay until the next 'backward'; a changed weight begins the next training anew.
        """,
      parameters: [
        .word("name", .thing, "a weight, clean, noisy or a typed tensor, with or without an index"),
        .assigned("value", "a number or a list"),
      ],
      examples: [
        CommandExample("assign a = 3", after: ["tensor a = 2", "tensor y = a*a"]),
        CommandExample(
          "assign b1.conv1.weight[0,0,1,1] = 0.5",
          after: ["phantom size=32 slices=2", "block channels=2", "conv"]),
        CommandExample(
          "assign noisy[1, 10:12, 10:12] = 1000",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]),
      ], seeAlso: ["tensor", "forward", "show"],
      effect: .changing(.everything.subtracting([.window, .settings])))
  ) { arguments, workspace, _ in
    let expression = try Expression(
      parsing: try arguments.source("value"), functions: Workspace.functions)
    var scratch = workspace.computation
    let place = try workspace.build(expression, &scratch, arguments)
    return try workspace.assign(scratch.nodes[place].value, arguments)
  }
}

extension Workspace {
  /// Fills a named part with numbers, and says what follows from it.
  fileprivate mutating func assign(_ value: Tensor<Float>, _ arguments: Arguments) throws -> Outcome
  {
    let text = try arguments.text("name")
    let indexed = try IndexedName(text)
    let isTypedName = isTyped(indexed.name)
    if !isTypedName, stepper?.networkWalk != nil {
      throw arguments.error(
        .state, "a pass is open, and assign would change what it was made of",
        hint: "finish first: type 'finish'")
    }
    func filled(_ whole: Tensor<Float>, _ entries: [IndexEntry]) throws -> Tensor<Float> {
      do throws(TensorError) {
        return try whole.assigning(value, to: entries)
      } catch {
        throw arguments.error(at: "name", commandError(error))
      }
    }
    var note = ""
    if isTypedName {
      guard let place = computation.place(indexed.name),
        computation.nodes[place].isLeaf
      else {
        throw arguments.error(
          at: "name", .state, "\(indexed.name) is computed",
          hint: "assign what it was computed from, or define it anew with 'tensor'")
      }
      computation.assign(
        place, try filled(computation.nodes[place].value, indexed.entries))
      closeTypedWalk()
      note = "  what was computed from it is computed again"
    } else if let index = network.parameterNames.firstIndex(of: indexed.name) {
      var changed = network
      changed.parameters[index] = try filled(network.parameters[index], indexed.entries)
      if trainer != nil { note = "  the next training begins anew" }
      replaceNetwork(changed)
    } else if Self.imageNames.contains(indexed.name) {
      try assignImage(indexed, filled)
      recipe.note(assigned: value, to: indexed, hasNoisy: noisyStack != nil)
    } else {
      throw arguments.error(
        at: "name", .wrongValue, "\(text) is no input, weight or typed tensor",
        hint: "for example noisy[0, 10, 12], b1.conv1.weight[0,0,1,1]")
    }
    let now = try self.value(text).tensor
    var outcome = Outcome("\(text) = \(told(now))\(note)")
    outcome.result = [
      "name": .string(text), "shape": .list(now.shape.extents) { .integer($0) },
      "count": .integer(now.shape.count),
    ]
    return outcome
  }

  /// The names of the slices whose numbers can be assigned.
  static var imageNames: [String] { ["clean", "noisy"] }

  /// Assigns numbers to a part of clean or noisy slices.
  mutating func assignImage(
    _ name: IndexedName, _ filled: (Tensor<Float>, [IndexEntry]) throws -> Tensor<Float>
  ) throws {
    // The index [slice, row, column] leaves out the only channel.
    var entries = name.entries
    if !entries.isEmpty { entries.insert(.position(0), at: 1) }
    if name.name == "noisy" {
      let values = try filled(try requireNoisy(), entries)
      noisyStack = noisyStack?.with(values)
      return
    }
    let stack = try requireClean()
    replaceClean(stack.with(try filled(stack.values, entries)))
  }
}
