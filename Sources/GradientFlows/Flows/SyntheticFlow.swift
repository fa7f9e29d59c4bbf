// Synthetic gradients: a block is fed with a prediction of its gradient.
//
// The idea. Block k need not wait until the gradient has come back through all blocks above, if it can be
// told from what the block hands on. A small convolution predicts it at each boundary between blocks, and learns from what
// the block above passes on, which is itself made from that block's predicted gradient. So all blocks could work at once:
// these are the decoupled networks that the author of the article proposed next.
//
//         x ──▶ b1 ────────▶ b2 ────────▶ b3 ──▶ out ──▶ loss
//               ◀─ Ĝ₁ ┐       ◀─ Ĝ₂ ┐       ◀─────────────
//                     S₁ ◀╌╌ g₂     S₂ ◀╌╌ g₃              ╌╌ teaches
//
// The equation. h_k is what block k hands on, g_{k+1} what the block above passes on to it, M the number of pixels of h_k (images
// times their size), since gradients of a mean are of that size:
//
//         Ĝ_k = (S_k ∗ h_k + c_k) / M              block k is fed with Ĝ_k in place of g_{k+1}
//         S_k, c_k minimize  ½·M·Σ (Ĝ_k − g_{k+1})²:    S̄_k = (Ĝ_k − g_{k+1}) ⋆ h_k        c̄_k = Σ (Ĝ_k − g_{k+1})
//
// The boundaries are those of `flow local`; other ways between parts are cut. `b1.out.synthetic.weight` and `.bias` begin with 0, so
// that nothing is learned from an untaught predictor, are trained by the session's optimizer at the rate `predictor-lr`, and are
// saved with the weights.
//
// Source: Jaderberg et al., "Decoupled neural interfaces using synthetic gradients" (2016), arXiv 1608.05343; all such ways in one
// frame: Czarnecki et al., "Understanding synthetic gradients and decoupled neural interfaces" (2017), arXiv 1703.00522.
//
// Limits. Only the last part gets the gradient of the loss. The parts run one after the other here, as in other flows: what is
// shown is how they learn.

package import Networks
import Operations
package import Tensors

/// Blocks are fed with predictions of their gradients, which learn from the gradients that arrive.
package struct SyntheticFlow: LayerwiseFlow {
  /// The side of the predictors' kernels, odd.
  package var kernel: Int
  /// The learning rate of the predictors.
  package var predictorRate: Double

  package init(kernel: Int = 3, predictorRate: Double = 1e-3) {
    precondition(kernel > 0 && kernel % 2 == 1, "Kernels have a middle.")
    (self.kernel, self.predictorRate) = (kernel, predictorRate)
  }

  package var name: String { "synthetic" }
  package var line: String { "flow synthetic kernel=\(kernel) predictor-lr=\(predictorRate)" }
  package var isGradient: Bool { false }
  package var rewrites: Bool { true }
  package var summary: String { "G(k) = (S(k) ∗ h(k) + c(k)) / M, S and c learn what arrives" }

  package func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement? {
    Replacement(
      .fromItself, "S h", "a prediction S of the gradient from what is handed on, h",
      layers: Stages(network).ends.dropLast())
  }

  package func rewritten<Element: Scalar>(
    _ program: Program<Element>, of network: Network<Element>
  ) -> Program<Element> {
    let stages = Stages(network)
    let boundaries = Self.boundaries(program, stages)
    let names = network.layerNames
    return program.rewritten { node, place, operands, rewriting in
      guard let layer = boundaries[place] else {
        return rewriting.write(node, at: place, reading: operands, leavesZero: false) {
          reader, read in stages.part(ofLayer: reader) != stages.part(ofLayer: read)
        }
      }
      let own = Self.names(names[layer]).map {
        rewriting.tensor($0, isTrained: true, beside: node)
      }
      return rewriting.write(
        node, reading: operands + own, by: SyntheticGradient(), word: SyntheticGradient().word)
    }
  }

  /// The places of the inputs of layers that read what a part hands on, with the layer that hands it on; of several
  /// readers the first.
  private static func boundaries<Element: Scalar>(
    _ program: Program<Element>, _ stages: Stages
  ) -> [Int: Int] {
    var found: [Int: Int] = [:]
    for layer in stages.ends.dropLast() {
      let output = program.layers[layer].output
      let reader = program.nodes.indices.first { place in
        let node = program.nodes[place]
        return node.isAlias && node.operands == [output]
          && node.layer.map { stages.part(ofLayer: $0) != stages.part(ofLayer: layer) } ?? false
      }
      if let reader { found[reader] = layer }
    }
    return found
  }

  private static func names(_ layer: String) -> [String] {
    ["weight", "bias"].map { "\(layer).out.synthetic.\($0)" }
  }

  package func tensors<Element: Scalar>(
    for network: Network<Element>, step: Int
  ) -> [FlowTensor<Element>] {
    let program = network.program(loss: .meanSquaredError, hasMask: false)
    let names = network.layerNames
    let layers = Self.boundaries(program, Stages(network)).values.sorted()
    return layers.flatMap { layer -> [FlowTensor<Element>] in
      let channels = network.layers[layer].outputChannels
      let shapes: [Shape] = [[channels, channels, kernel, kernel], [channels]]
      return zip(Self.names(names[layer]), shapes).map { name, shape in
        FlowTensor(
          name, trained(name, shape, in: network) ?? Tensor(shape: shape, repeating: 0),
          .own(rate: predictorRate))
      }
    }
  }
}

/// y = x, where the gradient of x is a prediction, which learns from that of y.
///
///     x̄ = p = (w ∗ x + b) / M        w̄ = (p − ȳ) ⋆ x        b̄ = Σ (p − ȳ)
///
/// The operands are x, w `[C,C,k,k]` and b `[C]`; M is the number of pixels of all images.
struct SyntheticGradient: Operation {
  var word: String { "predict" }
  var sharesResult: Bool { true }
  var tangentRule: TangentRule { .linear }

  func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> { operands[0] }

  func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    pullbacks(gradient, to: [index], values)[0]
  }

  func pullbacks<Element: Scalar>(
    _ gradient: Value<Element>, to indices: [Int], _ values: OperationValues<Element>
  ) -> [Value<Element>] {
    let predicted = Self.prediction(values.operands)
    let learning = indices.filter { $0 > 0 }
    var shares: [Value<Element>] = []
    if !learning.isEmpty {
      shares = Convolution2D().pullbacks(
        .map(predicted.subtracting(gradient.map)), to: learning, values)
    }
    return indices.map { $0 == 0 ? .map(predicted) : shares.removeFirst() }
  }

  /// The sum before it is divided by M, then the error of the prediction.
  var pullbackMaps: Int { 1 }

  private static func prediction<Element: Scalar>(
    _ operands: [Value<Element>]
  ) -> FeatureMap<Element> {
    Convolution2D().forward(operands).map.scaled(by: 1 / pixels(operands[0].shape))
  }

  private static func pixels(_ shape: Shape) -> Double { Double(shape.batch * shape.planeCount) }

  func formula(_ names: OperationNames) -> String { names.operands[0] }

  func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let (x, w, b) = (names.operands[0], names.operands[1], names.operands[2])
    let predicted = "(\(w) ∗ \(x) + \(b)) / M"
    return switch index {
    case 0: PullbackFormula(predicted, reads: [x, w, b])
    case 1: PullbackFormula("(\(predicted) − \(gradient)) ⋆ \(x)", reads: [x, w, b])
    default: PullbackFormula("Σ (\(predicted) − \(gradient))", reads: [x, w, b])
    }
  }

  func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place)]])
  }

  func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let x = grids.operands[0]
    let share = Explanation.Factor("1/M", 1 / Self.pixels(x.shape))
    if index == 0 {
      let sum = Convolution2D().terms(at: place, grids)
      return TermList(
        "(\(sum.formula)) / M", count: sum.count, product: { sum.product($0) * share.value },
        term: {
          let (index, factors) = sum.term($0)
          return (index, factors + [share])
        })
    }
    let operands = grids.operands.map(\.tensor)
    let predicted = Self.prediction([
      .map(FeatureMap(operands[0])), .tensor(operands[1]), .tensor(operands[2]),
    ])
    let error = predicted.subtracting(FeatureMap(gradient.tensor)).tensor
    let grid = NamedGrid(name: "error", letter: "(p − \(gradient.letter))", .tensor(error))
    return Convolution2D().pullbackTerms(at: place, to: index, grid, grids)
  }
}
