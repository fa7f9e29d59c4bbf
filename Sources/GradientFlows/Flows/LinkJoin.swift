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
  /// The added term in letters: `ρ·(b4.in.grad + b3.in.grad)`; `names` are those of the layers.
  func formula(_ names: [String]) -> String {
    let gradients = sources.map { "\(names[$0]).in.grad" }
    return isProduct
      ? "ρ·\(gradients.joined(separator: "·"))" : "ρ·(\(gradients.joined(separator: " + ")))"
  }
}
