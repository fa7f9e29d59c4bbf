import Operations
import Tensors

/// The operations of a pass on one kind of quantity: maps of numbers, or a count of their bytes.
///
/// One walk serves both, so that what a pass is said to need is what it takes: see ``Execution``.
package protocol PassArithmetic {
  /// A feature map, a tensor or a number.
  associatedtype Quantity
  /// The values that a group of operations keeps for its backward pass.
  associatedtype Record

  /// Returns the result of the operation at `place`.
  func forward(_ place: Int, _ operands: [Quantity]) -> Quantity

  /// Returns what each operand in `numbers` of the operation at `place` gets of `gradient`; operands and
  /// a result that the pullback does not read may be nil.
  func pullbacks(
    _ place: Int, to numbers: [Int], _ gradient: Quantity, _ operands: [Quantity?],
    _ result: Quantity?
  ) -> [Quantity]

  /// Returns the loss at `place` and the gradient of the network's output.
  func loss(_ place: Int, _ operands: [Quantity]) -> (value: Quantity, gradient: Quantity)

  /// Returns a + b, two quantities of the shape of the value at `place`.
  func sum(_ a: Quantity, _ b: Quantity, at place: Int) -> Quantity

  /// Returns a · b, element by element.
  func product(_ a: Quantity, _ b: Quantity, at place: Int) -> Quantity

  /// Returns a, scaled by a number.
  func scaled(_ a: Quantity, by factor: Double, at place: Int) -> Quantity

  /// Returns the result of a group of operations, what its backward pass needs if `keepsRecord`, and
  /// whether the convolution found a NaN or an infinity.
  func forward(
    _ group: FusedConvolution, _ x: Quantity, joining s: Quantity?, keepsRecord: Bool
  ) -> (result: Quantity, record: Record?, foundNonFinite: Bool)

  /// Returns the gradient of s from G, the gradient of the group's result.
  func skipGradient(
    _ group: FusedConvolution, _ gradient: Quantity, _ s: Quantity?, _ record: inout Record
  ) -> Quantity

  /// Returns the gradients of x and of the parameters from G, the gradient of the group's result.
  ///
  /// - Parameters:
  ///   - group: The group.
  ///   - gradient: G, behind whose part through the join comes the factor s.
  ///   - x: The convolution's input; its memory may be used for the gradient.
  ///   - s: The value that was joined, where it is a factor.
  ///   - record: What the forward pass kept.
  ///   - needsInput: Whether the gradient of x is wanted.
  ///   - insertion: What a flow adds to z̄.
  ///   - addend: Added to x̄.
  /// - Returns: The gradient of x if it is wanted, and those of the parameters.
  func backward(
    _ group: FusedConvolution, _ gradient: consuming Quantity, _ x: consuming Quantity,
    times s: Quantity?, _ record: consuming Record, needsInput: Bool, insertion: Quantity?,
    adding addend: Quantity?
  ) -> (input: Quantity?, parameters: [Quantity])

  /// Returns a = ReLU(norm(x)), and what its backward pass needs if `keepsRecord`.
  func forward(
    _ norm: FusedNorm, _ operands: [Quantity], keepsRecord: Bool
  ) -> (result: Quantity, record: Record?)

  /// Returns what each operand in `numbers` of a normalization gets of the gradient of a.
  func pullbacks(
    _ norm: FusedNorm, to numbers: [Int], _ gradient: Quantity, _ operands: [Quantity?],
    _ record: Record
  ) -> [Quantity]

  /// Returns what stays of a quantity that is let go of; nil for nothing.
  func released(_ quantity: Quantity) -> Quantity?

  /// Returns whether an operation found a NaN or an infinity in what it returned.
  func foundNonFinite(_ quantity: Quantity) -> Bool
}
