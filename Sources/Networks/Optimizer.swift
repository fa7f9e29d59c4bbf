package import Tensors

/// A rule that turns gradients into updates of the parameters.
package protocol Optimizer: Sendable {
  /// The line that chooses the rule.
  var line: String { get }

  /// How far a step goes; a schedule changes it from update to update.
  var learningRate: Double { get set }

  /// Computes the change to add to a parameter.
  ///
  /// - Parameters:
  ///   - gradient: The parameter's gradient.
  ///   - state: What the rule remembered of this parameter.
  ///   - step: The number of this update, from 1.
  /// - Returns: The new state; its `update` is what to add to the parameter.
  func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState

  /// How the rule made the `m`, `v` or `update` of one weight; nil for what it does not keep.
  func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic?
}

/// What an optimizer remembers of one parameter, and its last update.
package struct OptimizerState: Sendable {
  /// The running mean of gradients: Adam's first moment, or the velocity of SGD and RMSProp;
  /// Adadelta's running mean of squared updates.
  package var m: Tensor<Float>?
  /// The running mean of squared gradients, or Adagrad's sum of them.
  package var v: Tensor<Float>?
  /// What was last added to the parameter.
  package var update: Tensor<Float>?

  package init() {}
}
