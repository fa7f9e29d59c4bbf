package import Networks
package import Tensors

/// The memory that flows need, known before anything is computed.
extension GradientFlow {
  /// The bytes that a training step on a batch needs at most, about.
  ///
  /// During the pass: maps that are alive, weights with gradients and moments, and partial sums of a
  /// gradient. During the update: weights and moments, old and new.
  package func trainingBytes<Element: Scalar>(
    of network: Network<Element>, _ size: BatchSize
  ) -> Int {
    let parameters = network.parameterCount * MemoryLayout<Element>.size
    let pass =
      mapBytes(of: network, size, retention: .training) + 6 * parameters
      + network.gradientSumBytes
    return max(pass, 10 * parameters)
  }

  /// The bytes that a pass on a batch needs at most, about, when what `retention` says is kept for
  /// inspection.
  package func inspectionBytes<Element: Scalar>(
    of network: Network<Element>, _ size: BatchSize,
    retention: Retention = .everything
  ) -> Int {
    mapBytes(of: network, size, retention: retention)
      + 4 * network.parameterCount * MemoryLayout<Element>.size + network.gradientSumBytes
  }
}

extension LayerwiseFlow {
  package func mapBytes<Element: Scalar>(
    of network: Network<Element>, _ size: BatchSize, retention: Retention
  ) -> Int {
    let key = PassKey(hasMask: true)
    let work = LayerwiseWork(self, network, key, epoch: 0, step: 0, retention: retention)
    let bytes = ByteCount(work.plan.program, size)
    var execution = Execution(work.plan, bytes)
    execution.give(bytes)
    work.run(&execution, bytes, seed: bytes.heap.take(0))
    guard let layer = work.watched else { return bytes.heap.peak }
    var separate = Execution(work.separatePlan(), bytes)
    separate.give(bytes)
    for place in work.plan.program.read(by: layer) {
      if let value = execution.value(at: place) { separate.give(value, at: place) }
    }
    separate.forward(layer.nodes)
    separate.backward(layer.nodes, seed: execution.gradient(at: layer.output))
    return bytes.heap.peak
  }

  package func keptBytes<Element: Scalar>(of network: Network<Element>, _ size: BatchSize) -> [Int]
  {
    let work = LayerwiseWork(
      self, network, PassKey(), epoch: 0, step: 0, retention: .training)
    let bytes = ByteCount(work.plan.program, size)
    var execution = Execution(work.plan, bytes)
    execution.give(bytes)
    return work.plan.program.layers.map { layer in
      let before = bytes.heap.used
      execution.forward(layer.nodes)
      return bytes.heap.used - before
    }
  }
}

extension Execution where Arithmetic == ByteCount<Element> {
  /// Takes the memory of the maps that are given.
  fileprivate mutating func give(_ bytes: ByteCount<Element>) {
    for (place, node) in plan.program.nodes.enumerated() where node.operation == nil {
      give(
        node.isParameter || node.isBuffer || node.isOfFlow ? bytes.heap.take(0) : bytes.map(place),
        at: place)
    }
  }
}

extension GradientFlow {
  /// Returns the bytes that a training step keeps of each layer: its maps, and weights, gradients,
  /// moments and their successors.
  package func stepBytes<Element: Scalar>(of network: Network<Element>, _ size: BatchSize) -> [Int]
  {
    zip(network.layers, keptBytes(of: network, size)).map {
      $1 + 6 * $0.parameterCount * MemoryLayout<Element>.size
    }
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

extension Network {
  /// Returns the shape of what each layer hands on for a batch.
  package func layerShapes(_ size: BatchSize) -> [Shape] {
    let program = program(loss: .meanSquaredError, hasMask: false)
    let shapes = program.shapes(size)
    return program.layers.map { shapes[$0.output] }
  }
}

extension TrainingPass {
  /// The number of images of the batch, and their size.
  package var size: BatchSize {
    BatchSize(batch: input.shape.batch, height: input.shape.height, width: input.shape.width)
  }

  /// The bytes that the gradients of the parameters need under `flow`, at most, about.
  package func trainingBytes(_ flow: some GradientFlow) -> Int {
    flow.trainingBytes(of: network, size)
  }

  /// The same in Double.
  package func doubleTrainingBytes(_ flow: some GradientFlow) -> Int {
    flow.trainingBytes(of: network.doubles, size)
  }

  /// The bytes that the pass needs under `flow`, at most, about, when every value with a name is kept,
  /// or those of the layer in place `layer`.
  package func inspectionBytes(_ flow: some GradientFlow, layer: Int? = nil) -> Int {
    flow.inspectionBytes(
      of: network, size,
      retention: layer.map { .layer($0) } ?? .everything)
  }
}
