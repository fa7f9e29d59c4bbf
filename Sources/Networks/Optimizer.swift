package import Tensors

/// A rule that turns gradients into updates of the parameters.
package protocol Optimizer: Sendable {
  /// The command line that chooses the rule.
  var line: String { get }

  /// The factor of a step's length; a schedule changes it from update to update.
  var learningRate: Double { get set }

  /// Computes the change to add to a parameter.
  ///
  /// - Parameters:
  ///   - gradient: The parameter's gradient.
  ///   - state: The rule's state for this parameter.
  ///   - step: The number of this update, from 1.
  /// - Returns: The new state; its `update` is to be added to the parameter.
  func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState

  /// The arithmetic of the `m`, `v` or `update` of one weight; nil for a quantity that the rule
  /// does not keep.
  func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic?
}

/// The optimizer's state for one parameter, and its last update.
package struct OptimizerState: Sendable {
  /// The running mean of gradients: Adam's first moment, or the velocity of SGD and RMSProp;
  /// Adadelta's running mean of squared updates.
  package var m: Tensor<Float>?
  /// The running mean of squared gradients, or Adagrad's sum of them.
  package var v: Tensor<Float>?
  /// The change that was last added to the parameter; nil before any.
  package var update: Tensor<Float>?

  package init() {}
}
