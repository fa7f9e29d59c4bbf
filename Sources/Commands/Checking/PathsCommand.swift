import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors

extension Command<Workspace> {
  private static let setup = [
    "conv channels=2 act=tanh", "block channels=2 act=tanh", "block channels=2 act=tanh",
    "block channels=2 act=tanh", "conv",
  ]

  static let paths = Command(
    CommandSpec(
      "paths", family: .checking,
      summary: "Split the exact gradient by how many residual blocks it went through.",
      details: """
        At a residual block the gradient goes back through the convolutions or past them by the skip. Its parts by \
        ways that go through 0, 1, 2, … blocks add up to the gradient of 'flow standard'. share is \
        the part's projection on the whole gradient, so that the shares add up to 100 %; it is negative where a part \
        points the other way. A weight within a block counts the blocks above it. Where a merge \
        multiplies, the way through carries the skip value as a factor, and the way past the activation. \
        NAME is a parameter or a layer; without one, all weights together. The pass is that of 'compare'.
        """,
      parameters: [
        .word(
          "name", .text(placeholder: "NAME"), "a parameter or a layer",
          default: .absent("all parameters")),
        FigureParameters.axis,
      ] + FigureParameters.all,
      examples: [
        CommandExample("paths", after: setup),
        CommandExample("paths b1.conv1.weight as=text", after: setup),
      ], seeAlso: ["compare", "plot gradients", "flow standard"])
  ) { arguments, workspace, _ in
    try workspace.network.requireTrainable()
    let network = workspace.network
    let name = arguments.textIfGiven("name")
    let chosen = network.parameterNames.indices.filter { index in
      name.map {
        network.parameterNames[index] == $0 || network.parameterNames[index].hasPrefix($0 + ".")
      }
        ?? true
    }
    guard !chosen.isEmpty else {
      throw arguments.error(
        at: "name", .unknownName, "there is no parameter or layer called '\(name ?? "")'",
        hint: NearestNames.question(
          for: name ?? "", among: network.parameterNames + network.layerNames)
          ?? "the layers are \(network.layerNames.joined(separator: " "))")
    }
    let pass = try workspace.lastPass ?? workspace.smallPass()
    try workspace.requireMemory(
      2 * TapeFlow().mapBytes(of: network, pass.size, retention: .everything), for: "the pass",
      hint: "take a part of the slice, or train on patches or smaller batches")
    let found = try interruptible { PathParts(GradientPaths(pass), chosen) }
    guard found.norm > 0, found.norm.isFinite else {
      throw CommandError(
        .data, "the gradient is \(found.norm == 0 ? "0" : "not finite"), so that it has no parts",
        hint: "'diagnose' says why")
    }
    let kind = try arguments.axisKind(suiting: found.norms)
    let what = name ?? "all parameters"
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [.numbers("blocks"), .numbers("ways"), .numbers("norm"), .numbers("share")],
        rows: found.lengths.map { length in
          [
            "\(length)", "\(found.ways[length], digits: 0)",
            "\(found.norms[length], significant: 4)",
            "\(100 * found.shares[length], digits: 2) %",
          ]
        }))
    let verdict: OutputLine = """
      gradient of \(what)  norm \(found.norm, significant: 4)  mean length \
      \(found.meanLength, digits: 2) of \(found.norms.count - 1, "block")
      """
    outcome.result = [
      "name": .string(what), "norm": .number(found.norm),
      "parts": .list(found.lengths) { length in
        [
          "blocks": .integer(length), "ways": .number(found.ways[length]),
          "norm": .number(found.norms[length]), "share": .number(found.shares[length]),
        ]
      },
    ]
    let figure = try workspace.show(
      name: "paths", statistics: [verdict], result: outcome.result, arguments
    ) { statistics in
      BarChart(
        title: "Gradient of \(what) by the blocks it went through",
        groups: found.lengths.map { "\($0)" },
        series: [BarChart.Series("norm", found.lengths.map { found.norms[$0] })],
        axis: .init("norm of the part", kind), statistics: statistics)
    }
    outcome.append(figure)
    return outcome
  }
}

/// The parts of the gradient of some parameters together, by length.
private struct PathParts {
  var norms: [Double]
  var shares: [Double]
  var ways: [Double]
  let norm: Double

  init(_ paths: GradientPaths<Float>, _ chosen: [Int]) {
    let count = paths.parts.first?.count ?? 1
    var (squares, dots) = (
      [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
    )
    var total = 0.0
    ways = Array(repeating: 0, count: count)
    for parameter in chosen {
      let parts = paths.parts[parameter].map { $0?.scalars.map(Double.init) }
      for length in 0..<count { ways[length] = max(ways[length], paths.ways[parameter][length]) }
      guard let size = parts.compactMap({ $0?.count }).first else { continue }
      for place in 0..<size {
        let sum = parts.reduce(0.0) { $0 + ($1?[place] ?? 0) }
        total += sum * sum
        for (length, part) in parts.enumerated() {
          let value = part?[place] ?? 0
          squares[length] += value * value
          dots[length] += value * sum
        }
      }
    }
    norm = total.squareRoot()
    norms = squares.map { $0.squareRoot() }
    shares = dots.map { $0 / total }
  }

  /// The lengths of which there are ways.
  var lengths: [Int] { ways.indices.filter { ways[$0] > 0 } }

  /// The mean length, each weighed by the norm of its part.
  var meanLength: Double {
    norms.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element } / norms.reduce(0, +)
  }
}
