package import Tensors

/// z = x ∗ w + b: a convolution of stride 1 with zeros around the image, so that z is as large as x.
///
///     z[n,o,y,x] = Σ x[n,c,y+u−p,x+v−p] · w[o,c,u,v] + b[o],    p = (k − 1) / 2
///     x̄[n,c,y,x] = Σ z̄[n,o,y−u+p,x−v+p] · w[o,c,u,v]           written wᵀ ∗ z̄
///     w̄[o,c,u,v] = Σ z̄[n,o,y,x] · x[n,c,y+u−p,x+v−p]           written z̄ ⋆ x
///     b̄[o]       = Σ z̄[n,o,y,x]
///
/// The operands are x, w and, if there is one, b. As in every framework, the kernel is not turned.
/// Kernel and bias are tensors in a network; among typed numbers a kernel is a map, like all others.
package struct Convolution2D: Operation {
  package init() {}

  package var word: String { "conv2d" }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let (x, kernel) = (operands[0].asImage, operands[1].asImage)
    guard kernel.height == kernel.width, kernel.height % 2 == 1 else {
      throw OperationError(
        "a kernel has an odd side, as [3,3] has; this one is \(operands[1])",
        hint: "give a kernel such as [1,1], [3,3] or [5,5]")
    }
    guard kernel.channels == x.channels else {
      throw OperationError(
        "the kernel \(operands[1]) is for \(kernel.channels) "
          + "\(kernel.channels == 1 ? "channel" : "channels"), the image \(operands[0]) "
          + "has \(x.channels)",
        hint: "the second number of a kernel [O,I,k,k] is the channels of the image")
    }
    return operands[0].rank <= 2 && kernel.batch == 1
      ? operands[0] : [x.batch, kernel.batch, x.height, x.width]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(
      Convolution.forward(
        operands[0].map, kernel: operands[1].tensor,
        bias: operands.count > 2 ? operands[2].tensor : nil))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let (dz, x, kernel) = (gradient.map, values.operands[0].map, values.operands[1])
    switch index {
    case 0: return .map(Convolution.inputGradient(dz, kernel: kernel.tensor))
    case 1:
      let dw = Convolution.kernelGradient(x, dz, kernelShape: kernel.tensor.shape)
      if case .map = kernel { return .map(FeatureMap(dw)) }
      return .tensor(dw)
    default: return .tensor(Convolution.biasGradient(dz))
    }
  }

  package func formula(_ names: OperationNames) -> String {
    let (x, kernel) = (names.operands[0], names.operands[1])
    return (names.areLetters ? "\(kernel) ∗ \(x)" : "\(x) ∗ \(kernel)")
      + (names.operands.count > 2 ? " + \(names.operands[2])" : "")
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let (x, kernel) = (names.operands[0], names.operands[1])
    let gradient = gradient.contains(" ") ? "(\(gradient))" : gradient
    return switch index {
    case 0: PullbackFormula("\(kernel)ᵀ ∗ \(gradient)", reads: [kernel])
    case 1: PullbackFormula("\(gradient) ⋆ \(x)", reads: [x])
    default: PullbackFormula("Σ \(gradient)")
    }
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let sum = TermList.convolution(place, grids.operands[0], grids.operands[1])
    let bias = grids.operands.dropFirst(2).map { [$0.factor([place[1]])] }
    return sum.adding(TermList(bias), bias.isEmpty ? sum.formula : "\(sum.formula) + bias")
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let (x, kernel) = (grids.operands[0], grids.operands[1])
    return switch index {
    case 0: .throughKernel(place, gradient, kernel)
    case 1: .kernelGradient(place, gradient, x, kernel: kernel.shape.height)
    default: .biasGradient(place, gradient)
    }
  }
}
