package import Tensors

/// The operation that joins a block's last activation a with the skip value s.
package enum Merge: String, CaseIterable, Sendable {
  /// a + s
  case add
  /// a · s
  case multiply
  /// a · s + s
  case multiplyAdd = "multiply-add"
  /// a
  case none

  /// The join with the skip value `s`.
  func join<Element: Scalar>(_ s: FeatureMap<Element>) -> Join<Element>? {
    switch self {
    case .add: Join(.add, s)
    case .multiply: Join(.multiply, s)
    case .multiplyAdd: Join(.multiplyAdd, s)
    case .none: nil
    }
  }
}

/// The skip value that a block joins.
package enum Skip: String, CaseIterable, Sendable {
  /// The block's input: with equal channels, or one channel that is used for all.
  case block
  /// The network's input, whose one channel is used for all.
  case input
  /// A 1×1 convolution of the block's input, and an activation on request.
  case project
}

/// The options of a `block` line.
package struct BlockOptions: Hashable, Sendable {
  package var channels = 8
  package var kernel = 3
  package var activation = Activation.relu
  package var merge = Merge.add
  package var skip = Skip.block
  /// The activation after the 1×1 convolution of `skip=project`; it must need no pre-activation.
  package var projectActivation = Activation.linear
  package var convolutions = 1
  package var hasBias = true

  package init() {}

  /// The command line that builds the block.
  package var line: String {
    "block channels=\(channels) kernel=\(kernel) act=\(activation.rawValue) "
      + "merge=\(merge.rawValue) skip=\(skip.rawValue) "
      + (projectActivation == .linear ? "" : "project-act=\(projectActivation.rawValue) ")
      + "convs=\(convolutions) bias=\(hasBias ? "yes" : "no")"
  }
}

/// Convolutions with activations, joined with a skip value.
///
///     z₁ = conv₁(in),  aᵢ = act(zᵢ),  zᵢ₊₁ = convᵢ₊₁(aᵢ),  out = merge(a_last, s)
///
///            ┌── conv ── act ── … ── conv ── act ──┐ a
///     in ────┤                                     ├── merge ── out
///            └── s: in, net.in, act(project·in) ───┘
///
/// Nothing follows the merge. Residual learning: He et al., "Deep residual learning for image
/// recognition" (2016). The merges that multiply come from the article this program grew out of.
package struct ResidualBlock<Element: Scalar>: Sendable {
  package let options: BlockOptions
  package var convolutions: [Conv2D<Element>]
  /// The 1×1 convolution of the skip path; nil unless the skip is a projection.
  package var project: Conv2D<Element>?

  /// Computes the block.
  ///
  /// - Parameters:
  ///   - x: The block's input, `[N, I, H, W]`.
  ///   - networkInput: The network's input, `[N, 1, H, W]`.
  ///   - retention: What to keep for a backward pass or for inspection.
  ///   - reluNaN: The treatment of NaN by ReLU.
  ///   - reader: The only convolution that reads the output, if it may compute the derivative of a
  ///     ReLU before it; else nil.
  /// - Returns: The block's output and the kept values.
  package func forward(
    _ x: FeatureMap<Element>, networkInput: FeatureMap<Element>, retention: Retention,
    reluNaN: ReLUNaN, reader: Conv2D<Element>? = nil
  ) -> LayerPass<Element> {
    var pass = LayerPass(output: x)
    let s: FeatureMap<Element> =
      switch options.skip {
      case .block: x
      case .input: networkInput
      case .project:
        project.map { options.projectActivation.forward($0.forward(x), reluNaN: reluNaN) } ?? x
      }
    var out = x
    for (i, convolution) in convolutions.enumerated() {
      let isLast = i == convolutions.count - 1
      let join = isLast ? options.merge.join(s) : nil
      out = pass.compute(
        convolution, out, options.activation, retention, reluNaN, joining: join,
        reader: join != nil ? nil : isLast ? reader : convolutions[i + 1])
    }
    pass.output = out
    if retention != .nothing {
      pass.input = x
      pass.skip = options.merge == .none ? nil : s
    }
    if retention == .training, options.merge == .add || options.merge == .none {
      pass.activations[convolutions.count - 1] = nil
    }
    return pass
  }

  /// Computes the gradients of the block from G, the gradient of its output.
  ///
  /// Backwards through the merge, then through each convolution from the last to the first, then
  /// the path through s:
  ///
  ///     add           da = G            ds = G
  ///     multiply      da = G · s        ds = G · a
  ///     multiply-add  da = G · s        ds = G · a + G
  ///     dzᵢ = act′(zᵢ) · daᵢ,  daᵢ₋₁ = convᵢᵀ(dzᵢ)
  ///     g = conv₁ᵀ(dz₁), plus ds when s is the block's input, or its projection's gradient
  ///
  /// Where one channel of s is used for all, ds is summed over channels. The gradient that a flow
  /// inserts behind the activation's derivative, `insertion`, is added to dz of the last
  /// convolution.
  package func backward(
    _ gradient: FeatureMap<Element>, _ pass: consuming LayerPass<Element>, retention: Retention,
    needsInput: Bool, insertion: FeatureMap<Element>? = nil
  ) -> LayerGradients<Element> {
    guard pass.input != nil, pass.records.count == convolutions.count else {
      preconditionFailure("The forward pass kept too little for a backward pass.")
    }
    var result = LayerGradients(output: gradient)
    var da = gradient
    // G·s becomes a map of its own for inspection, and where it is passed on unchanged.
    let factor = options.merge == .add ? nil : pass.skip
    let keepsProduct = retention == .everything
    if keepsProduct, let factor { da = gradient.multiplied(by: factor) }
    // Training does not need the gradient of the network's input.
    if let s = pass.skip, options.skip != .input || retention == .everything {
      let ds = skipGradient(gradient, pass)
      result.skip = ds.shape == s.shape ? ds : ds.summedOverChannels()
    }
    let projected = project.flatMap { _ in pass.input }
    if projected == nil { pass.skip = nil }
    pass.activations[convolutions.count - 1] = nil

    for i in convolutions.indices.reversed() {
      let isLast = i == convolutions.count - 1
      let record = pass.records.removeLast()
      guard let x = pass.takeInput(ofConvolution: i) else {
        preconditionFailure("The input of a convolution was not kept.")
      }
      let factor = isLast && !keepsProduct ? factor : nil
      let addend = i == 0 && options.skip == .block ? result.skip : nil
      if retention != .everything, !isLast || insertion == nil,
        let (dx, parameters) = convolutions[i].backward(
          through: options.activation, da, times: factor, record, input: x,
          needsInput: i > 0 || needsInput, adding: addend)
      {
        result.parameters = parameters + result.parameters
        if let dx { da = dx }
        continue
      }
      var dz = options.activation.backward(da, times: factor, record)
      if let insertion, isLast { dz = dz.adding(insertion) }
      let isRectified = i > 0 ? pass.leavesDerivative : pass.isInputRectified
      let (dx, parameters) = convolutions[i].backward(
        dz, input: consume x, needsInput: i > 0 || needsInput, adding: addend,
        isRectified: isRectified)
      result.keep(preactivation: dz, activation: da, retention)
      result.parameters = parameters + result.parameters
      if let dx { da = dx }
    }

    result.input = needsInput ? da : nil
    guard let ds = result.skip else { return result }
    switch options.skip {
    case .block:
      // It is added behind the first convolution.
      break
    case .input:
      result.networkInput = ds
    case .project:
      guard let project, let x = projected, let s = pass.skip else { break }
      let dz = options.projectActivation.backward(ds, activation: s, preactivation: nil)
      let gradients = project.backward(dz, input: x, needsInput: needsInput)
      result.parameters += gradients.parameters
      if let throughSkip = gradients.input { result.input = result.input?.adding(throughSkip) }
    }
    return result
  }

  /// ds, before the sum over channels that share one channel of s.
  private func skipGradient(
    _ gradient: FeatureMap<Element>, _ pass: LayerPass<Element>
  ) -> FeatureMap<Element> {
    if options.merge == .add { return gradient }
    guard let a = pass.activations.last ?? nil else { preconditionFailure("a was not kept.") }
    return options.merge == .multiply
      ? gradient.multiplied(by: a) : a.multipliedAndAdded(gradient)
  }
}

extension LayerPass {
  /// Computes aᵢ = act(convᵢ(x)), with `join` if there is one, and keeps the values of `retention`.
  ///
  /// If every value is kept, each operation runs alone; the results are the same bits. In training,
  /// the convolution that reads aᵢ may give the gradient of zᵢ instead of that of aᵢ.
  mutating func compute(
    _ convolution: Conv2D<Element>, _ x: FeatureMap<Element>, _ function: Activation,
    _ retention: Retention, _ reluNaN: ReLUNaN, joining join: Join<Element>? = nil,
    reader: Conv2D<Element>? = nil
  ) -> FeatureMap<Element> {
    guard retention == .everything else {
      let leavesToReader = function == .relu && reader?.goesBackAtOnce ?? false
      let result = convolution.activated(
        x, function, reluNaN, joining: join,
        keepsRecord: retention == .training && !leavesToReader)
      foundNonFinite = foundNonFinite || result.foundNonFinite
      if retention == .training, let record = leavesToReader ? .reader : result.record {
        records.append(record)
        activations.append(result.activation)
      }
      return result.output
    }
    let z = convolution.forward(x)
    let a = function.forward(z, reluNaN: reluNaN)
    foundNonFinite = foundNonFinite || z.foundNonFinite
    preactivations.append(z)
    activations.append(a)
    records.append(.values(activation: a, preactivation: z))
    return join?.applied(to: a) ?? a
  }
}

extension LayerGradients {
  /// Keeps the gradients of zᵢ and aᵢ, from the last to the first, if `retention` is everything.
  mutating func keep(
    preactivation dz: FeatureMap<Element>, activation da: FeatureMap<Element>,
    _ retention: Retention
  ) {
    guard retention == .everything else { return }
    preactivations.insert(dz, at: 0)
    activations.insert(da, at: 0)
  }
}
