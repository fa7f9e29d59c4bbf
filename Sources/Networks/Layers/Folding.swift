import Tensors

/// Batch norms merged into the convolutions before them.
///
///     norm(w ∗ x + b) = (w · k) ∗ x + (b − μ) · k + bias,    k = weight / √(σ² + ε)
///
/// with the running mean μ and variance σ², as in judging; the output is the same to rounding.
extension Network<Float> {
  /// Merges every batch norm that stands right behind a linear convolution, within a line or as a line of
  /// its own that alone reads it.
  ///
  /// - Returns: The number of norms merged.
  package mutating func fold() -> Int {
    var count = 0
    var place = 0
    while place < layers.count {
      switch layers[place] {
      case let layer as PlainConvolution<Float> where layer.norm?.isFoldable ?? false:
        replaceLayer(place, with: layer.folded())
        count += 1
      case let layer as ResidualBlock<Float> where layer.norms.first?.isFoldable ?? false:
        replaceLayer(place, with: layer.folded())
        count += layer.norms.count
      case let layer as NormLayer<Float> where layer.norm.isFoldable && place > 0:
        guard let before = layers[place - 1] as? PlainConvolution<Float>,
          before.options.activation == .linear, before.norm == nil,
          !isRead(layerNames[place - 1])
        else { break }
        replaceLayer(place - 1, with: before.folding(layer.norm))
        removeHandingOn(place)
        count += 1
        continue
      default: break
      }
      place += 1
    }
    return count
  }

  /// Whether a layer names another as what it reads or joins.
  private func isRead(_ name: String) -> Bool {
    layers.contains { $0.source == name || $0.joined.contains(name) }
  }
}

extension Norm {
  /// Whether it is a batch norm.
  fileprivate var isFoldable: Bool { !statistics.isEmpty }

  /// The factor of each channel, and what is added behind it, in judging.
  fileprivate var affine: [(factor: Double, shift: Double)] {
    guard case .batch(_, let epsilon) = rule else {
      preconditionFailure("Only a batch norm is a constant factor in judging.")
    }
    return weight.scalars.indices.map { c in
      let factor =
        Double(weight.scalars[c]) / (Double(statistics[1].scalars[c]) + epsilon).squareRoot()
      return (factor, Double(bias.scalars[c]) - Double(statistics[0].scalars[c]) * factor)
    }
  }
}

extension Conv2D<Float> {
  /// Returns the convolution with a batch norm merged into it.
  fileprivate func folding(_ norm: Norm<Float>) -> Conv2D {
    let affine = norm.affine
    let outputs = affine.count
    let perKernel = weight.shape.count / weight.shape[0]
    let area = weight.shape[2] * weight.shape[3]
    let perGroup = outputs / geometry.groups
    var weight = weight
    for index in weight.scalars.indices {
      let first = index / perKernel
      // A transposed convolution's outputs are the second axis, those of a group after the other.
      let output =
        geometry.isTransposed
        ? first / (self.weight.shape[0] / geometry.groups) * perGroup + index % perKernel / area
        : first
      weight.scalars[index] = Float(Double(weight.scalars[index]) * affine[output].factor)
    }
    let bias = Tensor<Float>(
      shape: [outputs],
      scalars: (0..<outputs).map { c in
        Float(
          Double(self.bias?.scalars[c] ?? 0) * affine[c].factor + affine[c].shift)
      })
    return Conv2D(weight: weight, bias: bias, geometry)
  }
}

extension PlainConvolution<Float> {
  fileprivate func folded() -> Self {
    guard let norm else { return self }
    return folding(norm)
  }

  fileprivate func folding(_ norm: Norm<Float>) -> Self {
    var options = options
    (options.norm, options.hasBias) = (nil, true)
    return Self(options: options, convolution: convolution.folding(norm), norm: nil)
  }
}

extension ResidualBlock<Float> {
  fileprivate func folded() -> Self {
    var options = options
    options.norm = nil
    var project = project
    if !options.hasBias, let own = project, own.bias == nil {
      project = Conv2D(
        weight: own.weight, bias: Tensor(shape: [options.channels], repeating: 0), own.geometry)
    }
    options.hasBias = true
    return Self(
      options: options, convolutions: zip(convolutions, norms).map { $0.folding($1) },
      project: project, norms: [])
  }
}
