import CommandLanguage
import GradientFlows
import Networks
import Tensors

extension Command<Workspace> {
  private static let blocks = [
    "block channels=2 act=tanh", "block channels=2 act=tanh", "block channels=2 act=tanh", "conv",
  ]

  static let compare = Command(
    CommandSpec(
      "compare", family: .checking,
      summary: "Compare the gradients of flows, parameter by parameter.",
      details: """
        All flows work on the same pass: the last training step, or before any training the middle \
        of two training slices, or random numbers without data. The first flow is the reference. \
        cosine is 1 where two gradients point the same way; norm is the other's norm over the \
        reference's; largest difference is a part of the reference's largest value; same sign is \
        the share of elements whose signs agree. A gradient that is 0 everywhere has no direction, so \
        there is a – in place of its cosine.
        """,
      parameters: [
        .words(
          "flow", .text(placeholder: "FLOW"), "words such as standard, feedback, or kept names"),
        .key(
          "precision", .choice(["float", "double"]), "of the numbers", default: .value("float")),
      ],
      examples: [
        CommandExample("compare standard tape precision=double", after: blocks),
        CommandExample("compare standard dilated tape", after: blocks),
      ], seeAlso: ["flow standard", "flow dilated", "gradcheck", "race"])
  ) { arguments, workspace, _ in
    try workspace.network.requireTrainable()
    let names = arguments.words("flow")
    guard names.count > 1 else {
      throw arguments.error(
        at: "flow", .missingArgument, "compare needs two flows or more",
        hint: "for example 'compare standard dilated tape'")
    }
    let flows = try names.indices.map { index in
      try workspace.fittingFlow(names[index], at: "flow", index: index, arguments)
    }
    let pass = try workspace.lastPass ?? workspace.smallPass()
    let isDouble = try arguments.choice("precision") == "double"
    // One flow after the other; only the gradients of the parameters stay.
    let needed = flows.map { flow in
      isDouble ? pass.doubleTrainingBytes(flow) : pass.trainingBytes(flow)
    }
    try workspace.requireMemory(
      needed.max() ?? 0, for: "the pass",
      hint: "take a part of the slice, or train on patches or smaller batches")
    return try interruptible {
      isDouble
        ? comparison(of: names, flows, pass.doubles, exact: 1e-10)
        : comparison(of: names, flows, pass, exact: 1e-5)
    }
  }
}

/// A row of `compare`.
private struct Row {
  let flow: String
  let name: String
  let comparison: GradientComparison
  /// Whether both gradients are rounding alone, such as that of a bias before a batch norm, which is 0.
  let isRounding: Bool

  /// The words why there is no angle between the gradients, which the table shows in place of the
  /// largest difference; nil when there is an angle.
  var reason: String? {
    guard !isRounding else { return "rounding" }
    return switch comparison.noAngle {
    case nil: nil
    case .referenceIsZero: "reference is 0"
    case .otherIsZero: "is 0"
    case .bothAreZero: "both are 0"
    case .notFinite: "not finite"
    }
  }
}

/// The table, the verdicts and the result of `compare`.
///
/// Gradients that differ by less than `exact` of the largest value everywhere are called equal.
private func comparison<Element: Scalar>(
  of names: [String], _ flows: [any GradientFlow], _ pass: TrainingPass<Element>, exact: Double
) -> Outcome {
  let gradients = flows.map { pass.run($0, retention: .training).parameterGradients }
  let parameters = pass.network.parameterNames
  let rows = zip(names, gradients).dropFirst().flatMap { name, found in
    let largest = largestOfLayers(parameters, [gradients[0], found])
    return zip(parameters, zip(gradients[0], found)).map { parameter, pair in
      let magnitude = max(pair.0.largestMagnitude(), pair.1.largestMagnitude())
      let ofLayer = largest[layer(of: parameter)] ?? 0
      return Row(
        flow: name, name: parameter, comparison: GradientComparison(pair.0, pair.1),
        isRounding: magnitude > 0 && magnitude < exact / 10 * ofLayer)
    }
  }
  var outcome = Outcome()
  outcome.add(
    OutputTable(
      [
        .words("flow"), .words("parameter"), .numbers("cosine"), .numbers("norm"),
        .numbers("largest difference"), .numbers("same sign"),
      ],
      rows: rows.map { row in
        let c = row.comparison
        if let reason = row.reason {
          return [OutputLine(row.flow), OutputLine(row.name), "–", "–", OutputLine(reason), "–"]
        }
        // Below `exact`, the difference is rounding, and its digits mean nothing.
        let difference: OutputLine =
          c.relativeDifference < exact
          ? "\(volatile: NumberFormat.significant(2).string(c.relativeDifference))"
          : "\(c.relativeDifference, significant: 3)"
        return [
          OutputLine(row.flow), OutputLine(row.name), "\(c.cosine ?? .nan, digits: 4)",
          "\(c.normRatio ?? .nan, significant: 4)", difference,
          "\(100 * c.signAgreement, digits: 1) %",
        ]
      }))
  for name in names.dropFirst() {
    outcome.say(
      verdict(on: name, rows.filter { $0.flow == name }, reference: names[0], exact: exact))
  }
  outcome.result = [
    "reference": .string(names[0]),
    "rows": .list(rows) { row in
      [
        "flow": .string(row.flow), "name": .string(row.name),
        "cosine": .finite(row.comparison.cosine),
        "norm_ratio": .finite(row.comparison.normRatio),
        "max_difference": .finite(row.comparison.maxDifference),
        "relative_difference": .finite(row.comparison.relativeDifference),
        "sign_agreement": .finite(row.comparison.signAgreement),
        "rounding": .bool(row.isRounding),
      ]
    },
  ]
  return outcome
}

/// The layer that a parameter belongs to.
private func layer(of parameter: String) -> Substring { parameter.prefix { $0 != "." } }

/// Returns the largest magnitude among all gradients of each layer.
private func largestOfLayers<Element: Scalar>(
  _ parameters: [String], _ gradients: [[Tensor<Element>]]
) -> [Substring: Double] {
  gradients.reduce(into: [:]) { largest, gradients in
    for (parameter, gradient) in zip(parameters, gradients) {
      let magnitude = gradient.largestMagnitude()
      largest[layer(of: parameter)] = max(largest[layer(of: parameter)] ?? 0, magnitude)
    }
  }
}

/// One line that says what the rows of a flow show; of numbers that are not finite, nothing is claimed.
private func verdict(
  on name: String, _ rows: [Row], reference: String, exact: Double
) -> OutputLine {
  let broken = rows.filter { $0.comparison.areFinite != (true, true) }
  if let first = broken.first {
    let isReference = !first.comparison.areFinite.reference
    return """
      nothing is claimed of \(name): \(broken.count) of \(rows.count, "parameter") hold NaN or infinite numbers, the first is \
      \(first.name) under \(isReference ? reference : name)
      """
  }
  let differing = rows.filter { !$0.isRounding && !($0.comparison.relativeDifference < exact) }
  guard !differing.isEmpty else {
    return "\(name) equals \(reference) within \(exact) of the largest value"
  }
  let found: OutputLine = """
    \(name) differs from \(reference) in \(differing.count) of \(rows.count, "parameter")
    """
  // A gradient of zero has no direction, and nothing is a multiple of it.
  if let zero = differing.first(where: { $0.comparison.noAngle != nil }) {
    let isReference = zero.comparison.noAngle == .referenceIsZero
    return "\(found): \(zero.name) is 0 under \(isReference ? reference : name) alone"
  }
  let cosines = differing.compactMap { row in row.comparison.cosine.map { (row.name, $0) } }
  let ratios = differing.compactMap(\.comparison.normRatio)
  guard let least = cosines.min(by: { $0.1 < $1.1 }), let low = ratios.min(),
    let high = ratios.max()
  else { return found }
  return """
    \(found): cosine \(least.1, digits: 4) at least (\(least.0)), norm \(low, significant: 3) to \
    \(high, significant: 3) times
    """
}
