package import Networks
package import Tensors

/// The named values and gradients of a pass that kept everything.
extension PassResult {
  /// The value called `name`, such as `b2.conv1.z`; none if there is no such value.
  package func value(_ name: String) -> Tensor<Element>? {
    switch name {
    case "net.in": return pass.input.tensor
    case "net.out": return pass.output.tensor
    case "loss": return Tensor(shape: [], scalars: [Element(loss)])
    default: break
    }
    guard let (index, place) = place(name) else { return nil }
    let values = pass.layers[index]
    switch place {
    case .input: return values.input?.tensor
    case .preactivation(let i): return values.preactivations[i]?.tensor
    case .activation(let i): return values.activations[i]?.tensor
    case .skip: return values.skip?.tensor
    case .output: return values.output?.tensor
    }
  }

  /// The gradient of the value or parameter called `name`; none if there is no such name.
  package func gradient(_ name: String) -> Tensor<Element>? {
    switch name {
    case "net.in": return gradients.input?.tensor
    case "net.out": return gradients.output?.tensor
    case "loss": return Tensor(shape: [], scalars: [1])
    default: break
    }
    if let parameter = network.parameterNames.firstIndex(of: name) {
      return gradients.parameters[parameter]
    }
    guard let (index, place) = place(name) else { return nil }
    let values = gradients.layers[index]
    switch place {
    case .input: return values.input?.tensor
    case .preactivation(let i): return values.preactivations[i]?.tensor
    case .activation(let i): return values.activations[i]?.tensor
    case .skip: return values.skip?.tensor
    case .output: return values.output?.tensor
    }
  }

  /// The first name, in the order of computation, whose value or gradient is not finite.
  package func firstNonFinite() -> String? {
    for name in network.valueNames where value(name).map({ !$0.isFinite() }) ?? false {
      return name
    }
    if !Element(loss).isFinite { return "loss" }
    // Backwards, layer by layer: what comes in, what is inside, the parameters, what goes out.
    let order = network.layers.indices.reversed().flatMap { index in
      let layer = network.layerNames[index]
      let inside = network.layers[index].places.reversed().map(\.name).filter { $0 != "in" }
      return (inside + network.layers[index].parameterNames + ["in"]).map { "\(layer).\($0)" }
    }
    return (["net.out"] + order).first { gradient($0).map { !$0.isFinite() } ?? false }
      .map { $0 + ".grad" }
  }

  /// The layer and the place within it that a name such as `b2.conv1.z` stands for.
  private func place(_ name: String) -> (layer: Int, place: Place)? {
    for (index, layer) in network.layerNames.enumerated() where name.hasPrefix(layer + ".") {
      let rest = name.dropFirst(layer.count + 1)
      return network.layers[index].places.first { $0.name == rest }.map { (index, $0.place) }
    }
    return nil
  }
}

extension Network {
  /// The names of all values of a pass in forward order, parameters aside.
  package var valueNames: [String] {
    let values = zip(layerNames, layers).flatMap { name, layer in
      layer.places.map { "\(name).\($0.name)" }
    }
    return ["net.in"] + values + ["net.out"]
  }
}

extension Layer {
  /// The places of the layer in forward order, with their names within the layer.
  fileprivate var places: [(name: String, place: Place)] {
    switch self {
    case .block(let block):
      let inside = block.convolutions.indices.flatMap { i in
        [("conv\(i + 1).z", Place.preactivation(i)), ("conv\(i + 1).a", Place.activation(i))]
      }
      let skip: [(String, Place)] = block.options.merge == .none ? [] : [("skip", .skip)]
      return [("in", .input)] + inside + skip + [("out", .output)]
    case .convolution:
      return [("in", .input), ("z", .preactivation(0)), ("a", .activation(0)), ("out", .output)]
    }
  }
}

/// A value within a layer.
private enum Place {
  case input
  case preactivation(Int)
  case activation(Int)
  case skip
  case output
}
