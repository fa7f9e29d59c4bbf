import Tensors

/// How the links of a flow join one layer: what is added to a gradient there.
package struct LinkJoin: Hashable, Sendable {
  /// The places, among the layers, of those whose gradients are joined, the topmost first.
  package let sources: [Int]
  /// Whether the gradients are multiplied with one another; otherwise they are added.
  package let isProduct: Bool
  /// Whether the sum is added to dz of the layer's last convolution; otherwise to what the layer is
  /// fed with.
  package let isBehindDerivative: Bool
  /// ρ, by which sum or product is scaled.
  package let weight: Double
}

extension LinkJoin {
  /// Returns ρ times the sum, or the product, of the gradients that the sources pass on, which
  /// `gradient` gives by their places; nil where there are none.
  func added<Element: Scalar>(
    _ gradient: (Int) -> FeatureMap<Element>?
  ) -> FeatureMap<Element>? {
    let linked = sources.compactMap(gradient)
    guard let first = linked.first else { return nil }
    let joined = linked.dropFirst().reduce(first) {
      isProduct ? $0.multiplied(by: $1) : $0.adding($1)
    }
    return joined.scaled(by: weight)
  }

  /// The added term in letters: `ρ·(b4.in.grad + b3.in.grad)`; `names` are those of the layers.
  func formula(_ names: [String]) -> String {
    let gradients = sources.map { "\(names[$0]).in.grad" }
    return isProduct
      ? "ρ·\(gradients.joined(separator: "·"))" : "ρ·(\(gradients.joined(separator: " + ")))"
  }
}
