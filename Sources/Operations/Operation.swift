// An operation: a function of one or several values, with everything that anybody asks about it.
//
// Each operation is one file. It holds the equation, the shape of the result, the forward
// computation, right under it the pullback of each operand, both once more in letters, and both once
// more as the terms of a single element. Whatever walks through a computation (the tape, the
// stepper, `explain`) asks the operation and knows none by name.
//
// For v = f(u₁, u₂, …) and the gradient v̄ of some number with respect to v, the pullback of operand i
// is what this operation contributes to the gradient of uᵢ:
//
//         ūᵢ ← ūᵢ + (∂f/∂uᵢ)ᵀ · v̄
//
// Source: Griewank and Walther, "Evaluating derivatives" (2008), chapter 3.

package import Tensors

/// A function of one or several values that can be computed, pulled back, told and explained.
package protocol Operation: Sendable {
  /// The word that names the operation in steps and diagrams, such as `conv2d` or `add`.
  var word: String { get }

  /// Returns the shape of the result, in the axes of the operands.
  ///
  /// - Throws: `OperationError` when the operands do not fit together.
  func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape

  /// Returns f(u₁, u₂, …).
  func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element>

  /// Returns what operand number `index` gets of the gradient of the result: (∂f/∂u)ᵀ · v̄.
  ///
  /// Operands and result that ``pullbackFormula(_:to:_:)`` does not name may have been let go of; their
  /// shapes are always known.
  func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element>

  /// Returns what the operands in `indices` get of the gradient of the result, with the bits of
  /// ``pullback(_:to:_:)``; an operation whose pullbacks share work does that work once.
  func pullbacks<Element: Scalar>(
    _ gradient: Value<Element>, to indices: [Int], _ values: OperationValues<Element>
  ) -> [Value<Element>]

  /// Returns whether operand number `index` has a pullback; what is constant by definition, such as the
  /// running mean of a batch normalization, has none.
  func hasPullback(to index: Int) -> Bool

  /// Whether every pullback is 0, so that a training pass need not go further back.
  var endsGradient: Bool { get }

  /// The rule by which derivatives go forward through the operation.
  var tangentRule: TangentRule { get }

  /// Returns the derivative of the result along the directions of the operands, (∂f/∂u)·u̇; a direction is nil
  /// where the operand stays as it is.
  func tangent<Element: Scalar>(
    _ directions: [Value<Element>?], _ values: OperationValues<Element>
  ) -> Value<Element>

  /// Returns the right-hand side of the equation in letters.
  func formula(_ names: OperationNames) -> String

  /// Returns the pullback of operand number `index` in letters.
  func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula

  /// The elementary operations that compute the same, one after the other.
  ///
  /// - Parameters:
  ///   - operands: How many operands there are.
  ///   - pixels: How many pixels count in a mean over pixels.
  /// - Returns: The operations; nil for an elementary one.
  func parts(operands: Int, pixels: Double) -> [OperationPart]?

  /// Whether the result is the first operand under another name: no step of its own, no memory.
  var isAlias: Bool { get }

  /// Whether the result takes the first operand's memory.
  var sharesResult: Bool { get }

  /// Returns whether the pullback of operand number `index` is the gradient of the result itself.
  func sharesGradient(to index: Int) -> Bool

  /// The number of maps as large as the result that ``pullbacks(_:to:_:)`` takes for a while, beside those
  /// that it returns.
  var pullbackMaps: Int { get }

  /// Returns the bytes that a pass takes for a while beside its operands and results: of copies of maps in
  /// another order. 0 where operands do not fit one another.
  func scratchBytes<Element: Scalar>(_ operands: [Shape], _ type: Element.Type) -> Int

  /// Returns the letter that formulas call operand number `index`; nil where it goes by its name.
  func letter(ofOperand index: Int) -> String?

  /// Returns the places of the gradient whose sum is the element at `place` of the pullback; nil for an
  /// operation whose pullback is more than a sum of its gradient.
  func pullbackPlaces(at place: [Int], of gradient: Shape, to operand: Shape) -> [[Int]]?

  /// Returns the terms whose sum is the element at `place` of the result.
  func terms(at place: [Int], _ grids: OperationGrids) -> TermList

  /// Returns the terms whose sum is the element at `place` of the pullback of operand `index`.
  func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList
}

/// One of the elementary operations that an operation consists of.
package struct OperationPart: Sendable {
  /// A value that a part reads.
  package enum Source: Sendable {
    /// Operand number i of the whole.
    case operand(Int)
    /// The result of part number i.
    case part(Int)
  }

  package let operation: any Operation
  package let sources: [Source]

  package init(_ operation: any Operation, _ sources: [Source]) {
    (self.operation, self.sources) = (operation, sources)
  }
}

extension Operation {
  package func pullbacks<Element: Scalar>(
    _ gradient: Value<Element>, to indices: [Int], _ values: OperationValues<Element>
  ) -> [Value<Element>] { indices.map { pullback(gradient, to: $0, values) } }
  package func hasPullback(to index: Int) -> Bool { true }
  package var endsGradient: Bool { false }
  package func parts(operands: Int, pixels: Double) -> [OperationPart]? { nil }
  package var isAlias: Bool { false }
  package var pullbackMaps: Int { 0 }
  package func scratchBytes<Element: Scalar>(_ operands: [Shape], _ type: Element.Type) -> Int { 0 }
  package var sharesResult: Bool { isAlias }
  package func letter(ofOperand index: Int) -> String? { nil }
  package func pullbackPlaces(at place: [Int], of gradient: Shape, to operand: Shape) -> [[Int]]? {
    nil
  }
  package func sharesGradient(to index: Int) -> Bool { isAlias }
}

/// The operands and the result of one application of an operation.
package struct OperationValues<Element: Scalar>: Sendable {
  package let operands: [Value<Element>]
  package let result: Value<Element>

  package init(operands: [Value<Element>], result: Value<Element>) {
    (self.operands, self.result) = (operands, result)
  }
}

/// The names of the operands and of the result of one application.
package struct OperationNames: Sendable {
  package let operands: [String]
  package let result: String
  /// Whether they are the letters of a network's layer, such as z and a, and not names that were typed.
  package let areLetters: Bool

  package init(operands: [String], result: String, areLetters: Bool = false) {
    (self.operands, self.result, self.areLetters) = (operands, result, areLetters)
  }
}

/// The operands and the result of one application as numbers with names, each with four axes.
package struct OperationGrids: Sendable {
  package let operands: [NamedGrid]
  package let result: NamedGrid

  package init(operands: [NamedGrid], result: NamedGrid) {
    (self.operands, self.result) = (operands, result)
  }
}

/// A pullback in letters.
package struct PullbackFormula: Sendable {
  /// Names of values that it reads beside the gradient.
  package let reads: [String]
  /// The right-hand side, such as `z.grad · x`.
  package let text: String

  package init(_ text: String, reads: [String] = []) { (self.text, self.reads) = (text, reads) }
}

/// An operation's operands do not fit together.
package struct OperationError: Error, Sendable {
  /// The message: what was found and what was expected.
  package let message: String
  /// A line to type or a change to make.
  package let hint: String

  package init(_ message: String, hint: String) { (self.message, self.hint) = (message, hint) }
}

extension Operation {
  /// Returns the shape that all operands share.
  package func commonShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    for other in operands.dropFirst() where other != operands[0] {
      throw OperationError(
        "\(operands[0]) and \(other) do not fit element by element",
        hint: "give both one shape; a single number fits every shape")
    }
    return operands[0]
  }
}

extension Explanation.Factor {
  /// The factor −1.
  package static var minusOne: Self { .init("−1", -1) }

  /// 1 divided by a named number.
  package static func inverse(of factor: Self) -> Self {
    .init("1/\(factor.name)", 1 / factor.value)
  }
}
