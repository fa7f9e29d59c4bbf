package import Tensors

/// v[n,u] = Σ weight[u,k] · x[n,k] + bias[u], where k counts all numbers of an image in row-major order.
///
///     x̄[n,k]      = Σ v̄[n,u] · weight[u,k]      written weightᵀ · v̄
///     weight̄[u,k] = Σ v̄[n,u] · x[n,k]           written v̄ · xᵀ
///     bias̄[u]     = Σ v̄[n,u]
///
/// The operands are x `[N, C, H, W]`, the weight `[U, C·H·W]` and, if there is one, the bias `[U]`; the
/// result is `[N, U, 1, 1]`. The layout of the weight is that of PyTorch behind `flatten`.
package struct Dense: Operation {
  /// C, H and W of the images, which the weight is made for.
  package let input: Shape

  /// - Parameter input: `[C, H, W]` of the images.
  package init(input: Shape) {
    precondition(input.rank == 3, "An image is [C,H,W], not \(input).")
    self.input = input
  }

  package var word: String { "dense" }
  package var tangentRule: TangentRule { .bilinear }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let (x, weight) = (operands[0].asImage, operands[1])
    let own: Shape = [x.channels, x.height, x.width]
    guard own.count == weight[1] else {
      throw OperationError(
        "the layer was made for images of \(weight[1]) numbers, \(input); \(operands[0]) has "
          + "\(own.count) in each",
        hint: "give it images of \(input[1])×\(input[2]), the size that it was made for")
    }
    return [x.batch, weight[0], 1, 1]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(
      DenseProduct.forward(
        operands[0].map, weight: operands[1].tensor,
        bias: operands.count > 2 ? operands[2].tensor : nil))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let g = gradient.map
    switch index {
    case 0:
      let weight = values.operands[1].tensor
      return .map(
        DenseProduct.inputGradient(
          g, weight: weight, shape: [g.shape.batch, input[0], input[1], input[2]]))
    case 1: return .tensor(DenseProduct.weightGradient(g, values.operands[0].map))
    default: return .tensor(Convolution.biasGradient(g))
    }
  }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[1]) · \(names.operands[0])"
      + (names.operands.count > 2 ? " + \(names.operands[2])" : "")
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let (x, weight) = (names.operands[0], names.operands[1])
    let gradient = gradient.contains(" ") ? "(\(gradient))" : gradient
    return switch index {
    case 0: PullbackFormula("\(weight)ᵀ · \(gradient)", reads: [weight])
    case 1: PullbackFormula("\(gradient) · \(x)ᵀ", reads: [x])
    default: PullbackFormula("Σ \(gradient)")
    }
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let (x, weight) = (grids.operands[0], grids.operands[1])
    let (n, unit) = (place[0], place[1])
    let sum = TermList(
      "", count: weight.shape[1],
      product: { x.value(pixel(n, $0)) * weight.value([unit, $0]) },
      term: { ([$0], [x.factor(pixel(n, $0)), weight.factor([unit, $0])]) })
    return sum.adding(TermList(grids.operands.dropFirst(2).map { [$0.factor([unit])] }), "")
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    switch index {
    case 0:
      let weight = grids.operands[1]
      let k = input.offset(of: Array(place.dropFirst()))
      return TermList(
        (0..<weight.shape[0]).map { unit in
          [gradient.factor([place[0], unit, 0, 0]), weight.factor([unit, k])]
        })
    case 1:
      let x = grids.operands[0]
      return TermList(
        (0..<gradient.shape.batch).map { n in
          [gradient.factor([n, place[0], 0, 0]), x.factor(pixel(n, place[1]))]
        })
    default: return .biasGradient(place, gradient)
    }
  }

  /// The place in x of number `k` of image `n`.
  private func pixel(_ n: Int, _ k: Int) -> [Int] { [n] + input.position(of: k) }
}
