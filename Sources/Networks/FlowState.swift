package import Tensors

/// The tensors that a gradient flow trained beside a network's parameters, such as predictors.
package struct FlowState<Element: Scalar>: Sendable {
  /// The line of the flow that they belong to; another flow does not use them.
  package let flow: String
  /// By name.
  package var tensors: [String: Tensor<Element>]

  package init(flow: String, tensors: [String: Tensor<Element>]) {
    (self.flow, self.tensors) = (flow, tensors)
  }

  /// The same tensors in Double.
  package var doubles: FlowState<Double> {
    FlowState<Double>(flow: flow, tensors: tensors.mapValues { $0.doubles() })
  }
}
