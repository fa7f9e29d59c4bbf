import CommandLanguage
import GradientFlows
import Networks
import Tensors

extension Command<Workspace> {
  private static let setup = ["phantom size=32 slices=2", "noise gaussian sigma=60HU"]
  private static let network = setup + ["block channels=2 act=tanh", "conv"]

  static let breakCommand = Command(
    CommandSpec(
      "break", family: .stepping,
      summary: "Stop a training, or the walk through a pass, on a condition.",
      details: """
        NAME norm|min|max|mean|std|zeros OP VALUE; loss OP VALUE; nan: a NaN or an infinity \
        anywhere; dead LAYER OP SHARE: the share of activations that are 0; step N: before update \
        N; cosine FLOW FLOW LAYER OP VALUE, between the gradients of its parameters; NAME alone: as \
        soon as it is written. VALUE may name 'previous', the quantity in the step before. A \
        training stops before the update, with the pass of that very batch open; 'continue' goes on \
        as if nothing had happened. Conditions on the loss and on gradients of weights cost next to \
        nothing; the others compute the pass again in each step.
        """,
      parameters: [.rest("condition", "when to stop, such as loss > 1.5*previous")],
      examples: [
        CommandExample("break b1.conv1.weight.grad norm > 10", after: network),
        "break nan", "break loss > 1.5*previous", "break step 120",
        CommandExample("break dead b1 > 0.9", after: network),
        CommandExample("break cosine dilated standard b1 < 0", after: network),
      ], seeAlso: ["breaks", "break delete", "train", "continue"])
  ) { arguments, workspace, _ in
    let condition = try workspace.condition(arguments)
    let number = (workspace.breakpoints.last?.number ?? 0) + 1
    let breakpoint = Breakpoint(
      number: number, text: try arguments.text("condition"), condition: condition)
    workspace.breakpoints.append(breakpoint)
    let cost =
      breakpoint.needsMore(workspace.network)
      ? "  computes the pass again in each step of a training" : ""
    return Outcome(
      "breakpoint \(number)  \(breakpoint.text)\(cost)", result: ["number": .integer(number)])
  }

  static let breaks = Command(
    CommandSpec(
      "breaks", family: .stepping, summary: "List the breakpoints and how often each was hit.",
      examples: [CommandExample("breaks", after: ["break nan"])],
      seeAlso: ["break", "break delete"])
  ) { _, workspace, _ in
    guard !workspace.breakpoints.isEmpty else {
      return Outcome("no breakpoints", result: ["breakpoints": .array([])])
    }
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [.numbers(""), .words("condition"), .numbers("hits")],
        rows: workspace.breakpoints.map { ["\($0.number)", OutputLine($0.text), "\($0.hits)"] }))
    outcome.result = [
      "breakpoints": .list(workspace.breakpoints) {
        ["number": .integer($0.number), "condition": .string($0.text), "hits": .integer($0.hits)]
      }
    ]
    return outcome
  }

  static let breakDelete = Command(
    CommandSpec(
      "break delete", family: .stepping, summary: "Take a breakpoint away, or all of them.",
      parameters: [.word("number", .text(placeholder: "N|all"), "its number in 'breaks', or all")],
      examples: [CommandExample("break delete 1", after: ["break nan"])],
      seeAlso: ["break", "breaks"])
  ) { arguments, workspace, _ in
    let text = try arguments.text("number")
    let before = workspace.breakpoints.count
    if text.lowercased() == "all" {
      workspace.breakpoints = []
    } else {
      guard let number = Int(text), workspace.breakpoints.contains(where: { $0.number == number })
      else {
        throw arguments.error(
          at: "number", .wrongValue, "there is no breakpoint \(text)",
          hint: before == 0 ? "none is set" : "'breaks' lists them")
      }
      workspace.breakpoints.removeAll { $0.number == number }
    }
    let gone = before - workspace.breakpoints.count
    return Outcome(
      "\(gone, "breakpoint") deleted",
      result: ["deleted": .integer(gone)])
  }
}

// MARK: - Reading a condition

extension Workspace {
  fileprivate func condition(_ arguments: Arguments) throws -> Breakpoint.Condition {
    let source = try arguments.source("condition")
    let characters = source.characters.map(\.character)
    let sign = characters.firstIndex { "<>=!".contains($0) }
    let words = String(characters[..<(sign ?? characters.count)])
      .split(separator: " ").map(String.init)
    guard let first = words.first else {
      throw fault("nothing stands before the comparison", arguments)
    }
    guard let sign else {
      switch (first.lowercased(), words.count) {
      case ("nan", 1): return .nonFinite
      case ("step", 2):
        guard let step = Int(words[1]), step > 0 else {
          throw fault("'\(words[1])' is no number of an update", arguments)
        }
        return .step(step)
      case (_, 1):
        try requireKnown(first, arguments)
        return .reached(first)
      default: throw fault("the condition compares nothing", arguments)
      }
    }
    var end = sign + 1
    while end < characters.count, "<>=!".contains(characters[end]) { end += 1 }
    guard let relation = Comparison.Relation(rawValue: String(characters[sign..<end])) else {
      throw fault("expected <, <=, =, !=, >= or >", arguments)
    }
    let side = try Expression(parsing: source[end..<characters.count].trimmed)
    _ = try side.value { (name, range) throws(CommandError) -> Double in
      guard name == "previous" else {
        throw CommandError(
          .unknownName, "'\(name)' has no number here",
          hint: "'previous' is the quantity in the step before", range: range, line: arguments.line)
      }
      return 0
    }
    return .comparison(try quantity(words, arguments), relation, side)
  }

  private func quantity(
    _ words: [String], _ arguments: Arguments
  ) throws -> Breakpoint.Quantity {
    switch (words[0].lowercased(), words.count) {
    case ("loss", 1): return .loss
    case ("dead", 2):
      try requireLayer(words[1], arguments)
      return .dead(layer: words[1])
    case ("cosine", 4):
      for flow in words[1...2] {
        guard flowNames.contains(flow) else {
          throw arguments.error(
            at: "condition", .unknownName, "there is no flow '\(flow)'",
            hint: NearestNames.question(for: flow, among: flowNames)
              ?? "there are \(flowNames.joined(separator: " "))")
        }
      }
      try requireLayer(words[3], arguments)
      return .cosine(words[1], words[2], layer: words[3])
    case (_, 2):
      let kind = words[1].lowercased()
      guard Breakpoint.Quantity.statistics[kind] != nil else {
        throw arguments.error(
          at: "condition", .unknownName, "'\(words[1])' is nothing that is measured",
          hint: NearestNames.question(
            for: kind, among: Breakpoint.Quantity.statistics.keys.sorted())
            ?? "there are \(Breakpoint.Quantity.statistics.keys.sorted().joined(separator: " "))")
      }
      try requireKnown(words[0], arguments)
      return .statistic(kind, of: words[0])
    default: throw fault("'\(words.joined(separator: " "))' is nothing that is measured", arguments)
    }
  }

  private func fault(_ message: String, _ arguments: Arguments) -> CommandError {
    arguments.error(
      at: "condition", .syntax, message,
      hint: "for example b1.conv1.weight.grad norm > 10, loss > 1.5*previous, dead b1 > 0.9, nan")
  }

  private func requireLayer(_ name: String, _ arguments: Arguments) throws(CommandError) {
    guard network.layerNames.contains(name) else {
      throw arguments.error(
        at: "condition", .unknownName, "there is no layer '\(name)'",
        hint: network.layerNames.isEmpty
          ? "build the network first"
          : "the layers are \(network.layerNames.joined(separator: " "))")
    }
  }

  private func requireKnown(_ name: String, _ arguments: Arguments) throws(CommandError) {
    let values = network.valueNames + network.parameterNames + ["loss"]
    let known = values + values.map { $0 + ".grad" }
    guard known.contains(name) else {
      throw arguments.error(
        at: "condition", .unknownName, "the network has nothing called '\(name)'",
        hint: NearestNames.question(for: name, among: known)
          ?? "for example b1.out, c1.weight.grad, loss")
    }
  }
}
