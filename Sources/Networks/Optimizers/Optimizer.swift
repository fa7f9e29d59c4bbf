package import Tensors

/// A rule that turns gradients into updates of the parameters.
package protocol Optimizer: Sendable {
  /// The rule with the defaults of all options.
  init()

  /// The word that chooses the rule, its help, and the names of what it keeps.
  static var declaration: OptimizerDeclaration { get }

  /// The options of its line, in the order of the printed line.
  static var options: [OptimizerOption<Self>] { get }

  /// The factor of a step's length; a schedule changes it from update to update.
  var learningRate: Double { get set }

  /// Computes the change to add to a parameter.
  ///
  /// - Parameters:
  ///   - gradient: The parameter's gradient.
  ///   - weight: The parameter before the update.
  ///   - state: The rule's state for this parameter.
  ///   - step: The number of this update, from 1.
  /// - Returns: The new state; its `update` is to be added to the parameter.
  func update(
    _ gradient: Tensor<Float>, of weight: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState

  /// The arithmetic of a kept tensor, or of the `update`, at one weight; nil for a quantity that the rule
  /// does not keep.
  func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic?
}

/// The tensors that an optimizer keeps for one parameter, and its last update.
package struct OptimizerState: Sendable {
  /// By the rule's own names, such as `m` and `v`; a rule's file says what they are.
  package private(set) var kept: [String: Tensor<Float>] = [:]
  /// The change that was last added to the parameter; nil before any.
  package var update: Tensor<Float>?

  package init() {}

  /// The tensor that the rule keeps under a name, or the `update`; nil where there is none.
  package subscript(name: String) -> Tensor<Float>? {
    get { name == Self.updateName ? update : kept[name] }
    set { if name == Self.updateName { update = newValue } else { kept[name] = newValue } }
  }

  /// The word for the last update behind the name of its parameter.
  package static let updateName = "update"

  /// The names of all tensors that any rule keeps.
  package static let keptNames: [String] = allOptimizers.flatMap { $0.declaration.kept }.reduce(
    into: []
  ) { if !$0.contains($1) { $0.append($1) } }

  /// The names of all tensors that a parameter may have.
  package static var names: [String] { keptNames + [updateName] }
}

/// Every rule, in the order of the reference; a new one is a file of its own and its name here.
package let allOptimizers: [any Optimizer.Type] = [
  Adam.self, AdamW.self, SGD.self, RMSProp.self, Adagrad.self, Adadelta.self,
]
