package import Tensors

/// z = x ∗ w + b: a convolution, in the plain geometry of stride 1 with zeros around the image, so that z
/// is as large as x.
///
///     z[n,o,y,x] = Σ x[n,c,y+u−p,x+v−p] · w[o,c,u,v] + b[o],    p = (k − 1) / 2
///     x̄[n,c,y,x] = Σ z̄[n,o,y−u+p,x−v+p] · w[o,c,u,v]           written wᵀ ∗ z̄
///     w̄[o,c,u,v] = Σ z̄[n,o,y,x] · x[n,c,y+u−p,x+v−p]           written z̄ ⋆ x
///     b̄[o]       = Σ z̄[n,o,y,x]
///
/// With stride s, dilation d and groups, x is read at s·y+d·u−p, and c runs over o's group; see
/// `ConvolutionGeometry`. Formulas tell what is not plain as the options of a line do: `w ∗[stride=2] x`.
/// A transposed convolution has the equations of x̄ and z exchanged: z is wᵀ ∗ x, x̄ is w ∗ z̄, and w̄ is
/// x ⋆ z̄.
///
/// The operands are x, w and, if there is one, b. As in every framework, the kernel is not turned.
/// Kernel and bias are tensors in a network; among typed numbers a kernel is a map, like all others.
package struct Convolution2D: Operation {
  package let geometry: ConvolutionGeometry

  package init(_ geometry: ConvolutionGeometry = .plain) { self.geometry = geometry }

  package var word: String { "conv2d" }
  package var tangentRule: TangentRule { .bilinear }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(
      Convolution.forward(
        operands[0].map, kernel: operands[1].tensor,
        bias: operands.count > 2 ? operands[2].tensor : nil, geometry: geometry))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let (dz, kernel) = (gradient.map, values.operands[1])
    switch index {
    case 0:
      return .map(
        Convolution.inputGradient(
          dz, kernel: kernel.tensor, geometry: geometry, inputShape: values.operands[0].shape))
    case 1:
      let dw = Convolution.kernelGradient(
        values.operands[0].map, dz, kernelShape: kernel.tensor.shape, geometry: geometry)
      if case .map = kernel { return .map(FeatureMap(dw)) }
      return .tensor(dw)
    default: return .tensor(Convolution.biasGradient(dz))
    }
  }

  package func pullbacks<Element: Scalar>(
    _ gradient: Value<Element>, to indices: [Int], _ values: OperationValues<Element>
  ) -> [Value<Element>] {
    guard indices.starts(with: [0, 1]), case .tensor(let kernel) = values.operands[1],
      let both = Convolution.gradients(
        gradient.map, values.operands[0].map, kernel: kernel, geometry: geometry)
    else { return indices.map { pullback(gradient, to: $0, values) } }
    return [.map(both.input), .tensor(both.kernel)]
      + indices.dropFirst(2).map { pullback(gradient, to: $0, values) }
  }

  package func scratchBytes<Element: Scalar>(_ operands: [Shape], _ type: Element.Type) -> Int {
    guard (try? resultShape(operands)) != nil else { return 0 }
    return ConvolutionMemory.scratch(
      input: operands[0], kernel: operands[1], geometry: geometry, type)
  }

  package func formula(_ names: OperationNames) -> String {
    let x = names.operands[0]
    let kernel = names.operands[1] + (geometry.isTransposed ? "ᵀ" : "")
    return (names.areLetters ? "\(kernel) \(sign("∗")) \(x)" : "\(x) \(sign("∗")) \(kernel)")
      + (names.operands.count > 2 ? " + \(names.operands[2])" : "")
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let (x, kernel) = (names.operands[0], names.operands[1])
    let gradient = gradient.contains(" ") ? "(\(gradient))" : gradient
    let turned = geometry.isTransposed ? kernel : "\(kernel)ᵀ"
    let (small, large) = geometry.isTransposed ? (x, gradient) : (gradient, x)
    return switch index {
    case 0: PullbackFormula("\(turned) \(sign("∗")) \(gradient)", reads: [kernel])
    case 1: PullbackFormula("\(small) \(sign("⋆")) \(large)", reads: [x])
    default: PullbackFormula("Σ \(gradient)")
    }
  }

  /// The sign with the options that are not plain: `∗[stride=2 groups=4]`.
  private func sign(_ sign: String) -> String {
    let options = [
      geometry.stride == 1 ? nil : "stride=\(geometry.stride)",
      geometry.dilation == 1 ? nil : "dilation=\(geometry.dilation)",
      geometry.groups == 1 ? nil : "groups=\(geometry.groups)",
      geometry.padding == .same ? nil : "pad=\(geometry.padding.rawValue)",
    ].compactMap { $0 }
    return options.isEmpty ? sign : "\(sign)[\(options.joined(separator: " "))]"
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let sum = TermList.convolution(place, grids.operands[0], grids.operands[1], geometry)
    let bias = grids.operands.dropFirst(2).map { [$0.factor([place[1]])] }
    return sum.adding(TermList(bias), bias.isEmpty ? sum.formula : "\(sum.formula) + bias")
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let (x, kernel) = (grids.operands[0], grids.operands[1])
    return switch index {
    case 0: .throughKernel(place, gradient, kernel, geometry)
    case 1: .kernelGradient(place, gradient, x, kernel: kernel.shape, geometry)
    default: .biasGradient(place, gradient)
    }
  }
}
