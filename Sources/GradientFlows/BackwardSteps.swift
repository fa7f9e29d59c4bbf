// The operations of a backward pass, under one flow or under several at once.

package import Networks
import Tensors

extension Network {
  /// The operations of the backward pass, from the loss to the input.
  ///
  /// - Parameters:
  ///   - loss: What is made small.
  ///   - flows: The flows that are walked at once; a step that one of them makes alone changes
  ///     nothing under the others, and its formulas say so.
  ///   - epoch: The number of the epoch, from 0.
  ///   - isMasked: Whether only the pixels of a mask count.
  /// - Returns: The operations in their order.
  package func backwardSteps(
    loss: Loss, flows: [any GradientFlow], epoch: Int = 0, isMasked: Bool = false
  ) -> [PassStep] {
    let names = layerNames
    guard let last = names.last else { return [] }
    let isSubtracted = outputRule == .subtract
    var steps = [
      PassStep(
        .backward, layer: nil, "loss", loss.gradientFormula(isMasked: isMasked),
        reads: ["net.out"], writes: ["net.out.grad"]),
      PassStep(
        .backward, layer: nil, isSubtracted ? "subtract" : "output",
        "\(last).out.grad = \(isSubtracted ? "−" : "")net.out.grad", reads: ["net.out.grad"],
        writes: ["\(last).out.grad"]),
    ]
    let joins = layers.indices.map { index in
      LayerJoins(names, flows.map { $0.join(at: index, in: self, epoch: epoch) })
    }
    for index in layers.indices.reversed() {
      if joins[index].areBefore { steps.append(joins[index].step(before: index)) }
      // Without links, what a layer passes on is what the one below is fed with.
      let below = index > 0 && !joins[index - 1].areBefore ? names[index - 1] : nil
      steps += layers[index].backwardSteps(
        index, names[index], input: index > 0 ? "\(names[index - 1]).out" : "net.in",
        handsDown: below.map { ["\($0).out.grad"] } ?? [], joins[index])
    }
    let arrivals = inputArrivals
    steps.append(
      PassStep(
        .backward, layer: nil, "input", inputFormula, reads: arrivals, writes: ["net.in.grad"]))
    return steps
  }

  /// All that arrives at the network's input.
  var inputArrivals: [String] {
    let names = layerNames
    let skips = zip(names, layers).compactMap { name, layer -> String? in
      guard case .block(let block) = layer, block.options.skip == .input,
        block.options.merge != .none
      else { return nil }
      return "\(name).skip.grad"
    }
    return [names.first.map { "\($0).in.grad" } ?? "net.out.grad"] + skips
      + (outputRule == .subtract ? ["net.out.grad"] : [])
  }

  var inputFormula: String { "net.in.grad = \(inputArrivals.joined(separator: " + "))" }
}

/// The links that join one layer, under each of the flows that are walked.
private struct LayerJoins {
  /// The names of the network's layers.
  let names: [String]
  let joins: [LinkJoin?]

  init(_ names: [String], _ joins: [LinkJoin?]) { (self.names, self.joins) = (names, joins) }

  /// Whether links are added to what the layer is fed with.
  var areBefore: Bool { joins.contains { $0?.isBehindDerivative == false } }
  /// Whether links are added to dz of its last convolution.
  var areBehind: Bool { joins.contains { $0?.isBehindDerivative == true } }

  /// The step that adds links to what layer `index` is fed with.
  func step(before index: Int) -> PassStep {
    let (target, from) = ("\(names[index]).out.grad", "\(names[index + 1]).in.grad")
    return PassStep(
      .backward, layer: index, "links",
      formulas(isBehind: false) { "\(target) = \(from)\($0.map { " + \($0)" } ?? "")" },
      reads: [from] + sources(isBehind: false).filter { $0 != from }, writes: [target])
  }

  /// The step that adds links to the gradient called `target`, of a convolution's result.
  func step(behind target: String, layer index: Int) -> PassStep {
    PassStep(
      .backward, layer: index, "links",
      formulas(isBehind: true) { $0.map { "z.grad += \($0)" } ?? "z.grad = z.grad" },
      reads: sources(isBehind: true), writes: [target], arrival: .init(number: 2, count: 2))
  }

  /// A formula for each flow; `letters` is given what the flow adds, nil if it adds nothing there.
  private func formulas(isBehind: Bool, _ letters: (String?) -> String) -> [String] {
    joins.map { join in
      letters(join.flatMap { $0.isBehindDerivative == isBehind ? $0.formula(names) : nil })
    }
  }

  /// The gradients that any of the flows adds, each once.
  private func sources(isBehind: Bool) -> [String] {
    let all = Set(
      joins.compactMap(\.self).filter { $0.isBehindDerivative == isBehind }.flatMap(\.sources))
    return all.sorted(by: >).map { "\(names[$0]).in.grad" }
  }
}

extension Layer {
  fileprivate func backwardSteps(
    _ index: Int, _ name: String, input: String, handsDown: [String], _ joins: LayerJoins
  ) -> [PassStep] {
    switch self {
    case .convolution(let plain):
      let out = PassStep(
        .backward, layer: index, "out", "a.grad = out.grad", reads: ["\(name).out.grad"],
        writes: ["\(name).a.grad"])
      return [
        out, .derivative(plain.options.activation, layer: index, name),
        .back(
          through: plain.convolution, layer: index, name, input, to: "in.grad",
          writes: handsDown + ["\(name).in.grad"]),
      ]
    case .block(let block):
      return block.backwardSteps(index, name, input: input, handsDown: handsDown, joins)
    }
  }
}

extension ResidualBlock {
  fileprivate func backwardSteps(
    _ index: Int, _ name: String, input: String, handsDown: [String], _ joins: LayerJoins
  ) -> [PassStep] {
    let passed = "\(name).in.grad"
    // Whether the gradient of the skip arrives at the block's input, too.
    let meets = options.merge != .none && options.skip != .input
    var steps = [mergeStep(index, name)]
    for i in convolutions.indices.reversed() {
      let place = "\(name).conv\(i + 1)"
      let isJoined = i == convolutions.count - 1 && joins.areBehind
      steps.append(
        .derivative(
          options.activation, layer: index, place,
          arrival: isJoined ? .init(number: 1, count: 2) : nil))
      if isJoined { steps.append(joins.step(behind: "\(place).z.grad", layer: index)) }
      let isFirst = i == 0
      steps.append(
        .back(
          through: convolutions[i], layer: index, place, isFirst ? input : "\(name).conv\(i).a",
          to: isFirst ? "in.grad" : "conv\(i).a.grad",
          writes: isFirst ? (meets ? [] : handsDown) + [passed] : ["\(name).conv\(i).a.grad"],
          arrival: isFirst && meets ? .init(number: 1, count: 2) : nil))
    }
    if meets { steps.append(skipStep(index, name, input, writes: handsDown + [passed])) }
    return steps
  }

  /// From the gradient of the output to those of the last activation and of the skip.
  private func mergeStep(_ index: Int, _ name: String) -> PassStep {
    let (last, merge) = ("\(name).conv\(convolutions.count)", options.merge)
    let hasSkip = merge != .none
    let skip =
      hasSkip ? [", " + merge.skipGradientFormula(sumsChannels: sumsSkipChannels)] : []
    return PassStep(
      .backward, layer: index, hasSkip ? merge.rawValue : "out",
      ([merge.activationGradientFormula] + skip).joined(),
      reads: ["\(name).out.grad"] + (merge.multiplies ? ["\(name).skip", "\(last).a"] : []),
      writes: ["\(last).a.grad"] + (hasSkip ? ["\(name).skip.grad"] : []))
  }

  /// Whether one channel of the skip serves all channels of the block.
  var sumsSkipChannels: Bool {
    let channels =
      switch options.skip {
      case .block: convolutions[0].weight.shape[1]
      case .input: 1
      case .project: options.channels
      }
    return channels < options.channels
  }

  /// The second arrival at the block's input.
  private func skipStep(
    _ index: Int, _ name: String, _ input: String, writes: [String]
  ) -> PassStep {
    let (skip, arrival) = ("\(name).skip.grad", PassStep.Arrival(number: 2, count: 2))
    guard options.skip == .project, let project else {
      return PassStep(
        .backward, layer: index, "skip", "in.grad += skip.grad", reads: [skip], writes: writes,
        arrival: arrival)
    }
    // The gradient of the projection before its activation has no name of its own.
    let act = options.projectActivation
    let dz =
      act == .linear ? "skip.grad" : "(\(act.derivativeFormula(of: "s")) · skip.grad)"
    let bias = project.bias == nil ? "" : ", project.bias.grad = Σ \(dz)"
    return PassStep(
      .backward, layer: index, "project",
      "project.weight.grad = \(dz) ⋆ \(input)\(bias), in.grad += project.weightᵀ ∗ \(dz)",
      reads: [skip] + (act == .linear ? [] : ["\(name).skip"])
        + [input, "\(name).project.weight"],
      writes: project.parameterNames.map { "\(name).project.\($0).grad" } + writes,
      arrival: arrival)
  }
}

extension PassStep {
  /// From the gradient of an activation to that of the convolution's result before it.
  fileprivate static func derivative(
    _ function: Activation, layer: Int, _ place: String, arrival: Arrival? = nil
  ) -> PassStep {
    PassStep(
      .backward, layer: layer, function.rawValue,
      "z.grad = \(function.derivativeFormula()) · a.grad",
      reads: ["\(place).a.grad", function.needsPreactivation ? "\(place).z" : "\(place).a"],
      writes: ["\(place).z.grad"], arrival: arrival)
  }

  /// From the gradient of a convolution's result to those of its parameters and of its input `x`.
  fileprivate static func back<Element: Scalar>(
    through convolution: Conv2D<Element>, layer: Int, _ place: String, _ x: String,
    to target: String, writes: [String], arrival: Arrival? = nil
  ) -> PassStep {
    let bias = convolution.bias == nil ? "" : ", bias.grad = Σ z.grad"
    return PassStep(
      .backward, layer: layer, "conv2d",
      "weight.grad = z.grad ⋆ \(x)\(bias), \(target) = weightᵀ ∗ z.grad",
      reads: ["\(place).z.grad", x, "\(place).weight"],
      writes: convolution.parameterNames.map { "\(place).\($0).grad" } + writes, arrival: arrival)
  }
}
