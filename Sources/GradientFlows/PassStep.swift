// A pass as a program: its operations one after the other, each with what it reads and writes.
//
// The forward pass goes through the layers from the first to the last, operation by operation, to the
// loss; the backward pass goes back in the opposite order. At a residual join two gradients arrive at
// one value, and only the second makes it final: that is why the order matters.
//
// The values themselves belong to a `PassResult`, which computed them once; a cursor over these steps
// says which of them have been reached.

package import Networks
package import Tensors

/// One operation of a forward or backward pass.
package struct PassStep: Hashable, Sendable {
  package enum Direction: String, Sendable {
    case forward
    case backward
  }

  /// A gradient that arrives at a value which several operations read.
  package struct Arrival: Hashable, Sendable {
    /// Which one it is, from 1, and how many there are.
    package let number: Int, count: Int

    package var isFinal: Bool { number == count }
  }

  package let direction: Direction
  /// The layer it belongs to, by its place; none for the loss and what becomes of the output.
  package let layer: Int?
  /// A word such as conv2d, relu, add or loss.
  package let operation: String
  /// The operation in letters.
  package let formula: String
  /// Names of values, gradients with `.grad`.
  package let reads: [String], writes: [String]
  /// Where two gradients meet, which this is.
  package let arrival: Arrival?

  init(
    _ direction: Direction, layer: Int?, _ operation: String, _ formula: String, reads: [String],
    writes: [String], arrival: Arrival? = nil
  ) {
    (self.direction, self.layer, self.operation) = (direction, layer, operation)
    (self.formula, self.reads, self.writes) = (formula, reads, writes)
    self.arrival = arrival
  }

  /// The value that the operation is about: the last that it writes.
  package var place: String { writes.last ?? "" }
}

// MARK: - Forward

extension Network {
  /// The operations of the forward pass, from the input to the loss.
  package func forwardSteps(loss: Loss) -> [PassStep] {
    var steps: [PassStep] = []
    var input = "net.in"
    let names = layerNames
    for (index, layer) in layers.enumerated() {
      // What a layer hands on is what the next is given.
      let next = index + 1 < names.count ? ["\(names[index + 1]).in"] : []
      steps += layer.forwardSteps(index, names[index], input: input, next: next)
      input = "\(names[index]).out"
    }
    let isSubtracted = outputRule == .subtract
    steps.append(
      PassStep(
        .forward, layer: nil, isSubtracted ? "subtract" : "output",
        isSubtracted ? "net.out = net.in − \(input)" : "net.out = \(input)",
        reads: (isSubtracted ? ["net.in"] : []) + [input], writes: ["net.out"]))
    steps.append(
      PassStep(
        .forward, layer: nil, "loss", loss.formula, reads: ["net.out"], writes: ["loss"]))
    return steps
  }
}

extension Layer {
  fileprivate func forwardSteps(
    _ index: Int, _ name: String, input: String, next: [String]
  ) -> [PassStep] {
    func step(
      _ operation: String, _ formula: String, _ reads: [String], _ writes: [String]
    ) -> PassStep {
      PassStep(.forward, layer: index, operation, formula, reads: reads, writes: writes)
    }
    func convolve(_ place: String, _ convolution: Conv2D<Element>, _ x: String, _ z: String)
      -> PassStep
    {
      step(
        "conv2d", "\(z) = weight ∗ \(x)\(convolution.bias == nil ? "" : " + bias")",
        [x] + convolution.parameterNames.map { "\(place).\($0)" }, [z])
    }
    switch self {
    case .convolution(let plain):
      let (z, a) = ("\(name).z", "\(name).a")
      return [
        convolve(name, plain.convolution, input, z),
        step(
          plain.options.activation.rawValue, "a = \(plain.options.activation.formula)", [z],
          next + ["\(name).out", a]),
      ]
    case .block(let block):
      var steps: [PassStep] = []
      var x = input
      for (i, convolution) in block.convolutions.enumerated() {
        let place = "\(name).conv\(i + 1)"
        steps.append(convolve(place, convolution, x, "\(place).z"))
        steps.append(
          step(
            block.options.activation.rawValue, "a = \(block.options.activation.formula)",
            ["\(place).z"], ["\(place).a"]))
        x = "\(place).a"
      }
      let (skip, out) = ("\(name).skip", "\(name).out")
      switch (block.options.merge, block.options.skip) {
      case (.none, _): break
      case (_, .block): steps.append(step("skip", "s = \(input)", [input], [skip]))
      case (_, .input): steps.append(step("skip", "s = net.in", ["net.in"], [skip]))
      case (_, .project):
        let act = block.options.projectActivation
        let inner = "project.weight ∗ \(input)\(block.options.hasBias ? " + project.bias" : "")"
        steps.append(
          step(
            "project", "s = \(act == .linear ? inner : "\(act.rawValue)(\(inner))")",
            [input] + (block.project?.parameterNames ?? []).map { "\(name).project.\($0)" }, [skip])
        )
      }
      steps.append(
        step(
          block.options.merge == .none ? "out" : block.options.merge.rawValue,
          "out = \(block.options.merge.formula)",
          [x] + (block.options.merge == .none ? [] : [skip]), next + [out]))
      return steps
    }
  }
}

// MARK: - Backward

extension Network {
  /// The operations of the backward pass, from the loss to the input; `links` are the flow's.
  package func backwardSteps(loss: Loss, links: [FlowLink]) -> [PassStep] {
    let names = layerNames
    guard let last = names.last else { return [] }
    let isSubtracted = outputRule == .subtract
    var steps = [
      PassStep(
        .backward, layer: nil, "loss", loss.gradientFormula, reads: ["net.out"],
        writes: ["net.out.grad"]),
      PassStep(
        .backward, layer: nil, isSubtracted ? "subtract" : "output",
        "\(last).out.grad = \(isSubtracted ? "−" : "")net.out.grad", reads: ["net.out.grad"],
        writes: ["\(last).out.grad"]),
    ]
    for index in layers.indices.reversed() {
      let sources = links.filter { $0.target == index }.map(\.source)
      if !sources.isEmpty, index + 1 < names.count {
        let from = "\(names[index + 1]).in.grad"
        let others = sources.map { "\(names[$0]).in.grad" }
        steps.append(
          PassStep(
            .backward, layer: index, "links",
            "\(names[index]).out.grad = \(from) + ρ·(\(others.joined(separator: ", ")))",
            reads: [from] + others, writes: ["\(names[index]).out.grad"]))
      }
      // Without links, what a layer passes on is what the one below is fed with.
      let below = index > 0 ? names[index - 1] : nil
      let isLinked = index > 0 && links.contains { $0.target == index - 1 }
      steps += layers[index].backwardSteps(
        index, names[index], input: below.map { "\($0).out" } ?? "net.in",
        handsDown: isLinked ? [] : below.map { ["\($0).out.grad"] } ?? [])
    }
    steps.append(inputStep(names))
    return steps
  }

  /// The last step: all that arrives at the network's input.
  private func inputStep(_ names: [String]) -> PassStep {
    let skips = zip(names, layers).compactMap { name, layer -> String? in
      guard case .block(let block) = layer, block.options.skip == .input,
        block.options.merge != .none
      else { return nil }
      return "\(name).skip.grad"
    }
    let arrivals =
      [names.first.map { "\($0).in.grad" } ?? "net.out.grad"] + skips
      + (outputRule == .subtract ? ["net.out.grad"] : [])
    return PassStep(
      .backward, layer: nil, "input", "net.in.grad = \(arrivals.joined(separator: " + "))",
      reads: arrivals, writes: ["net.in.grad"])
  }
}

extension Layer {
  fileprivate func backwardSteps(
    _ index: Int, _ name: String, input: String, handsDown: [String]
  ) -> [PassStep] {
    func step(
      _ operation: String, _ formula: String, _ reads: [String], _ writes: [String],
      arrival: PassStep.Arrival? = nil
    ) -> PassStep {
      PassStep(
        .backward, layer: index, operation, formula, reads: reads, writes: writes, arrival: arrival)
    }
    func activate(_ function: Activation, _ place: String) -> PassStep {
      step(
        function.rawValue, "z.grad = \(function.derivativeFormula) · a.grad",
        ["\(place).a.grad", function.needsPreactivation ? "\(place).z" : "\(place).a"],
        ["\(place).z.grad"])
    }
    func parameters(_ place: String, _ convolution: Conv2D<Element>) -> [String] {
      convolution.parameterNames.map { "\(place).\($0).grad" }
    }
    let (out, passed) = ("\(name).out.grad", "\(name).in.grad")
    switch self {
    case .convolution(let plain):
      return [
        step("out", "a.grad = out.grad", [out], ["\(name).a.grad"]),
        activate(plain.options.activation, name),
        step(
          "conv2d", "weight.grad = z.grad ⋆ \(input), in.grad = weightᵀ ∗ z.grad",
          ["\(name).z.grad", input, "\(name).weight"],
          parameters(name, plain.convolution) + handsDown + [passed]),
      ]
    case .block(let block):
      let last = "\(name).conv\(block.convolutions.count)"
      let hasSkip = block.options.merge != .none
      let skip = "\(name).skip.grad"
      let joins = hasSkip && block.options.skip != .input
      var steps = [
        step(
          hasSkip ? block.options.merge.rawValue : "out", block.options.merge.gradientFormula,
          [out] + (block.options.merge.multiplies ? ["\(name).skip", "\(last).a"] : []),
          ["\(last).a.grad"] + (hasSkip ? [skip] : []))
      ]
      for i in block.convolutions.indices.reversed() {
        let place = "\(name).conv\(i + 1)"
        steps.append(activate(block.options.activation, place))
        let x = i == 0 ? input : "\(name).conv\(i).a"
        let target = i == 0 ? passed : "\(name).conv\(i).a.grad"
        steps.append(
          step(
            "conv2d",
            "weight.grad = z.grad ⋆ \(x), \(i == 0 ? "in" : "conv\(i).a").grad = weightᵀ ∗ z.grad",
            ["\(place).z.grad", x, "\(place).weight"],
            parameters(place, block.convolutions[i]) + (i == 0 && !joins ? handsDown : [])
              + [target],
            arrival: i == 0 && joins ? .init(number: 1, count: 2) : nil))
      }
      guard joins else { return steps }
      let isProjected = block.options.skip == .project
      steps.append(
        step(
          isProjected ? "project" : "skip",
          isProjected ? "in.grad += project.weightᵀ ∗ skip.grad" : "in.grad += skip.grad",
          [skip] + (isProjected ? [input, "\(name).project.weight"] : []),
          (block.project.map { parameters("\(name).project", $0) } ?? []) + handsDown + [passed],
          arrival: .init(number: 2, count: 2)))
      return steps
    }
  }
}

// MARK: - In letters

extension Merge {
  var multiplies: Bool { self == .multiply || self == .multiplyAdd }

  /// What the merge makes of the activation a and the skip value s.
  package var formula: String {
    switch self {
    case .add: "a + s"
    case .multiply: "a · s"
    case .multiplyAdd: "a · s + s"
    case .none: "a"
    }
  }

  /// The gradients of a and s from G, that of the merge's result.
  package var gradientFormula: String {
    switch self {
    case .add: "a.grad = G, skip.grad = G"
    case .multiply: "a.grad = G · s, skip.grad = G · a"
    case .multiplyAdd: "a.grad = G · s, skip.grad = G · a + G"
    case .none: "a.grad = G"
    }
  }
}

extension Activation {
  /// The function of the pre-activation z.
  package var formula: String {
    switch self {
    case .linear: "z"
    case .relu: "max(z, 0)"
    case .leakyReLU: "z > 0 ? z : 0.01·z"
    case .elu: "z > 0 ? z : eᶻ − 1"
    case .sigmoid: "1/(1 + e⁻ᶻ)"
    case .tanh: "tanh z"
    case .arctan: "arctan z"
    }
  }

  /// The derivative, of what it is computed from.
  package var derivativeFormula: String {
    switch self {
    case .linear: "1"
    case .relu: "[a > 0]"
    case .leakyReLU: "(a > 0 ? 1 : 0.01)"
    case .elu: "(a > 0 ? 1 : a + 1)"
    case .sigmoid: "a·(1 − a)"
    case .tanh: "(1 − a²)"
    case .arctan: "1/(1 + z²)"
    }
  }
}

extension Loss {
  /// The loss in letters; M is the number of pixels.
  package var formula: String {
    switch self {
    case .meanSquaredError: "loss = Σ (net.out − target)² / M"
    case .halfSquares: "loss = Σ (½·(net.out − target))²"
    case .meanAbsoluteError: "loss = Σ |net.out − target| / M"
    }
  }

  /// The gradient of the network's output in letters.
  package var gradientFormula: String {
    switch self {
    case .meanSquaredError: "net.out.grad = 2·(net.out − target) / M"
    case .halfSquares(let declared):
      declared ? "net.out.grad = net.out − target" : "net.out.grad = ½·(net.out − target)"
    case .meanAbsoluteError: "net.out.grad = sign(net.out − target) / M"
    }
  }
}
