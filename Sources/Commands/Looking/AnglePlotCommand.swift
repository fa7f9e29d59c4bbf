import CT
import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let plotAngle = Command(
    CommandSpec(
      "plot angle", family: .looking,
      summary: "Draw the angle of a flow to the true gradient over a training.",
      details: """
        A copy of the network trains under each flow; at some fifty steps its gradient is compared with that of \
        'flow standard' on the same batch with the same weights: 0° is the gradient, 90° no relation. One \
        flow has a line for each layer, several have one each for all weights together. A gradient that is 0 \
        has no angle. The session's own network stays as it is.
        """,
      parameters: [
        .key(
          "flow", .list(.text(placeholder: "NAME")), "the flows to show",
          default: .absent("the one in use"))
      ] + TrialTraining.parameters + FigureParameters.all,
      examples: [
        CommandExample(
          "plot angle flow=feedback steps=5 as=text",
          after: [
            "phantom size=32 slices=4", "noise gaussian sigma=60HU", "block channels=2",
            "block channels=2", "conv",
          ])
      ], seeAlso: ["flow feedback", "compare", "race", "plot gradients"], trains: true)
  ) { arguments, workspace, context in
    let names = arguments.list("flow").map { value in
      if case .text(let name) = value { name } else { "" }
    }
    let flows = try names.enumerated().map { index, name in
      (name, try workspace.fittingFlow(name, at: "flow", index: index, arguments))
    }
    let chosen = flows.isEmpty ? [(workspace.flow.name, workspace.flow)] : flows
    var courses: [(name: String, course: AngleCourse)] = []
    for (number, (name, flow)) in chosen.enumerated() {
      courses.append(
        (
          name,
          try workspace.angles(flow, arguments, context) { part in
            context.progress(
              ProgressUpdate(
                "\(name)", fraction: (Double(number) + part) / Double(chosen.count)))
          }
        ))
    }
    let lines = workspace.angleLines(courses)
    return try workspace.show(
      name: "angle", statistics: lines.map(\.summary),
      result: [
        "steps": .list(courses[0].course.steps) { .integer($0) },
        "lines": .list(lines) { line in
          ["name": .string(line.name), "angles": .list(line.angles) { .finite($0.degrees) }]
        },
      ], arguments
    ) { statistics in
      Plot(
        title: "Angle to the true gradient, \(courses.map(\.name).joined(separator: ", "))",
        x: .init("update"), y: .init("angle in degrees"),
        series: lines.map { line in
          Plot.Series(
            line.name,
            zip(line.steps, line.angles).map { .init(x: Double($0), y: $1.degrees ?? .nan) })
        }, references: [.init("no relation", 90)], statistics: statistics)
    }
  }
}

/// One line of the figure.
private struct AngleLine {
  let name: String
  let steps: [Int]
  let angles: [AngleCourse.Angle]

  /// The first and the last angle, or why there is none.
  var summary: OutputLine {
    let told = zip(steps, angles).compactMap { step, angle in angle.degrees.map { (step, $0) } }
    let missing = angles.first { $0.degrees == nil }
    guard let first = told.first, let last = told.last else {
      return "\(name)  no angle: \(missing?.reason ?? "there is no update")"
    }
    let start = first.0 == steps.first ? "at first" : "at update \(first.0)"
    let ways: OutputLine =
      "\(name)  \(first.1, digits: 1)° \(start), \(last.1, digits: 1)° at update \(last.0)"
    guard let missing else { return ways }
    let count = angles.count - told.count
    return "\(ways); none at \(count) of \(angles.count) looks: \(missing.reason)"
  }
}

extension AngleCourse.Angle {
  /// The reason why there is no angle; empty where there is one.
  fileprivate var reason: String {
    switch self {
    case .degrees: ""
    case .missing(.otherIsZero): "its gradient is 0, which has no direction"
    case .missing(.referenceIsZero): "the true gradient is 0, which has no direction"
    case .missing(.bothAreZero): "both gradients are 0, which have no direction"
    case .missing(.notFinite): "a gradient is not finite"
    }
  }
}

extension Workspace {
  fileprivate func angles(
    _ flow: any GradientFlow, _ arguments: Arguments, _ context: CommandContext,
    progress: (Double) -> Void
  ) throws -> AngleCourse {
    let trial = try trialTraining(flow, arguments)
    let course = AngleCourse(
      network, optimizer: optimizer, on: trial.data, slices: trial.slices, loss: loss, flow: flow,
      options: trial.options, shouldStop: context.shouldStop, progress: progress)
    try context.stopIfInterrupted()
    return course
  }

  /// A line for each layer with weights of one flow, or for each of several flows.
  fileprivate func angleLines(_ courses: [(name: String, course: AngleCourse)]) -> [AngleLine] {
    guard courses.count == 1 else {
      return courses.map {
        AngleLine(name: $0.name, steps: $0.course.steps, angles: $0.course.whole)
      }
    }
    let course = courses[0].course
    return network.layers.indices.filter { !network.layers[$0].parameters.isEmpty }.map { layer in
      AngleLine(
        name: network.layerNames[layer], steps: course.steps,
        angles: course.layers.map { $0[layer] })
    }
  }
}
