import CKernels

extension Tensor<Float> {
  /// Computes factor·(x/c₁) / (√(y/c₂) + ε) for each number x and the number y of `squares` at the
  /// same index, rounded after each operation: a step of an optimizer along x, divided by its
  /// magnitude.
  package func overRoots(
    of squares: Tensor, times factor: Float, epsilon: Float,
    corrections: (Float, Float) = (1, 1)
  ) -> Tensor {
    combined(with: squares) { x, y, results, count in
      InstructionSet.kernels.over_roots(
        x, y, factor, corrections.0, corrections.1, epsilon, results, count)
    }
  }
}
