import CommandLanguage
import GradientFlows
import Networks
import Operations
import Tensors
import Training

extension Command<Workspace> {
  static let explain = Command(
    CommandSpec(
      "explain", family: .stepping,
      summary: "Show the complete arithmetic behind one number of a pass.",
      details: """
        For a value, a gradient, or an optimizer's m, v or update: the terms that it is the sum of, \
        the largest first, their sum in Double, the stored number and the difference, which is \
        rounding. A weight that was updated since the pass is called NAME.before. difference=yes puts the change of the loss by that number beside a gradient, by \
        central differences in Double. While a question of 'quiz' is open, its answer is not told.
        """,
      parameters: [
        .word("name", .thing, "one number, such as b1.conv1.weight.grad[0,0,1,1]"),
        .key("terms", .integer(1...1000), "how many terms are listed", default: .value("8")),
        .key("difference", .yesNo, "differences of the loss, too", default: .value("no")),
      ],
      examples: [
        CommandExample("explain c1.z[0,0,5,6]", after: explained),
        CommandExample("explain b1.conv1.weight.grad[0,0,1,1] difference=yes", after: explained),
        CommandExample("explain c1.weight.update[0,0,1,1]", after: explained),
      ], seeAlso: ["pick", "show", "quiz", "gradcheck"], quizRole: .explains)
  ) { arguments, workspace, context in
    let text = try arguments.text("name")
    let most = try arguments.integer("terms")
    let explained = try workspace.explanation(of: text, most: most, arguments)
    if let open = workspace.quiz.open, open.isTold(by: explained) {
      throw arguments.error(
        at: "name", .state, "\(text) would tell the answer to the open question about \(open.name)",
        hint: "answer it first: answer VALUE")
    }
    let isAsked = try arguments.flag("difference")
    let difference =
      isAsked || context.wantsEverything
      ? try workspace.lossDifference(by: text, isAsked: isAsked, arguments) : nil
    return describe(explained, difference: difference, of: workspace.endOfGradients(of: text))
  }

  private static let explained = [
    "phantom size=32 slices=2", "noise gaussian sigma=60HU", "block channels=2", "conv",
    "train steps=1",
  ]
}

/// The terms of an explanation, their sum, and remarks on it.
func describe(
  _ explained: Explanation, difference: Double? = nil, of end: String = "the loss"
) -> Outcome {
  var outcome = Outcome(OutputLine("\(explained.name)  \(explained.formula)"))
  // A list of zeros alone is left out.
  let isNought = explained.terms.allSatisfy { $0.product == 0 } && explained.restCount > 0
  var rows =
    isNought
    ? []
    : explained.terms.map { term in
      ["  \(term.product, significant: 6)", factors(of: term)]
    }
  if isNought {
    rows = [
      [
        "  \(0.0, significant: 6)",
        OutputLine("all \(explained.terms.count + explained.restCount) terms"),
      ]
    ]
  } else if explained.restCount > 0 {
    rows.append([
      "  \(explained.rest, significant: 6)", OutputLine(terms(explained.restCount, "smaller")),
    ])
  }
  outcome.add(OutputTable([.numbers(""), .words("")], rows: rows))
  outcome.say(
    """
    sum in Double \(explained.sum, significant: 6) · stored \(explained.value, significant: 6) · \
    difference \(volatile: NumberFormat.significant(2).string(explained.value - explained.sum))
    """)
  for inner in explained.inner { outcome.append(describe(inner)) }
  if let difference {
    outcome.say("\(end) changes by \(difference, significant: 6) times as much")
  }
  outcome.result = [
    "value": .number(explained.value),
    "terms": .list(explained.terms) { term in
      [
        "index": .list(term.index) { .integer($0) },
        "factors": .list(term.factors) { .number($0.value) },
        "names": .list(term.factors) { .string($0.name) }, "product": .number(term.product),
      ]
    },
    "rest": .number(explained.rest), "sum": .number(explained.sum),
    "formula": .string(explained.formula),
    "inner": .list(explained.inner) { describe($0).result },
    "finite_difference": difference.map { .number($0) } ?? .null,
  ]
  return outcome
}

/// `1 smaller term`, `3 smaller terms`.
func terms(_ count: Int, _ kind: String) -> String {
  "\(count) \(kind) \(count == 1 ? "term" : "terms")"
}

/// `b1.conv1.a[0,0,5,6] 0.25 · weight[0,0,1,1] -1.5`.
func factors(of term: Explanation.Term) -> OutputLine {
  var words: OutputLine = ""
  for (i, factor) in term.factors.enumerated() {
    let name = Double(factor.name) == nil && factor.name != "−1" ? "\(factor.name) " : ""
    words = "\(words)\(i == 0 ? "" : " · ")\(name)\(factor.value, significant: 6)"
  }
  return words
}

extension Workspace {
  /// The arithmetic behind the number that `text` names.
  mutating func explanation(
    of text: String, most: Int, _ arguments: Arguments
  ) throws -> Explanation {
    if let (workspace, rest) = try parkedNetwork(of: text) {
      var other = workspace
      return try other.explanation(of: rest, most: most, arguments)
    }
    let (name, index, _) = try element(text, arguments)
    if isTyped(name) { return try typedExplanation(of: name, at: index, most: most, arguments) }
    if let update = try updateExplanation(name, index, arguments) { return update }
    let (base, gradientFlow) = gradientName(name)
    let isGradient = base != name
    let place = isGradient ? "\(base).grad" : base
    let chosen = gradientFlow ?? flow
    let pass = try requireLastPass()
    // The terms of a parameter's gradient are values of its layer alone.
    let owner =
      isGradient && network.parameterNames.contains(base)
      ? network.layerNames.firstIndex { base.hasPrefix($0 + ".") } : nil
    let result =
      if let owner { try requireLayer(owner, chosen) } else {
        try requirePass(isGradient ? chosen : nil)
      }
    guard
      let found = result.explanation(of: place, at: index, in: pass, flow: chosen, most: most)
    else {
      throw arguments.error(
        at: "name", .state,
        "\(place) is given, not computed",
        hint: "explain a value such as \(network.layerNames.first ?? "b1").out, or a gradient")
    }
    return found.renaming { factor in
      guard let parameter = network.parameterNames.first(where: { factor.hasPrefix($0 + "[") }),
        let number = network.parameterNames.firstIndex(of: parameter),
        pass.network.parameters[number].scalars != network.parameters[number].scalars
      else { return factor }
      // An update has changed the weight since the pass.
      return parameter + ".before" + factor.dropFirst(parameter.count)
    }
  }

  /// A name and the index of the one number of it that `text` names, in any way that `show` takes;
  /// errors point at it.
  private mutating func element(
    _ text: String, _ arguments: Arguments
  ) throws(CommandError) -> (name: String, index: [Int], shape: Shape) {
    try arguments.blaming("name") { () throws(CommandError) in
      do {
        return try named(text, arguments)
      } catch {
        throw commandError(error)
      }
    }
  }

  private mutating func named(
    _ text: String, _ arguments: Arguments
  ) throws -> (name: String, index: [Int], shape: Shape) {
    let indexed = try IndexedName(text)
    // A part that does not exist is refused with the message of 'show'.
    if Self.stackNames.contains(indexed.name) {
      _ = try value(text, at: "name", arguments)
      throw arguments.error(
        at: "name", .state, "\(indexed.name) is a stack of slices, no value of a pass",
        hint: passCure("'forward noisy[0]' opens a pass; then explain net.out[0,0,5,6]"))
    }
    let whole = try value(indexed.name, at: "name", arguments).tensor
    let (shape, part) = (whole.shape, try whole.part(indexed.entries))
    guard part.shape.count == 1 else {
      throw arguments.error(
        at: "name", .shape,
        "\(indexed.name) is \(shape), and \(text) is not one number of it",
        hint: "give \(shape.rank) \(shape.rank == 1 ? "index" : "indices"), for example "
          + "\(indexed.name)[\(Array(repeating: "0", count: shape.rank).joined(separator: ","))]")
    }
    let index = (0..<shape.rank).map { axis in
      switch axis < indexed.entries.count ? indexed.entries[axis] : .range(lower: 0, upper: nil) {
      case .position(let position): position
      case .range(let lower, _): lower ?? 0
      }
    }
    return (indexed.name, index, shape)
  }

  /// The arithmetic of an optimizer's m, v or update; nil for other names.
  private func updateExplanation(
    _ name: String, _ index: [Int], _ arguments: Arguments
  ) throws -> Explanation? {
    let parsed = ValueName(name)
    guard case .kept(let kind) = parsed.aspect, kind != ValueName.beforeName,
      let parameter = network.parameterNames.firstIndex(of: parsed.base), let trainer
    else { return nil }
    guard let last = trainer.lastUpdate else {
      throw arguments.error(
        at: "name", .state, "what the last update was made of is not kept in files",
        hint: trainingCure("train a step first: 'train steps=1'"))
    }
    let state = trainer.states[parameter]
    func number(_ tensor: Tensor<Float>?) -> Double {
      tensor.map { Double($0.scalars[$0.shape.offset(of: index)]) } ?? 0
    }
    let history = WeightHistory(
      gradient: number(last.gradients[parameter]), weight: number(last.weights[parameter]),
      before: last.before[parameter].kept.mapValues { number($0) },
      after: state.kept.mapValues { number($0) }, step: trainer.step)
    guard let arithmetic = last.rule.arithmetic(of: kind, history) else {
      throw arguments.error(
        at: "name", .state, "'\(last.rule.line)' keeps no \(kind)", hint: "explain its update")
    }
    let stored = state[kind]
    let place = "[\(index.map(String.init).joined(separator: ","))]"
    var explained = Explanation("\(name)\(place)", value: number(stored), arithmetic)
    let base = network.parameterNames[parameter]
    if arithmetic.readsGradient,
      let origin = last.arithmetic(
        ofGradient: parameter, base, at: last.computed[parameter].shape.offset(of: index),
        called: "\(base).grad\(place)")
    {
      explained.inner.append(
        Explanation("g", value: number(last.gradients[parameter]), origin))
    }
    return explained
  }

  /// The name of the scalar whose gradient `text` names: the loss, or the end of the last
  /// 'backward'.
  func endOfGradients(of text: String) -> String {
    guard let name = try? IndexedName(text).name, isTyped(name), let computationWalk else {
      return "the loss"
    }
    return computationWalk.end
  }

  /// The derivative of the loss by the number whose gradient `text` names, from differences; nil
  /// for other names, and, unless it `isAsked` for, where it would take long.
  mutating func lossDifference(
    by text: String, isAsked: Bool, _ arguments: Arguments
  ) throws -> Double? {
    if let (workspace, rest) = try parkedNetwork(of: text) {
      var other = workspace
      return try other.lossDifference(by: rest, isAsked: isAsked, arguments)
    }
    let (name, index, shape) = try element(text, arguments)
    if isTyped(name) { return typedDifference(by: name, at: index) }
    let (base, flow) = gradientName(name)
    guard flow != nil, let pass = lastPass else { return nil }
    let needed = TapeFlow().mapBytes(
      of: pass.network.doubles, pass.size, retention: .nothing)
    // Above this size, the differences take some seconds on a machine with two cores.
    if needed > 256 << 20, !isAsked { return nil }
    try requireMemory(
      needed, for: "differences of the loss in Double", hint: "take a part of the slice")
    return try interruptible {
      pass.doubles.lossDifference(by: base, at: shape.offset(of: index))
    }
  }
}

extension Explanation {
  /// The arithmetic by which an optimizer computed a number.
  fileprivate init(_ name: String, value: Double, _ arithmetic: UpdateArithmetic) {
    self.init(
      name, value: value, formula: arithmetic.formula,
      arithmetic.terms.map { $0.map { Explanation.Factor($0.name, $0.value) } })
    inner = arithmetic.inner.map { Explanation($0.name, value: $0.value, $0.arithmetic) }
  }
}
