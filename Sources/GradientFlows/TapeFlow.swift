// Back-propagation by automatic differentiation.
//
// The idea. Nobody derives a pullback for a layer: the network is computed on a tape, operation by
// operation, down to the loss, and the tape is read backwards (see `Tape`).
//
//         net.in ─ conv ─ act ─ ⊙ skip ─ … ─ net.out ─ − target ─ Σ( )² ─ ÷ M ─ loss
//                ◀──────────────── one reading, from the end to the start ────────────
//
// The equation. ∂loss/∂u for every value u, by the chain rule for each operation alone.
//
// Source: as for `Tape`. The article's fourth case was such a network, under TensorFlow.
//
// What it is not. It is no other gradient: it must equal the standard flow, and a test says so. It
// shares with it the kernels of convolution and activation, but not the layers' pullbacks, their
// bookkeeping of skips, nor the losses' gradients; so a slip in those shows as a difference.

package import Networks
package import Tensors

/// The gradient of the loss by a tape of recorded operations.
package struct TapeFlow: GradientFlow {
  package init() {}

  package var name: String { "tape" }
  package var line: String { "flow tape" }

  package func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element> {
    let network = pass.network
    let keepsAll = network.layers.indices.contains { retention.ofLayer($0) == .everything }
    var tape = Tape<Element>()
    let (input, recordings, output, loss) = tape.record(pass, isInputVariable: keepsAll)

    let (value, result) = (tape.number(loss), tape.map(output))
    let layerPasses = recordings.map { tape.values(of: $0) }
    let values = NetworkPass(
      input: tape.map(input), layers: layerPasses, output: result,
      foundNonFinite: layerPasses.contains { $0.foundNonFinite })
    let gradients = tape.gradients(of: loss, seed: pass.loss.tapeSeed, keepsAll: keepsAll)
    let layers = recordings.enumerated().map { index, recording in
      let layer = gradients.layer(recording)
      return retention.ofLayer(index) == .everything ? layer : layer.ofParameters
    }
    return PassResult(
      network: network, loss: value, pass: values.inspectable(retention),
      gradients: NetworkGradients(
        output: gradients.map(output), layers: layers, input: gradients.map(input)))
  }
}

/// Central differences of the loss by any value of a pass, not its weights alone.
extension TrainingPass<Double> {
  /// The derivative of the loss by the element at `offset` of the value or parameter called `name`,
  /// extrapolated from two pairs of differences; none if nothing has that name.
  package func lossDifference(by name: String, at offset: Int) -> Double? {
    var tape = Tape<Double>()
    let (input, recordings, output, loss) = tape.record(self, isInputVariable: true)
    var places = ["net.in": input, "net.out": output]
    for (layer, recording) in zip(zip(network.layerNames, network.layers), recordings) {
      for (place, variable) in recording.names(layer.1) { places["\(layer.0).\(place)"] = variable }
    }
    guard let variable = places[name] else { return nil }
    return tape.difference(of: loss, by: variable, at: offset)
  }
}

/// Where the values of one layer stand on a tape.
private struct LayerRecording {
  var input: TapeVariable
  var preactivations: [TapeVariable] = []
  var activations: [TapeVariable] = []
  var skip: TapeVariable?
  var output: TapeVariable
  /// In the order of the layer's `parameters`.
  var parameters: [TapeVariable] = []
  var isSkipFromNetworkInput = false

  /// The values and parameters by their names within the layer.
  func names<Element: Scalar>(_ layer: Layer<Element>) -> [(String, TapeVariable)] {
    let isBlock = layer.letter == "b"
    let inner = preactivations.indices.flatMap { i in
      let place = isBlock ? "conv\(i + 1)." : ""
      return [(place + "z", preactivations[i]), (place + "a", activations[i])]
    }
    return [("in", input)] + inner + (skip.map { [("skip", $0)] } ?? []) + [("out", output)]
      + Array(zip(layer.parameterNames, parameters))
  }
}

extension Tape {
  /// Computes a whole pass on the tape, down to the loss.
  fileprivate mutating func record(
    _ pass: TrainingPass<Element>, isInputVariable: Bool
  ) -> (
    input: TapeVariable, layers: [LayerRecording], output: TapeVariable, loss: TapeVariable
  ) {
    let network = pass.network
    let input = input(FeatureMap(pass.input), isVariable: isInputVariable)
    var recordings: [LayerRecording] = []
    var x = input
    for layer in network.layers {
      let recording = record(layer, x, networkInput: input, reluNaN: network.reluNaN)
      recordings.append(recording)
      x = recording.output
    }
    let output = network.outputRule == .subtract ? difference(input, x) : identity(x)
    let loss = record(
      pass.loss, output, target: FeatureMap(pass.target), mask: pass.mask.map { FeatureMap($0) })
    return (input, recordings, output, loss)
  }

  /// Computes a layer on the tape.
  fileprivate mutating func record(
    _ layer: Layer<Element>, _ x: TapeVariable, networkInput: TapeVariable, reluNaN: ReLUNaN
  ) -> LayerRecording {
    let input = identity(x)
    var recording = LayerRecording(input: input, output: input)
    switch layer {
    case .convolution(let plain):
      recording.output = record(
        [plain.convolution], plain.options.activation, input, reluNaN, &recording)
    case .block(let block):
      let a = record(block.convolutions, block.options.activation, input, reluNaN, &recording)
      recording.output = a
      guard block.options.merge != .none else { break }
      recording.isSkipFromNetworkInput = block.options.skip == .input
      let skip: TapeVariable =
        switch block.options.skip {
        case .block: identity(input)
        case .input: identity(networkInput)
        case .project:
          block.project.map { projection in
            let z = record(projection, input, &recording)
            return activation(block.options.projectActivation, z, reluNaN: reluNaN)
          } ?? identity(input)
        }
      recording.skip = skip
      let s = broadcast(skip)
      recording.output =
        switch block.options.merge {
        case .add, .none: sum(a, s)
        case .multiply: product(a, s)
        case .multiplyAdd: sum(product(a, s), s)
        }
    }
    return recording
  }

  /// Convolutions with the activation after each; returns the last activation.
  private mutating func record(
    _ convolutions: [Conv2D<Element>], _ function: Activation, _ x: TapeVariable,
    _ reluNaN: ReLUNaN, _ recording: inout LayerRecording
  ) -> TapeVariable {
    var a = x
    for convolution in convolutions {
      let z = record(convolution, a, &recording)
      a = activation(function, z, reluNaN: reluNaN)
      recording.preactivations.append(z)
      recording.activations.append(a)
    }
    return a
  }

  private mutating func record(
    _ convolution: Conv2D<Element>, _ x: TapeVariable, _ recording: inout LayerRecording
  ) -> TapeVariable {
    let weight = parameter(convolution.weight)
    var bias: TapeVariable?
    if let known = convolution.bias { bias = parameter(known) }
    recording.parameters += [weight] + (bias.map { [$0] } ?? [])
    return self.convolution(x, weight: weight, bias: bias)
  }

  /// Computes a loss on the tape.
  fileprivate mutating func record(
    _ loss: Loss, _ output: TapeVariable, target: FeatureMap<Element>, mask: FeatureMap<Element>?
  ) -> TapeVariable {
    var error = difference(output, input(target, isVariable: false))
    var count = Double(target.shape.count)
    if let mask {
      error = product(error, input(mask, isVariable: false))
      count = max(1, mask.sumOfMagnitudes())
    }
    return switch loss {
    case .meanSquaredError: quotient(sumOfSquares(error), by: count)
    case .halfSquares: quotient(sumOfSquares(error), by: 4)
    case .meanAbsoluteError: quotient(sumOfMagnitudes(error), by: count)
    }
  }

  /// The values that a recording has names for.
  fileprivate func values(of recording: LayerRecording) -> LayerPass<Element> {
    var pass = LayerPass(output: map(recording.output))
    pass.input = map(recording.input)
    pass.preactivations = recording.preactivations.map { map($0) }
    pass.activations = recording.activations.map { map($0) }
    pass.skip = recording.skip.map { map($0) }
    pass.foundNonFinite = recording.preactivations.contains { map($0).foundNonFinite }
    return pass
  }
}

extension TapeGradients {
  /// The gradients of one layer.
  fileprivate func layer(_ recording: LayerRecording) -> LayerGradients<Element> {
    var gradients = LayerGradients<Element>(output: map(recording.output))
    gradients.input = map(recording.input)
    gradients.preactivations = recording.preactivations.map { map($0) }
    gradients.activations = recording.activations.map { map($0) }
    gradients.skip = recording.skip.flatMap { map($0) }
    gradients.networkInput = recording.isSkipFromNetworkInput ? gradients.skip : nil
    gradients.parameters = recording.parameters.compactMap { tensor($0) }
    return gradients
  }
}

extension Loss {
  /// 2 where the declared gradient is twice the true one by definition, else 1.
  fileprivate var tapeSeed: Double {
    self == .halfSquares(gradientIsDeclared: true) ? 2 : 1
  }
}
