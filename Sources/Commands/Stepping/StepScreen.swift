import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors

extension Workspace {
  /// The position in the open pass, for the right of the prompt; nil if no pass is open.
  package var place: String? {
    guard let stepper else { return nil }
    let at = stepper.current.map { "\($0.direction.rawValue) \($0.place)" } ?? "at the start"
    return "\(stepper.cursor)/\(stepper.steps.count) \(at)"
  }
}

/// The screens that a stop in a pass shows.
extension Stepper {
  /// One screen about the operation that was done last: formula, shapes, norms, picked elements.
  func screen() -> Outcome {
    guard let step = current else {
      return Outcome(
        "at the start  \(steps.count, "operation") ahead",
        result: ["cursor": .integer(0)])
    }
    var outcome = Outcome(
      """
      \(cursor)/\(steps.count)  \(step.direction.rawValue)  \
      \(step.layer.map { pass.layers[$0].name } ?? "net")  \(step.operation)
      """)
    if step.formulasByFlow.isEmpty { outcome.say(OutputLine("  \(step.formula)")) }
    for (name, formula) in zip(pass.flowNames, step.formulasByFlow) {
      outcome.say(OutputLine("  \(name)  \(formula)"))
    }
    // A row for each name: what was read, what was written, a tensor a flow.
    let table =
      step.reads.map { name in
        ("reads", name, pass.flowNames.indices.map { value(name, flow: $0) })
      }
      + step.writes.map { name in
        ("writes", name, pass.flowNames.indices.map { written(name, by: step, flow: $0) })
      }
    let isOfNumbers = table.allSatisfy { $0.2.first??.shape.count == 1 }
    let rows = table.map { row($0.0, $0.1, $0.2, isOfNumbers) }
    outcome.add(
      OutputTable(
        [.words(""), .words("name"), .words("shape")]
          + pass.flowNames.flatMap { flow in
            let suffix = pass.flowNames.count > 1 ? " \(flow)" : ""
            return isOfNumbers
              ? [OutputTable.Column.numbers("value\(suffix)")]
              : [.numbers("norm\(suffix)"), .numbers("zeros")]
          }, rows: rows))
    if step.operation == "links" { sayLinks(of: step, in: &outcome) }
    if let arrival = step.arrival {
      outcome.say(
        OutputLine(
          arrival.isFinal
            ? "  \(arrival.number) of \(arrival.count) arrivals: \(step.place) is final"
            : "  \(arrival.number) of \(arrival.count) arrivals: \(step.place) is not final yet"))
    }
    for line in pickLines() { outcome.say(line) }
    outcome.result = [
      "cursor": .integer(cursor), "of": .integer(steps.count),
      "direction": .string(step.direction.rawValue),
      "layer": step.layer.map { .string(pass.layers[$0].name) } ?? .null,
      "operation": .string(step.operation), "formula": .string(step.formula),
      "formulas": .list(pass.flowNames.indices.map { $0 }) { .string(step.formula(flow: $0)) },
      "reads": .list(step.reads) { .string($0) }, "writes": .list(step.writes) { .string($0) },
    ]
    return outcome
  }

  /// A line of the table, with the numbers of each flow.
  private func row(
    _ kind: String, _ name: String, _ tensors: [Tensor<Float>?], _ isNumber: Bool
  ) -> [OutputLine] {
    [
      OutputLine("  \(kind)"), OutputLine(name),
      OutputLine(tensors.first??.shape.description ?? ""),
    ]
      + tensors.flatMap { tensor -> [OutputLine] in
        guard let tensor else { return isNumber ? [""] : ["", ""] }
        if isNumber { return ["\(Double(tensor.scalars[0]), significant: 6)"] }
        let (norm, zeros) = tensor.normAndZeros()
        return ["\(norm, significant: 4)", "\(100 * zeros, digits: 1) %"]
      }
  }

  /// Adds a line for each term that the links of a flow add in `step`, with the blocks it comes
  /// from.
  private func sayLinks(of step: PassStep, in outcome: inout Outcome) {
    guard let walk = networkWalk, let target = step.layer else { return }
    // Behind a derivative, links are a second arrival.
    let isBehind = step.arrival != nil
    for entry in walk.flows {
      guard let join = entry.flow.join(at: target, in: walk.network, epoch: walk.pass.epoch),
        join.isBehindDerivative == isBehind
      else { continue }
      let flow = walk.flows.count > 1 ? "\(entry.name)  " : ""
      for term in join.isProduct ? [join.sources] : join.sources.map({ [$0] }) {
        let names = term.map { walk.network.layerNames[$0] }
        let gradients = names.compactMap {
          entry.result.gradient("\($0).in").map { FeatureMap($0) }
        }
        let product = gradients.dropFirst().reduce(gradients.first) { $0?.multiplied(by: $1) }
        let norm = product?.tensor.normAndZeros().norm ?? 0
        outcome.say(
          """
            \(flow)from \(names.joined(separator: " · "))  ρ \(join.weight, significant: 4) · \
          ‖\(names.count > 1 ? "Π g" : "g")‖ \(norm, significant: 4) = \
          \(join.weight * norm, significant: 4)
          """)
      }
    }
  }

  // MARK: - The map

  /// The network with the cursor: ▶ next, ✓ done, · pending.
  func map() -> Outcome {
    var outcome = Outcome()
    func sign(_ layer: Int, _ direction: PassStep.Direction) -> String {
      switch progress(of: layer, direction) {
      case .done: "✓"
      case .here: "▶"
      case .pending: "·"
      }
    }
    outcome.add(
      OutputTable(
        [.words("forward"), .words("layer"), .words("backward"), .words("line")],
        rows: pass.layers.indices.map { index in
          [
            OutputLine(sign(index, .forward)), OutputLine(pass.layers[index].name),
            OutputLine(sign(index, .backward)), OutputLine(pass.layers[index].line),
          ]
        }))
    let place = current.map { "after \($0.direction.rawValue) \($0.operation), \($0.place)" }
    let ahead = next.map { "next \($0.direction.rawValue) \($0.operation), \($0.place)" }
    outcome.say(
      OutputLine(
        "\(cursor)/\(steps.count)  \(place ?? "at the start") · \(ahead ?? "at the end")"))
    outcome.result = [
      "cursor": .integer(cursor), "of": .integer(steps.count),
      "next": next.map { .string($0.place) } ?? .null,
    ]
    return outcome
  }

  /// How far the pass has come in a layer.
  func progress(
    of layer: Int, _ direction: PassStep.Direction
  ) -> NetworkDiagram.Walk.Progress {
    let own = steps.indices.filter {
      steps[$0].layer == layer && steps[$0].direction == direction
    }
    guard let first = own.first, let last = own.last else { return .pending }
    return last < cursor ? .done : first >= cursor && cursor != first ? .pending : .here
  }

  // MARK: - Picked elements

  /// Throws when an element cannot be followed.
  func checkPick(_ text: String, _ arguments: Arguments) throws(CommandError) {
    do {
      let indexed = try IndexedName(text)
      guard let tensor = value(indexed.name) else {
        throw CommandError(
          .unknownName, "the pass has nothing called '\(indexed.name)'",
          hint: NearestNames.question(for: indexed.name, among: steps.flatMap(\.writes)))
      }
      let part = try tensor.part(indexed.entries)
      guard part.shape.count == 1 else {
        throw CommandError(
          .shape, "\(text) is \(part.shape), not one number",
          hint: "give every index, for example [0,0,10,12]")
      }
    } catch {
      throw arguments.error(at: "element", commandError(error))
    }
  }

  /// A line for each followed element: its number and its gradient, as far as they are computed.
  func pickLines() -> [OutputLine] {
    picks.map { text in
      guard let indexed = try? IndexedName(text) else { return OutputLine("  \(text)") }
      var line: OutputLine = "  picked \(text)"
      for name in [indexed.name, "\(indexed.name).grad"] where hasReached(name) {
        for (index, flow) in pass.flowNames.enumerated() {
          guard let number = try? value(name, flow: index)?.part(indexed.entries).scalars.first
          else { continue }
          let flowName = pass.flowNames.count > 1 && name != indexed.name ? " (\(flow))" : ""
          let label = name == indexed.name ? "value" : "gradient"
          if name == indexed.name, index > 0 { continue }
          line = "\(line)  \(label)\(flowName) \(Double(number), significant: 6)"
        }
      }
      return line
    }
  }
}
