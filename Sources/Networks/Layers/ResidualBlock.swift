import Operations
package import Tensors

/// The value that a block joins.
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
  /// The dilation and groups of the block's convolutions; the projection is a plain one.
  package var geometry = ConvolutionGeometry.plain
  /// The normalization before each activation; nil for none.
  package var norm: NormRule?
  /// The layer that it reads; nil for the one above.
  package var source: String?

  package init() {}

  /// The command line that builds the block.
  package var line: String {
    "block channels=\(channels) kernel=\(kernel) act=\(activation.rawValue) "
      + "merge=\(merge.rawValue) skip=\(skip.rawValue) "
      + (projectActivation == .linear ? "" : "project-act=\(projectActivation.rawValue) ")
      + "convs=\(convolutions) bias=\(hasBias ? "yes" : "no")" + geometry.options
      + (norm.map { " norm=\($0.text)" } ?? "") + (source.map { " from=\($0)" } ?? "")
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
/// Nothing follows the merge. From G, the gradient of out, backwards (see ``Merge``, `Activate` and
/// `Convolution2D`, each with its pullback):
///
///     add           ā = G            s̄ = G
///     multiply      ā = G · s        s̄ = G · a
///     multiply-add  ā = G · s        s̄ = G · a + G
///     z̄ᵢ = act′(zᵢ) · āᵢ,  w̄ᵢ = z̄ᵢ ⋆ aᵢ₋₁,  āᵢ₋₁ = wᵢᵀ ∗ z̄ᵢ
///     īn = w₁ᵀ ∗ z̄₁, plus s̄ when s is the block's input, or its projection's gradient
///
/// Where one channel of s serves all, s̄ is summed over channels. Residual learning: He et al., "Deep residual learning for image
/// recognition" (2016). The merges that multiply come from the article this program grew out of.
package struct ResidualBlock<Element: Scalar>: Layer {
  package let options: BlockOptions
  package var convolutions: [Conv2D<Element>]
  /// The 1×1 convolution of the skip path; nil unless the skip is a projection.
  package var project: Conv2D<Element>?
  /// Those of the convolutions, in their order; empty for none.
  package var norms: [Norm<Element>]
}

// MARK: - As operations

extension ResidualBlock {
  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    var a = x
    for (i, convolution) in convolutions.enumerated() {
      a = program.activated(
        convolution, norms.isEmpty ? nil : norms[i], options.activation, a, at: "conv\(i + 1)")
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
    case .block: inputChannels
    case .input: 1
    case .project: options.channels
    }
  }
}

// MARK: - As a layer

extension ResidualBlock {
  package static var letter: String { "b" }
  package var line: String { options.line }
  package var isBlock: Bool { true }
  package var source: String? { options.source }
  package var inputChannels: Int { convolutions[0].inputs }
  package var outputChannels: Int { options.channels }
  package var receptiveGrowth: Int {
    options.convolutions * (options.geometry.reach(kernel: options.kernel) - 1)
  }
  package var convolutionSizes: [ConvolutionSize] {
    options.convolutionSizes(inputs: inputChannels)
  }

  package var parameterNames: [String] {
    let own = convolutions.enumerated().flatMap { index, convolution in
      (convolution.parameterNames + (norms.isEmpty ? [] : norms[index].parameterNames)).map {
        "conv\(index + 1).\($0)"
      }
    }
    return own + (project?.parameterNames.map { "project.\($0)" } ?? [])
  }

  package var parameters: [Tensor<Element>] {
    convolutions.indices.flatMap { index in
      convolutions[index].parameters + (norms.isEmpty ? [] : norms[index].parameters)
    } + (project?.parameters ?? [])
  }

  package var bufferNames: [String] {
    norms.enumerated().flatMap { index, norm in
      norm.bufferNames.map { "conv\(index + 1).\($0)" }
    }
  }

  package var buffers: [Tensor<Element>] { norms.flatMap(\.statistics) }

  package mutating func takeBuffers(from rest: inout ArraySlice<Tensor<Element>>) {
    for i in norms.indices { norms[i].takeBuffers(from: &rest) }
  }

  package func renamed(_ names: [String: String]) -> Self {
    var options = options
    options.source = options.source.map { names[$0] ?? $0 }
    return Self(options: options, convolutions: convolutions, project: project, norms: norms)
  }

  package mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    for i in convolutions.indices {
      convolutions[i].takeParameters(from: &rest)
      if !norms.isEmpty { norms[i].takeParameters(from: &rest) }
    }
    project?.takeParameters(from: &rest)
  }

  package var doubles: any Layer<Double> {
    ResidualBlock<Double>(
      options: options, convolutions: convolutions.map(\.doubles), project: project?.doubles,
      norms: norms.map(\.doubles))
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
        suffix == "project" ? .plain : options.geometry, seed: seed, name: "\(name).\(suffix)")
    }
    self.options = options
    convolutions = (0..<options.convolutions).map {
      convolution($0 == 0 ? inputs : options.channels, kernel: options.kernel, "conv\($0 + 1)")
    }
    let projects = options.skip == .project && options.merge != .none
    project = projects ? convolution(inputs, kernel: 1, "project") : nil
    norms =
      options.norm.map { rule in
        (0..<options.convolutions).map { _ in Norm(rule, channels: options.channels) }
      } ?? []
  }
}

extension BlockOptions {
  /// Throws when the skip value of such a block could not join its channels.
  package func requireFit(inputs: Int) throws(NetworkError) {
    try geometry.requireFit(inputs: inputs, outputs: channels, kernel: kernel)
    try norm?.requireFit(channels: channels)
    guard skip == .block, merge != .none, inputs != 1, inputs != channels else { return }
    throw NetworkError(
      code: "channels",
      "skip=block joins the block's input, which has \(inputs) \(inputs == 1 ? "channel" : "channels"), with \(channels)",
      hint: "channels=\(inputs), or skip=project, or skip=input")
  }
}
