// Direct feedback alignment: every layer is told the output's error at once.
//
// The idea. No gradient travels from layer to layer. The error at the network's output reaches each layer by a
// way of its own, through a random kernel, as if each had a wire to the output.
//
//         x ──▶ b1 ──▶ b2 ──▶ b3 ──▶ c1 ──▶ out ──▶ loss
//               ◀─B₁─────┐     │      ◀─── e = ∂loss/∂out
//                      ◀─B₂────┤
//                             ◀─B₃
//
// The equation. For every layer k with weights below the last one, which gets e as it is:
//
//         G_k = B_kᵀ ∗ e            B_k [1,C_k,3,3], random and fixed, as init=he draws
//
// and within the layer the exact pullbacks. A pixel of a layer whose images are smaller than the output, as below a pool,
// gets the sum over the pixels that it covers. As a program this is one operation at the output, which hands it on as it
// is and has a pullback to each layer, through the layer's images enlarged; what the layer above would pass on is cut.
//
// B_k has a name, `b2.out.feedback`, comes from the random stream of that name, and is saved with the weights.
//
// Source: Nøkland, "Direct feedback alignment provides learning in deep neural networks" (2016), arXiv 1609.01596.
//
// Limits. Only the last layer gets the gradient of the loss. Where images are larger than the output or no whole factor smaller,
// as without zeros around them, the network is refused.

package import Networks
import Operations
package import Tensors

/// Every layer is fed with the output's error through a random kernel.
package struct DirectFlow: LayerwiseFlow, SeededFlow {
  package var seed: UInt64

  package init(seed: UInt64 = 1) { self.seed = seed }

  package var name: String { "direct" }
  package var line: String { "flow direct seed=\(seed)" }
  package var isGradient: Bool { false }
  package var rewrites: Bool { true }

  package func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement? {
    Replacement(
      .fromOutput, "B e", "the output's error e through a random kernel B",
      layers: Self.fed(network))
  }
  package var summary: String { "G(k) = B(k)ᵀ ∗ the error of the output, B random and fixed" }

  package func rewritten<Element: Scalar>(
    _ program: Program<Element>, of network: Network<Element>
  ) -> Program<Element> {
    let fed = Self.fed(network)
    let names = network.layerNames
    let factors = program.outputFactors(of: fed)
    return program.rewritten { node, place, operands, rewriting in
      let new = rewriting.write(node, at: place, reading: operands, leavesZero: false) {
        _, read in fed.contains(read)
      }
      guard place == program.output, !fed.isEmpty else { return new }
      let read = zip(fed, factors).reversed().flatMap { layer, factor in
        [
          rewriting.enlarged(
            rewriting.place(of: program.layers[layer].output), by: factor,
            named: "\(names[layer]).direct", beside: node),
          rewriting.tensor(Self.name(of: names[layer]), isTrained: false, beside: node),
        ]
      }
      return rewriting.value("net.direct", DirectFeedback(), [new] + read, beside: node)
    }
  }

  private static func name(of layer: String) -> String { layer + ".out.feedback" }

  /// The places of the layers that are fed: those with weights, but for the last of them.
  private static func fed<Element: Scalar>(_ network: Network<Element>) -> [Int] {
    network.layers.indices.filter { !network.layers[$0].parameters.isEmpty }.dropLast()
  }

  package func tensors<Element: Scalar>(
    for network: Network<Element>, step: Int
  ) -> [FlowTensor<Element>] {
    let names = network.layerNames
    return Self.fed(network).map { layer in
      let name = Self.name(of: names[layer])
      let shape: Shape = [1, network.layers[layer].outputChannels, 3, 3]
      return FlowTensor(
        name,
        trained(name, shape, in: network)
          ?? .feedback([shape[1], 1, 3, 3], seed: seed, name: name).reshaped(shape))
    }
  }

  package func requireFit<Element: Scalar>(_ network: Network<Element>) throws(NetworkError) {
    try network.requireWholeScales(
      Self.fed(network), for: name, doing: "carries the output's error to every layer")
  }
}

/// y = x, where the gradient of y also goes to other values u, each through a random kernel B.
///
///     x̄ = ȳ            ū = Bᵀ ∗ ȳ
///
/// The operands are x, then u and B in turns; u and B take no part in y.
struct DirectFeedback: Operation {
  var word: String { "direct" }
  var isAlias: Bool { true }
  var tangentRule: TangentRule { .linear }

  func resultShape(_ operands: [Shape]) -> Shape { operands[0] }
  func hasPullback(to index: Int) -> Bool { index == 0 || !index.isMultiple(of: 2) }
  func sharesGradient(to index: Int) -> Bool { index == 0 }

  func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> { operands[0] }

  func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    guard index > 0 else { return gradient }
    return Convolution2D().pullback(gradient, to: 0, through(values.operands, index, values.result))
  }

  /// The operands of the convolution whose pullback it is.
  private func through<Element: Scalar>(
    _ operands: [Value<Element>], _ index: Int, _ result: Value<Element>
  ) -> OperationValues<Element> {
    OperationValues(operands: [operands[index], operands[index + 1]], result: result)
  }

  func formula(_ names: OperationNames) -> String { names.operands[0] }

  func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    guard index > 0, index + 1 < names.operands.count else { return PullbackFormula(gradient) }
    return PullbackFormula(
      "\(names.operands[index + 1])ᵀ ∗ \(gradient)", reads: [names.operands[index + 1]])
  }

  func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place)]])
  }

  func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    guard index > 0 else { return TermList([[gradient.factor(place)]]) }
    return Convolution2D().pullbackTerms(
      at: place, to: 0, gradient,
      OperationGrids(
        operands: [grids.operands[index], grids.operands[index + 1]], result: grids.result))
  }
}
