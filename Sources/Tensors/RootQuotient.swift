import CKernels

extension Tensor<Float> {
  /// factor·(x/c₁) / (√(y/c₂) + ε) for each number x and the number y of `squares` in the same place,
  /// rounded after each operation: a step of an optimizer along x, divided by its magnitude.
  package func overRoots(
    of squares: Tensor, times factor: Float, epsilon: Float,
    corrections: (Float, Float) = (1, 1)
  ) -> Tensor {
    precondition(squares.shape == shape, "\(shape) and \(squares.shape) meet element by element.")
    return Tensor(shape: shape) { results in
      scalars.withUnsafeBufferPointer { x in
        squares.scalars.withUnsafeBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress, let target = results.baseAddress
          else { return }
          InstructionSet.kernels.over_roots(
            x, y, factor, corrections.0, corrections.1, epsilon, target, shape.count)
        }
      }
    }
  }
}
