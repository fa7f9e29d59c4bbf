package import Operations
package import Tensors

/// How a residual block joins its last activation a with the skip value s.
///
///     add           out = a + s        ā = G            s̄ = G
///     multiply      out = a · s        ā = G · s        s̄ = G · a
///     multiply-add  out = a · s + s    ā = G · s        s̄ = G · a + G
///     none          out = a            ā = G
///
/// G is the gradient of out. All are taken element by element; a and s are `[N, C, H, W]`, or s has one
/// channel, which ``Broadcast`` hands to all. Residual learning: He et al., "Deep residual learning for
/// image recognition" (2016). The merges that multiply come from the article this program grew out of.
package enum Merge: String, CaseIterable, Sendable {
  case add
  case multiply
  case multiplyAdd = "multiply-add"
  case none

  /// Whether the activation is multiplied with the skip value.
  package var multiplies: Bool { self == .multiply || self == .multiplyAdd }

  /// Returns the join with the skip value `s`, as the engine computes it; nil for `none`.
  func join<Element: Scalar>(_ s: FeatureMap<Element>) -> Join<Element>? {
    switch self {
    case .add: Join(.add, s)
    case .multiply: Join(.multiply, s)
    case .multiplyAdd: Join(.multiplyAdd, s)
    case .none: nil
    }
  }
}

extension Merge: Operation {
  package var word: String { self == .none ? "out" : rawValue }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let a = operands[0]
    for s in operands.dropFirst()
    where s.batch != a.batch || s.height != a.height || s.width != a.width
      || s.channels != a.channels && s.channels != 1
    {
      throw OperationError(
        "\(a) and \(s) do not join: a joined value has the same height and width, and as many channels "
          + "or one that serves all",
        hint: "bring both to one scale, with pool or up, and to equal channels, with conv kernel=1")
    }
    return a
  }

  package func parts(operands: Int, pixels: Double) -> [OperationPart]? {
    switch self {
    case .add: [OperationPart(Sum(), [.operand(0), .operand(1)])]
    case .multiply: [OperationPart(Product(), [.operand(0), .operand(1)])]
    case .multiplyAdd:
      [
        OperationPart(Product(), [.operand(0), .operand(1)]),
        OperationPart(Sum(), [.part(0), .operand(1)]),
      ]
    case .none: nil
    }
  }

  package var sharesResult: Bool { self == .none }
  package var tangentRule: TangentRule { .elementwise }
  package func sharesGradient(to index: Int) -> Bool { !multiplies }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    guard self != .none, let join = join(operands[1].map) else { return operands[0] }
    return .map(join.applied(to: operands[0].map))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    guard multiplies else { return gradient }
    let (g, other) = (gradient.map, values.operands[1 - index].map)
    return .map(
      index == 0 || self == .multiply ? g.multiplied(by: other) : other.multipliedAndAdded(g))
  }

  package func letter(ofOperand index: Int) -> String? { index == 0 ? "a" : nil }

  package func formula(_ names: OperationNames) -> String {
    switch self {
    case .add: "a + s"
    case .multiply: "a · s"
    case .multiplyAdd: "a · s + s"
    case .none: "a"
    }
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    guard multiplies else { return PullbackFormula("G") }
    let other = [names.operands[1 - index]]
    if index == 0 { return PullbackFormula("G · s", reads: other) }
    return PullbackFormula(self == .multiply ? "G · a" : "G · a + G", reads: other)
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let factors = grids.operands.map { $0.factor(place) }
    return switch self {
    case .none, .add: TermList(factors.map { [$0] })
    case .multiply: TermList([factors])
    case .multiplyAdd: TermList([factors, [factors[1]]])
    }
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let g = gradient.factor(place)
    guard multiplies else { return TermList([[g]]) }
    let product = [g, grids.operands[1 - index].factor(place)]
    return TermList(index == 1 && self == .multiplyAdd ? [product, [g]] : [product])
  }
}
