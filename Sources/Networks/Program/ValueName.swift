/// The name of a value of a network, of its gradient, or of what an optimizer keeps of a parameter.
///
///     b2.conv1.z                 a value: layer b2, part conv1.z
///     b2.conv1.z.grad            its gradient under the chosen flow
///     b2.conv1.z.grad.dilated    its gradient under the flow of that name
///     c1.weight.m                the first moment of a parameter; likewise .v, .update, .before
package struct ValueName: Hashable, Sendable {
  /// The tensor that a name asks for: the value, its gradient, or a tensor of the optimizer.
  package enum Aspect: Hashable, Sendable {
    case value
    /// The gradient, under the flow called `flow`, or the chosen one if nil.
    case gradient(flow: String?)
    /// A tensor that belongs to a parameter in training: what the optimizer keeps under this name, its
    /// last `update`, or the parameter as it was `before` it.
    case kept(String)
  }

  /// The word for a parameter as it was in the last pass.
  package static let beforeName = "before"

  /// The name of the value itself, such as `b2.conv1.z`.
  package let base: String
  package let aspect: Aspect

  /// Reads a name: its last words tell the aspect.
  package init(_ text: some StringProtocol) {
    let words = text.split(separator: ".", omittingEmptySubsequences: false)
    func base(without count: Int) -> String { words.dropLast(count).joined(separator: ".") }
    if words.count > 1, words[words.count - 1] == "grad" {
      (self.base, aspect) = (base(without: 1), .gradient(flow: nil))
    } else if words.count > 2, words[words.count - 2] == "grad" {
      (self.base, aspect) = (base(without: 2), .gradient(flow: String(words[words.count - 1])))
    } else if words.count > 1, let last = words.last.map({ String($0) }),
      (OptimizerState.names + [Self.beforeName]).contains(last)
    {
      (self.base, aspect) = (base(without: 1), .kept(last))
    } else {
      (self.base, aspect) = (String(text), .value)
    }
  }

  /// The name of the gradient of the value called `base`.
  package static func gradient(of base: String) -> String { "\(base).grad" }

  /// The name of the value whose gradient under the chosen flow this is; nil for other names.
  package var gradientBase: String? { aspect == .gradient(flow: nil) ? base : nil }

  /// The layer, such as `b2`; `net` for what belongs to the whole network.
  package var layer: String { String(base.prefix { $0 != "." }) }
}
