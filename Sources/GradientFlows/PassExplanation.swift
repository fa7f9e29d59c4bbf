import Networks
import Tensors

/// The terms behind each named number of a pass that kept everything.
extension PassResult<Float> {
  /// Explains the element at `index` of the value or gradient called `name`.
  ///
  /// - Parameters:
  ///   - name: Such as `b1.conv1.z` or `c1.weight.grad`; not an optimizer's tensor.
  ///   - index: One number an axis.
  ///   - pass: What this is the result of.
  ///   - flow: How the gradients travelled.
  ///   - most: How many terms are listed.
  /// - Returns: The arithmetic; none for what nothing computes: the input and the weights.
  package func explanation(
    of name: String, at index: [Int], in pass: TrainingPass<Float>, flow: any GradientFlow,
    most: Int = 8
  ) -> Explanation? {
    guard let stored = named(name) else { return nil }
    let source = PassTerms(result: self, pass: pass, flow: flow)
    guard let terms = source.terms(of: name, at: index) else { return nil }
    let grid = NamedGrid(name: name, tensor: stored)
    return terms.explanation(
      of: grid.place(index), stored: grid.value(index), most: most)
  }
}

/// Finds the terms of a number by what its name says.
private struct PassTerms {
  let result: PassResult<Float>
  let pass: TrainingPass<Float>
  let flow: any GradientFlow

  private var network: Network<Float> { pass.network }

  private func grid(_ name: String) -> NamedGrid {
    guard let tensor = result.named(name) else { preconditionFailure("\(name) was not kept.") }
    return NamedGrid(name: name, tensor: tensor)
  }

  func terms(of name: String, at index: [Int]) -> TermList? {
    switch name {
    case "net.in": return nil
    case "net.out": return networkOutput(index)
    case "loss": return lossTerms()
    case "loss.grad": return TermList("∂loss/∂loss", [[.init("1", 1)]])
    case "net.out.grad": return outputGradient(index)
    case "net.in.grad": return inputGradient(index)
    default: break
    }
    for (place, layer) in zip(network.layerNames, network.layers)
    where name.hasPrefix(place + ".") {
      let rest = String(name.dropFirst(place.count + 1))
      let at = network.layerNames.firstIndex(of: place) ?? 0
      switch layer {
      case .convolution(let plain): return terms(of: rest, at: index, plain, place, at)
      case .block(let block): return terms(of: rest, at: index, block, place, at)
      }
    }
    return nil
  }

  // MARK: - A plain convolution

  private func terms(
    of rest: String, at index: [Int], _ plain: PlainConvolution<Float>, _ place: String, _ at: Int
  ) -> TermList? {
    switch rest {
    case "z": convolve(index, plain.convolution, place, input: input(at))
    case "a", "out": activate(index, plain.options.activation, place)
    case "in": copy("what the layer before hands on", input(at), index)
    case "out.grad": fed(index, at)
    case "a.grad": copy("a.grad = out.grad", "\(place).out.grad", index)
    case "z.grad": pullback(index, plain.options.activation, place)
    case "weight.grad":
      .kernelGradient(
        index, grid("\(place).z.grad"), inputGrid(at), kernel: plain.options.kernel)
    case "bias.grad": biasGradient(index, "\(place).z.grad")
    case "in.grad":
      throughKernel(index, "\(place).z.grad", "\(place).weight", "in.grad = Σ z.grad · weight")
    default: nil
    }
  }

  // MARK: - A block

  private func terms(
    of rest: String, at index: [Int], _ block: ResidualBlock<Float>, _ place: String, _ at: Int
  ) -> TermList? {
    let parts = rest.split(separator: ".").map(String.init)
    if parts[0].hasPrefix("conv"), let number = Int(parts[0].dropFirst(4)) {
      return terms(
        of: parts.dropFirst().joined(separator: "."), at: index, block, convolution: number - 1,
        place, at)
    }
    let (last, skip) = ("\(place).conv\(block.convolutions.count)", "\(place).skip")
    switch rest {
    case "in": return copy("what the layer before hands on", input(at), index)
    case "skip": return skipValue(index, block, place, at)
    case "out": return merge(index, block.options.merge, "\(last).a", skip)
    case "out.grad": return fed(index, at)
    case "skip.grad": return skipGradient(index, block, place, "\(last).a")
    case "in.grad":
      let path = throughKernel(
        index, "\(place).conv1.z.grad", "\(place).conv1.weight", "in.grad = Σ z.grad · weight")
      guard block.options.merge != .none else { return path }
      switch block.options.skip {
      case .input: return path
      case .block:
        return path.adding(
          copy("", "\(skip).grad", index), "in.grad = Σ z.grad · weight + skip.grad")
      case .project:
        let (dz, rule) = projectLetters(block)
        return path.adding(
          .throughKernel(
            index, projectGradient(block, place), grid("\(place).project.weight"), ""),
          "in.grad = Σ z.grad · weight + Σ \(dz) · project.weight\(rule)")
      }
    case "project.weight.grad", "project.bias.grad":
      let (dz, rule) = projectLetters(block)
      let gradient = projectGradient(block, place)
      return rest == "project.bias.grad"
        ? TermList.biasGradient(index, gradient)
          .adding(nil, "bias.grad = Σ \(dz) over all positions\(rule)")
        : TermList.kernelGradient(index, gradient, inputGrid(at), kernel: 1)
          .adding(nil, "weight.grad = Σ \(dz) · in over all positions\(rule)")
    default: return nil
    }
  }

  private func terms(
    of rest: String, at index: [Int], _ block: ResidualBlock<Float>, convolution i: Int,
    _ place: String, _ at: Int
  ) -> TermList? {
    guard block.convolutions.indices.contains(i) else { return nil }
    let name = "\(place).conv\(i + 1)"
    let x = i == 0 ? input(at) : "\(place).conv\(i).a"
    switch rest {
    case "z": return convolve(index, block.convolutions[i], name, input: x)
    case "a": return activate(index, block.options.activation, name)
    case "z.grad":
      let own = pullback(index, block.options.activation, name)
      guard i == block.convolutions.count - 1, let join = join(at), join.isBehindDerivative else {
        return own
      }
      return own.adding(
        links(index, join), "\(own.formula), + \(join.formula(network.layerNames))")
    case "weight.grad":
      return .kernelGradient(
        index, grid("\(name).z.grad"), i == 0 ? inputGrid(at) : grid(x),
        kernel: block.options.kernel)
    case "bias.grad": return biasGradient(index, "\(name).z.grad")
    case "a.grad" where i + 1 < block.convolutions.count:
      return throughKernel(
        index, "\(place).conv\(i + 2).z.grad", "\(place).conv\(i + 2).weight",
        "a.grad = Σ z.grad of the next convolution · weight")
    case "a.grad":
      let (out, skip) = ("\(place).out.grad", "\(place).skip")
      guard block.options.merge.multiplies else { return copy("a.grad = G", out, index) }
      return TermList(
        "a.grad = G · s", [[grid(out).factor(index), broadcast(skip).factor(index)]])
    default: return nil
    }
  }

  /// The name of what a layer is given.
  private func input(_ layer: Int) -> String {
    layer == 0 ? "net.in" : "\(network.layerNames[layer - 1]).out"
  }

  /// What a layer was given, under the name of what it is handed on from.
  private func inputGrid(_ layer: Int) -> NamedGrid {
    NamedGrid(name: input(layer), tensor: grid("\(network.layerNames[layer]).in").tensor)
  }

  /// A grid whose one channel may serve all.
  private func broadcast(_ name: String) -> BroadcastGrid { BroadcastGrid(grid: grid(name)) }

  private func copy(_ formula: String, _ name: String, _ index: [Int]) -> TermList {
    TermList(formula, [[grid(name).factor(index)]])
  }

  // MARK: - Forward

  /// z[n,o,y,x] = Σ in[n,c,y+u−p,x+v−p] · weight[o,c,u,v] + bias[o].
  private func convolve(
    _ index: [Int], _ convolution: Conv2D<Float>, _ place: String, input: String
  ) -> TermList {
    let sum = TermList.convolution(
      index, grid(input), NamedGrid(name: "\(place).weight", tensor: convolution.weight))
    guard let bias = convolution.bias else { return sum }
    let b = NamedGrid(name: "\(place).bias", tensor: bias)
    return sum.adding(TermList("", [[b.factor([index[1]])]]), "z = Σ in · weight + bias")
  }

  private func activate(_ index: [Int], _ function: Activation, _ place: String) -> TermList {
    let z = grid("\(place).z").factor(index)
    return TermList(
      "a = \(function.formula), z = \(z.name) = \(Float(z.value))",
      [[.init("\(function.rawValue)(z)", function.value(z.value))]])
  }

  private func skipValue(
    _ index: [Int], _ block: ResidualBlock<Float>, _ place: String, _ at: Int
  ) -> TermList? {
    switch block.options.skip {
    case .block: return copy("s = in", input(at), index)
    case .input: return copy("s = net.in", "net.in", index)
    case .project:
      guard let project = block.project else { return nil }
      let inner = convolve(index, project, "\(place).project", input: input(at))
      let act = block.options.projectActivation
      guard act != .linear else { return inner }
      let z = (0..<inner.count).reduce(0) { $0 + inner.product($1) }
      return TermList(
        "s = \(act.formula), z = Σ in · project.weight + bias = \(Float(z))",
        [[.init("\(act.rawValue)(z)", act.value(z))]])
    }
  }

  private func merge(_ index: [Int], _ merge: Merge, _ a: String, _ s: String) -> TermList {
    let activation = grid(a).factor(index)
    let formula = "out = \(merge.formula)"
    if merge == .none { return TermList(formula, [[activation]]) }
    let skip = broadcast(s).factor(index)
    switch merge {
    case .add, .none: return TermList(formula, [[activation], [skip]])
    case .multiply: return TermList(formula, [[activation, skip]])
    case .multiplyAdd: return TermList(formula, [[activation, skip], [skip]])
    }
  }

  private func networkOutput(_ index: [Int]) -> TermList? {
    guard let last = network.layerNames.last else { return nil }
    let r = grid("\(last).out").factor(index)
    guard network.outputRule == .subtract else { return TermList("net.out = \(last).out", [[r]]) }
    return TermList(
      "net.out = net.in − \(last).out", [[grid("net.in").factor(index)], [.init("−1", -1), r]])
  }

  // MARK: - The loss

  private var countedPixels: Double {
    guard let mask = pass.mask else { return Double(pass.target.shape.count) }
    return max(1, mask.scalars.reduce(0) { $0 + Double($1) })
  }

  /// The mask's number at a pixel as a factor; none if all pixels count.
  private func maskFactor(_ offset: Int) -> [Explanation.Factor] {
    pass.mask.map { [.init("mask", Double($0.scalars[offset]))] } ?? []
  }

  private func lossTerms() -> TermList {
    let (shape, count) = (pass.target.shape, countedPixels)
    let output = result.pass.output.tensor
    let loss = pass.loss
    func part(_ error: Double) -> Double {
      switch loss {
      case .meanSquaredError: error * error / count
      case .halfSquares: error * error / 4
      case .meanAbsoluteError: abs(error) / count
      }
    }
    let errors = (0..<shape.count).map { offset in
      Double(output.scalars[offset]) - Double(pass.target.scalars[offset])
    }
    return TermList(
      loss.formula(isMasked: pass.mask != nil), count: shape.count,
      product: { i in part(errors[i]) * (pass.mask.map { Double($0.scalars[i]) } ?? 1) },
      term: { i in
        (
          shape.position(of: i),
          maskFactor(i)
            + (loss == .meanAbsoluteError
              ? [.init("|net.out − target|", abs(errors[i])), .init("1/M", 1 / count)]
              : [
                .init("net.out − target", errors[i]), .init("net.out − target", errors[i]),
                loss == .meanSquaredError ? .init("1/M", 1 / count) : .init("¼", 0.25),
              ])
        )
      })
  }

  private func outputGradient(_ index: [Int]) -> TermList {
    let output = grid("net.out")
    let offset = output.tensor.shape.offset(of: index)
    let error = Double(output.tensor.scalars[offset]) - Double(pass.target.scalars[offset])
    let factor: Explanation.Factor =
      switch pass.loss {
      case .meanSquaredError: .init("2/M", 2 / countedPixels)
      case .halfSquares(let declared): .init(declared ? "1" : "½", declared ? 1 : 0.5)
      case .meanAbsoluteError: .init("1/M", 1 / countedPixels)
      }
    let first: Explanation.Factor =
      pass.loss == .meanAbsoluteError
      ? .init("sign(net.out − target)", error > 0 ? 1 : error < 0 ? -1 : 0)
      : .init("net.out − target", error)
    return TermList(
      pass.loss.gradientFormula(isMasked: pass.mask != nil),
      [maskFactor(offset) + [first, factor]])
  }

  // MARK: - Backward

  /// G_k: what a layer is fed with, links included.
  private func fed(_ index: [Int], _ at: Int) -> TermList {
    guard at + 1 < network.layers.count else {
      let isSubtracted = network.outputRule == .subtract
      let gradient = grid("net.out.grad").factor(index)
      return isSubtracted
        ? TermList("out.grad = −net.out.grad", [[.init("−1", -1), gradient]])
        : TermList("out.grad = net.out.grad", [[gradient]])
    }
    let name = "\(network.layerNames[at + 1]).in.grad"
    guard let join = join(at), !join.isBehindDerivative else {
      return copy("G = what the layer above passes on", name, index)
    }
    return copy("", name, index).adding(
      links(index, join),
      "\(network.layerNames[at]).out.grad = \(name) + \(join.formula(network.layerNames))")
  }

  private func join(_ layer: Int) -> LinkJoin? {
    flow.join(at: layer, in: network, epoch: pass.epoch)
  }

  /// ρ times what linked blocks pass on, as a sum or a product.
  private func links(_ index: [Int], _ join: LinkJoin) -> TermList {
    let sources = join.sources.map {
      grid("\(network.layerNames[$0]).in.grad").factor(index)
    }
    let ρ = Explanation.Factor("ρ", join.weight)
    return join.isProduct
      ? TermList("", [[ρ] + sources]) : TermList("", sources.map { [ρ, $0] })
  }

  /// act′ · a.grad.
  private func pullback(_ index: [Int], _ function: Activation, _ place: String) -> TermList {
    let known = grid(function.needsPreactivation ? "\(place).z" : "\(place).a").factor(index)
    return TermList(
      "z.grad = \(function.derivativeFormula()) · a.grad, from \(known.name) = \(Float(known.value))",
      [
        [
          .init(function.derivativeFormula(), function.derivative(known.value)),
          grid("\(place).a.grad").factor(index),
        ]
      ])
  }

  private func biasGradient(_ index: [Int], _ gradient: String) -> TermList {
    .biasGradient(index, grid(gradient))
  }

  /// in.grad[n,c,y,x] = Σ z.grad[n,o,y−u+p,x−v+p] · weight[o,c,u,v].
  private func throughKernel(
    _ index: [Int], _ gradient: String, _ weight: String, _ formula: String
  ) -> TermList {
    .throughKernel(index, grid(gradient), grid(weight), formula)
  }

  private func skipGradient(
    _ index: [Int], _ block: ResidualBlock<Float>, _ place: String, _ a: String
  ) -> TermList {
    let (out, activation) = (grid("\(place).out.grad"), grid(a))
    // One channel that served all gets the sum over them.
    let isShared = grid("\(place).skip").tensor.shape.channels < out.tensor.shape.channels
    let places = (isShared ? Array(0..<out.tensor.shape.channels) : [index[1]]).map {
      [index[0], $0, index[2], index[3]]
    }
    let merge = block.options.merge
    return TermList(
      merge.skipGradientFormula(sumsChannels: isShared),
      places.flatMap { place -> [[Explanation.Factor]] in
        let g = out.factor(place)
        return switch merge {
        case .add, .none: [[g]]
        case .multiply: [[g, activation.factor(place)]]
        case .multiplyAdd: [[g, activation.factor(place)], [g]]
        }
      })
  }

  /// What ``projectGradient(_:_:)`` is called in formulas, and how it comes from the gradient of the
  /// skip where that is another.
  private func projectLetters(_ block: ResidualBlock<Float>) -> (name: String, rule: String) {
    let act = block.options.projectActivation
    return act == .linear
      ? ("skip.grad", "")
      : ("project.z.grad", ", project.z.grad = \(act.derivativeFormula(of: "s")) · skip.grad")
  }

  /// The gradient of the projection before its activation.
  private func projectGradient(_ block: ResidualBlock<Float>, _ place: String) -> NamedGrid {
    let gradient = grid("\(place).skip.grad")
    let act = block.options.projectActivation
    guard act != .linear else { return gradient }
    let values = zip(gradient.tensor.scalars, grid("\(place).skip").tensor.scalars).map {
      Float(Double($0) * act.derivative(Double($1)))
    }
    return NamedGrid(
      name: "project.z.grad", tensor: Tensor(shape: gradient.tensor.shape, scalars: values))
  }

  private func inputGradient(_ index: [Int]) -> TermList {
    TermList(network.inputFormula, network.inputArrivals.map { [grid($0).factor(index)] })
  }
}

extension Activation {
  /// act(z), in Double.
  func value(_ z: Double) -> Double { forward(FeatureMap(z)).number }

  /// act′, from what it is computed from.
  func derivative(_ known: Double) -> Double {
    backward(FeatureMap(1), activation: FeatureMap(known), preactivation: FeatureMap(known)).number
  }
}

extension FeatureMap<Double> {
  fileprivate init(_ number: Double) { self.init(Tensor(shape: [1, 1, 1, 1], scalars: [number])) }

  fileprivate var number: Double { tensor.scalars[0] }
}

/// A grid whose one channel serves all.
private struct BroadcastGrid {
  let grid: NamedGrid

  func factor(_ index: [Int]) -> Explanation.Factor {
    grid.tensor.shape.channels == 1
      ? grid.factor([index[0], 0, index[2], index[3]]) : grid.factor(index)
  }
}
