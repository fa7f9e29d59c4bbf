package import Tensors

/// How a block joins its last activation a with the skip value s.
package enum Merge: String, CaseIterable, Sendable {
  /// a + s
  case add
  /// a · s
  case multiply
  /// a · s + s
  case multiplyAdd = "multiply-add"
  /// a
  case none
}

/// Which value a block joins.
package enum Skip: String, CaseIterable, Sendable {
  /// The block's input: equal channels, or one channel that serves all.
  case block
  /// The network's input, whose one channel serves all.
  case input
  /// A 1×1 convolution of the block's input, and an activation on request.
  case project
}

/// What a `block` line says.
package struct BlockOptions: Hashable, Sendable {
  package var channels = 8
  package var kernel = 3
  package var activation = Activation.relu
  package var merge = Merge.add
  package var skip = Skip.block
  /// What follows the 1×1 convolution of `skip=project`: one that needs no pre-activation.
  package var projectActivation = Activation.linear
  package var convolutions = 1
  package var hasBias = true

  package init() {}

  /// The line that builds the block.
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
  /// The 1×1 convolution of the skip path, when the skip is a projection.
  package var project: Conv2D<Element>?

  /// Computes the block.
  ///
  /// - Parameters:
  ///   - x: The block's input, `[N, I, H, W]`.
  ///   - networkInput: The network's input, `[N, 1, H, W]`.
  ///   - retention: What to keep for a backward pass or for inspection.
  ///   - reluNaN: What ReLU makes of a NaN.
  /// - Returns: The block's output and what was kept.
  package func forward(
    _ x: FeatureMap<Element>, networkInput: FeatureMap<Element>, retention: Retention,
    reluNaN: ReLUNaN
  ) -> LayerPass<Element> {
    var pass = LayerPass(output: x)
    var a = x
    for convolution in convolutions {
      let z = convolution.forward(a)
      a = options.activation.forward(z, reluNaN: reluNaN)
      pass.foundNonFinite = pass.foundNonFinite || z.foundNonFinite
      pass.keep(preactivation: z, activation: a, retention, options.activation)
    }
    let s: FeatureMap<Element> =
      switch options.skip {
      case .block: x
      case .input: networkInput
      case .project:
        project.map { options.projectActivation.forward($0.forward(x), reluNaN: reluNaN) } ?? x
      }
    pass.output =
      switch options.merge {
      case .add: a.adding(s)
      case .multiply: a.multiplied(by: s)
      case .multiplyAdd: a.multipliedAndAdded(s)
      case .none: a
      }
    if retention != .nothing {
      pass.input = x
      pass.skip = options.merge == .none ? nil : s
    }
    return pass
  }

  /// The gradients of the block from G, the gradient of its output.
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
  /// Where one channel of s serves all, ds is summed over channels. What a flow inserts behind the
  /// activation's derivative, `insertion`, is added to dz of the last convolution.
  package func backward(
    _ gradient: FeatureMap<Element>, _ pass: LayerPass<Element>, retention: Retention,
    needsInput: Bool, insertion: FeatureMap<Element>? = nil
  ) -> LayerGradients<Element> {
    guard let x = pass.input, let a = pass.activations.last ?? nil else {
      preconditionFailure("The forward pass kept too little for a backward pass.")
    }
    var result = LayerGradients(output: gradient)
    var da = gradient
    if let s = pass.skip {
      var ds = gradient
      switch options.merge {
      case .add, .none: break
      case .multiply:
        da = gradient.multiplied(by: s)
        ds = gradient.multiplied(by: a)
      case .multiplyAdd:
        da = gradient.multiplied(by: s)
        ds = a.multipliedAndAdded(gradient)
      }
      result.skip = ds.shape == s.shape ? ds : ds.summedOverChannels()
    }

    for i in convolutions.indices.reversed() {
      guard let activation = pass.activations[i] else { preconditionFailure("aᵢ was not kept.") }
      var dz = options.activation.backward(
        da, activation: activation, preactivation: pass.preactivations[i])
      if let insertion, i == convolutions.count - 1 { dz = dz.adding(insertion) }
      let (dx, parameters) = convolutions[i].backward(
        dz, input: i == 0 ? x : pass.activations[i - 1] ?? x, needsInput: i > 0 || needsInput)
      result.keep(preactivation: dz, activation: da, retention)
      result.parameters = parameters + result.parameters
      if let dx { da = dx }
    }

    result.input = needsInput ? da : nil
    guard let ds = result.skip else { return result }
    switch options.skip {
    case .block:
      result.input = result.input?.adding(ds)
    case .input:
      result.networkInput = ds
    case .project:
      let dz = options.projectActivation.backward(
        ds, activation: pass.skip ?? x, preactivation: nil)
      if let projected = project?.backward(dz, input: x, needsInput: needsInput) {
        result.parameters += projected.parameters
        if let throughSkip = projected.input { result.input = result.input?.adding(throughSkip) }
      }
    }
    return result
  }
}

extension LayerPass {
  /// Keeps zᵢ and aᵢ as far as `retention` asks.
  mutating func keep(
    preactivation z: FeatureMap<Element>, activation a: FeatureMap<Element>,
    _ retention: Retention, _ function: Activation
  ) {
    guard retention != .nothing else { return }
    let keepsZ = retention == .everything || function.needsPreactivation
    preactivations.append(keepsZ ? z : nil)
    activations.append(a)
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
