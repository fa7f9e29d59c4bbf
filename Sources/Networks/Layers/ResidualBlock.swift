import Operations
package import Tensors

/// Which value a block joins.
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
package struct ResidualBlock<Element: Scalar>: Layer {
  package let options: BlockOptions
  package var convolutions: [Conv2D<Element>]
  /// The 1×1 convolution of the skip path; nil unless the skip is a projection.
  package var project: Conv2D<Element>?

  /// Computes the block.
  ///
  /// - Parameters:
  ///   - x: The block's input, `[N, I, H, W]`.
  ///   - networkInput: The network's input, `[N, 1, H, W]`.
  ///   - keepsRecord: Whether to keep what a backward pass needs.
  ///   - reluNaN: What ReLU makes of a NaN.
  ///   - reader: The convolution that alone reads the output, if the derivative of a ReLU before it may
  ///     be left to it.
  /// - Returns: The block's output and what was kept.
  @specialized(where Element == Float)
  package func forward(
    _ x: FeatureMap<Element>, networkInput: FeatureMap<Element>, keepsRecord: Bool,
    reluNaN: ReLUNaN, reader: Conv2D<Element>?
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
        convolution, out, options.activation, reluNaN, joining: join, keepsRecord: keepsRecord,
        reader: join != nil ? nil : isLast ? reader : convolutions[i + 1])
    }
    pass.output = out
    if keepsRecord {
      pass.input = x
      pass.skip = options.merge == .none ? nil : s
      if !options.merge.multiplies { pass.activations[convolutions.count - 1] = nil }
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
  /// Where one channel of s serves all, ds is summed over channels. What a flow inserts behind the
  /// activation's derivative, `insertion`, is added to dz of the last convolution.
  @specialized(where Element == Float)
  package func backward(
    _ gradient: FeatureMap<Element>, _ pass: consuming LayerPass<Element>, needsInput: Bool,
    insertion: FeatureMap<Element>?
  ) -> LayerGradients<Element> {
    guard pass.input != nil, pass.records.count == convolutions.count else {
      preconditionFailure("The forward pass kept too little for a backward pass.")
    }
    var result = LayerGradients<Element>()
    var da = gradient
    // G·s becomes a map of its own only where it is handed on as it is.
    let factor = options.merge == .add ? nil : pass.skip
    var throughSkip: FeatureMap<Element>?
    // Nothing trains on the gradient of the network's input.
    if let s = pass.skip, options.skip != .input {
      let ds = skipGradient(gradient, pass)
      throughSkip = ds.shape == s.shape ? ds : ds.summedOverChannels()
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
      let factor = isLast ? factor : nil
      let addend = i == 0 && options.skip == .block ? throughSkip : nil
      if !isLast || insertion == nil,
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
      result.parameters = parameters + result.parameters
      if let dx { da = dx }
    }

    result.input = needsInput ? da : nil
    // The skip value's gradient is added behind the first convolution already, but for a projection's.
    guard let ds = throughSkip, let project, let x = projected, let s = pass.skip else {
      return result
    }
    let dz = options.projectActivation.backward(ds, activation: s, preactivation: nil)
    let gradients = project.backward(dz, input: x, needsInput: needsInput)
    result.parameters += gradients.parameters
    if let other = gradients.input { result.input = result.input?.adding(other) }
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

// MARK: - As operations

extension ResidualBlock {
  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    var a = x
    for (i, convolution) in convolutions.enumerated() {
      a = program.activated(convolution, options.activation, a, at: "conv\(i + 1)")
    }
    guard options.merge != .none else { return program.value("out", options.merge, [a]) }
    var s = lowerSkip(x, &program)
    if skipChannels < options.channels { s = program.value(nil, Broadcast(), [s], symbol: "s") }
    return program.value("out", options.merge, [a, s])
  }

  private func lowerSkip(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    guard options.skip == .project, let project else {
      let source = options.skip == .input ? program.networkInput : x
      return program.value("skip", Copy(word: "skip"), [source], symbol: "s")
    }
    let function = options.projectActivation
    if function == .linear {
      return program.convolution(
        project, x, at: "project", result: "skip", symbol: "s", word: "project")
    }
    let z = program.convolution(project, x, at: "project", result: nil)
    return program.value(
      "skip", Activate(function, reluNaN: program.reluNaN), [z], symbol: "s", word: "project")
  }

  /// The channels of the skip value: as many as the block's, or one that serves all.
  private var skipChannels: Int {
    switch options.skip {
    case .block: convolutions[0].weight.shape[1]
    case .input: 1
    case .project: options.channels
    }
  }
}

// MARK: - As a layer

extension ResidualBlock {
  package var letter: String { "b" }
  package var line: String { options.line }
  package var isBlock: Bool { true }
  package var inputChannels: Int { convolutions[0].weight.shape[1] }
  package var outputChannels: Int { options.channels }
  package var receptiveGrowth: Int { options.convolutions * (options.kernel - 1) }
  package var convolutionSizes: [ConvolutionSize] {
    options.convolutionSizes(inputs: inputChannels)
  }
  package var soleReader: Conv2D<Element>? { project == nil ? convolutions[0] : nil }
  package var memoryPlan: LayerPlan<Element>? { LayerPlan(self) }

  package var parameterNames: [String] {
    let own = convolutions.enumerated().flatMap { index, convolution in
      convolution.parameterNames.map { "conv\(index + 1).\($0)" }
    }
    return own + (project?.parameterNames.map { "project.\($0)" } ?? [])
  }

  package var parameters: [Tensor<Element>] {
    convolutions.flatMap { $0.parameters } + (project?.parameters ?? [])
  }

  package mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    for i in convolutions.indices { convolutions[i].takeParameters(from: &rest) }
    project?.takeParameters(from: &rest)
  }

  package var doubles: any Layer<Double> {
    ResidualBlock<Double>(
      options: options, convolutions: convolutions.map(\.doubles), project: project?.doubles)
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    try ResidualBlock<Float>(options, inputs: inputs, named: name, initializer, seed: seed)
  }
}

extension ResidualBlock<Float> {
  /// A block with weights drawn by `initializer`.
  ///
  /// - Throws: `NetworkError` when the skip value cannot join the block's channels.
  package init(
    _ options: BlockOptions, inputs: Int, named name: String, _ initializer: Initializer,
    seed: UInt64
  ) throws(NetworkError) {
    try options.requireFit(inputs: inputs)
    func convolution(_ inputs: Int, kernel: Int, _ suffix: String) -> Conv2D<Float> {
      initializer.convolution(
        inputs: inputs, outputs: options.channels, kernel: kernel, hasBias: options.hasBias,
        seed: seed, name: "\(name).\(suffix)")
    }
    self.options = options
    convolutions = (0..<options.convolutions).map {
      convolution($0 == 0 ? inputs : options.channels, kernel: options.kernel, "conv\($0 + 1)")
    }
    let projects = options.skip == .project && options.merge != .none
    project = projects ? convolution(inputs, kernel: 1, "project") : nil
  }
}

extension BlockOptions {
  /// Throws when the skip value of such a block could not join its channels.
  package func requireFit(inputs: Int) throws(NetworkError) {
    guard skip == .block, merge != .none, inputs != 1, inputs != channels else { return }
    throw NetworkError(
      code: "channels",
      "skip=block joins the block's input, which has \(inputs) \(inputs == 1 ? "channel" : "channels"), with \(channels)",
      hint: "channels=\(inputs), or skip=project, or skip=input")
  }
}

extension LayerPass {
  /// Computes aᵢ = act(convᵢ(x)), joined where told, and keeps what a backward pass needs if
  /// `keepsRecord`.
  ///
  /// The convolution that reads aᵢ may give the gradient of zᵢ instead of that of aᵢ.
  mutating func compute(
    _ convolution: Conv2D<Element>, _ x: FeatureMap<Element>, _ function: Activation,
    _ reluNaN: ReLUNaN, joining join: Join<Element>? = nil, keepsRecord: Bool,
    reader: Conv2D<Element>? = nil
  ) -> FeatureMap<Element> {
    let leavesToReader = function == .relu && reader?.goesBackAtOnce ?? false
    let result = convolution.activated(
      x, function, reluNaN, joining: join, keepsRecord: keepsRecord && !leavesToReader)
    foundNonFinite = foundNonFinite || result.foundNonFinite
    if keepsRecord, let record = leavesToReader ? .reader : result.record {
      records.append(record)
      activations.append(result.activation)
    }
    return result.output
  }
}
