import Networks
package import Tensors

/// The named values and gradients of a pass that kept everything.
extension PassResult {
  /// The names of all values in forward order, parameters aside.
  package var valueNames: [String] {
    var names = ["net.in"]
    for (name, (layer, pass)) in zip(network.layerNames, zip(network.layers, self.pass.layers)) {
      names.append("\(name).in")
      for i in pass.activations.indices {
        let prefix = name + layer.convolutionSuffix(i)
        names += ["\(prefix).z", "\(prefix).a"]
      }
      if pass.skip != nil { names.append("\(name).skip") }
      names.append("\(name).out")
    }
    return names + ["net.out"]
  }

  /// The value called `name`, such as `b2.conv1.z`; none if there is no such value.
  package func value(_ name: String) -> Tensor<Element>? {
    switch name {
    case "net.in": return pass.input.tensor
    case "net.out": return pass.output.tensor
    case "loss": return Tensor(shape: [], scalars: [Element(loss)])
    default: break
    }
    guard let (index, rest) = layer(of: name) else { return nil }
    let values = pass.layers[index]
    switch rest {
    case "in": return values.input?.tensor
    case "out": return values.output.tensor
    case "skip": return values.skip?.tensor
    default:
      guard let (i, kind) = convolution(rest, index) else { return nil }
      return (kind == "z" ? values.preactivations[i] : values.activations[i])?.tensor
    }
  }

  /// The gradient of the value or parameter called `name`; none if there is no such name.
  package func gradient(_ name: String) -> Tensor<Element>? {
    switch name {
    case "net.in": return gradients.input?.tensor
    case "net.out": return gradients.output.tensor
    case "loss": return Tensor(shape: [], scalars: [1])
    default: break
    }
    guard let (index, rest) = layer(of: name) else { return nil }
    let values = gradients.layers[index]
    if let i = network.layers[index].parameterNames.firstIndex(of: rest) {
      return values.parameters[i]
    }
    switch rest {
    case "in": return values.input?.tensor
    case "out": return values.output.tensor
    case "skip": return values.skip?.tensor
    default:
      guard let (i, kind) = convolution(rest, index) else { return nil }
      return (kind == "z" ? values.preactivations[i] : values.activations[i])?.tensor
    }
  }

  /// The first name, in the order of computation, whose value or gradient is not finite.
  package func firstNonFinite() -> String? {
    for name in valueNames where value(name).map({ !$0.isFinite() }) ?? false { return name }
    if !loss.isFinite { return "loss" }
    let order = valueNames.reversed() + network.parameterNames
    return order.first { gradient($0).map { !$0.isFinite() } ?? false }.map { $0 + ".grad" }
  }

  private func layer(of name: String) -> (index: Int, rest: String)? {
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, let index = network.layerNames.firstIndex(of: parts[0]) else {
      return nil
    }
    return (index, parts[1])
  }

  /// The number of the convolution and `z` or `a`, from `conv2.z`, or `z` of a plain convolution.
  private func convolution(_ rest: String, _ layer: Int) -> (index: Int, kind: String)? {
    for i in pass.layers[layer].activations.indices {
      for kind in ["z", "a"] {
        let suffix = network.layers[layer].convolutionSuffix(i).dropFirst()
        if rest == (suffix.isEmpty ? kind : "\(suffix).\(kind)") { return (i, kind) }
      }
    }
    return nil
  }
}

extension Layer {
  /// What stands between the layer's name and `.z`: `.conv1` in a block, nothing otherwise.
  fileprivate func convolutionSuffix(_ index: Int) -> String {
    switch self {
    case .block: ".conv\(index + 1)"
    case .convolution: ""
    }
  }
}
