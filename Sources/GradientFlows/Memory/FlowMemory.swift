package import Networks
package import Tensors

/// The memory that flows need, known before anything is computed.
extension GradientFlow {
  /// The bytes that a training step on a batch needs at most, about.
  ///
  /// During the pass: maps that are alive, weights with gradients and moments, and partial sums of a
  /// gradient. During the update: weights and moments, old and new.
  package func trainingBytes<Element: Scalar>(
    of network: Network<Element>, batch: Int, height: Int, width: Int
  ) -> Int {
    let parameters = network.parameterCount * MemoryLayout<Element>.size
    let pass =
      mapBytes(of: network, pixels: batch * height * width, retention: .training) + 6 * parameters
      + network.gradientSumBytes
    return max(pass, 10 * parameters)
  }

  /// The bytes that a pass on a batch needs at most, about, when what `retention` says is kept for
  /// inspection.
  package func inspectionBytes<Element: Scalar>(
    of network: Network<Element>, batch: Int, height: Int, width: Int,
    retention: Retention = .everything
  ) -> Int {
    mapBytes(of: network, pixels: batch * height * width, retention: retention)
      + 4 * network.parameterCount * MemoryLayout<Element>.size + network.gradientSumBytes
  }
}

extension LayerwiseFlow {
  package func mapBytes<Element: Scalar>(
    of network: Network<Element>, pixels: Int, retention: Retention
  ) -> Int {
    let joins = network.layers.indices.map { join(at: $0, in: network, epoch: 0) }
    var training: Int { TrainingMemory.maps(of: network.layers, pixels: pixels, joins: joins) }
    var plain: PassMemory<Element> {
      PassMemory(network.program(loss: .meanSquaredError, hasMask: true), pixels: pixels)
    }
    return switch retention {
    case .everything: plain.plain(joins: joins)
    case .layer(let index): training + plain.plain(layer: index)
    case .training, .nothing: training
    }
  }
}

extension LayerwiseFlow {
  package func keptBytes<Element: Scalar>(
    ofLayer index: Int, in network: Network<Element>, pixels: Int
  ) -> Int { TrainingMemory.kept(of: network.layers[index], pixels: pixels) }
}

extension GradientFlow {
  /// Returns the bytes that a training step keeps of the layer in place `index`: its maps, and weights,
  /// gradients, moments and their successors.
  package func stepBytes<Element: Scalar>(
    ofLayer index: Int, in network: Network<Element>, pixels: Int
  ) -> Int {
    keptBytes(ofLayer: index, in: network, pixels: pixels)
      + 6 * network.layers[index].parameterCount * MemoryLayout<Element>.size
  }
}

extension Network {
  /// The bytes of the partial sums of the gradient of the largest kernel.
  fileprivate var gradientSumBytes: Int {
    parameters.filter { $0.shape.rank == 4 }.map {
      ConvolutionMemory.kernelGradient($0.shape, Element.self)
    }.max() ?? 0
  }
}

extension TrainingPass {
  /// The bytes that the gradients of the parameters need under `flow`, at most, about.
  package func trainingBytes(_ flow: some GradientFlow) -> Int {
    flow.trainingBytes(
      of: network, batch: input.shape.batch, height: input.shape.height, width: input.shape.width)
  }

  /// The same in Double.
  package func doubleTrainingBytes(_ flow: some GradientFlow) -> Int {
    flow.trainingBytes(
      of: network.doubles, batch: input.shape.batch, height: input.shape.height,
      width: input.shape.width)
  }

  /// The bytes that the pass needs under `flow`, at most, about, when every value with a name is kept,
  /// or those of the layer in place `layer`.
  package func inspectionBytes(_ flow: some GradientFlow, layer: Int? = nil) -> Int {
    flow.inspectionBytes(
      of: network, batch: input.shape.batch, height: input.shape.height, width: input.shape.width,
      retention: layer.map { .layer($0) } ?? .everything)
  }
}
