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
// Limits. The gradient must equal that of the standard flow, and a test says so. It
// shares with it the kernels of convolution and activation, but not the layers' pullbacks, their
// bookkeeping of skips, nor the losses' gradients; so a slip in those shows as a difference.

package import Networks
import Operations
package import Tensors

/// The gradient of the loss by a tape of recorded operations.
package struct TapeFlow: GradientFlow {
  package init() {}

  package var name: String { "tape" }
  package var line: String { "flow tape" }
  package var summary: String { "the chain rule, operation by operation" }

  package func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element> {
    var keepsAll = retention == .everything
    if case .layer = retention { keepsAll = true }
    var tape = Tape<Element>()
    let recording = tape.record(pass, isInputVariable: keepsAll)
    var kept = PassValues(recording.program)
    for (index, variable) in recording.variables.enumerated() where keepsAll {
      kept.values[index] = tape.value(variable)
    }
    kept.foundNonFinite = recording.variables.contains { tape.foundNonFinite($0) }
    let (program, variables) = (recording.program, recording.variables)
    for place in [program.loss, program.output] + program.bufferUpdates {
      kept.values[place] = tape.value(variables[place])
    }
    let gradients = tape.gradients(
      of: recording.loss, seed: pass.loss.tapeSeed, keepsAll: keepsAll)
    for (index, variable) in variables.enumerated()
    where keepsAll || program.nodes[index].isParameter {
      kept.gradients[index] = gradients.value(variable)
    }
    let all = kept
    if case .layer(let index) = retention { kept.keep(only: program.layers[index].nodes) }
    return PassResult(pass, all, kept: keepsAll ? kept : nil)
  }

  package func mapBytes<Element: Scalar>(
    of network: Network<Element>, _ size: BatchSize, retention: Retention
  ) -> Int {
    var keepsAll = retention == .everything
    if case .layer = retention { keepsAll = true }
    return TapeMemory(network.program(loss: .meanSquaredError, hasMask: true), size)
      .peak(keepsAll: keepsAll)
  }

  package func keptBytes<Element: Scalar>(of network: Network<Element>, _ size: BatchSize) -> [Int]
  {
    let memory = TapeMemory(network.program(loss: .meanSquaredError, hasMask: true), size)
    return network.layers.indices.map(memory.values)
  }
}

/// Central differences of the loss by any value of a pass, not its weights alone.
extension TrainingPass<Double> {
  /// Returns the derivative of the loss by the element at `offset` of the value or parameter called
  /// `name`, extrapolated from two pairs of differences; nil if nothing has that name.
  package func lossDifference(by name: String, at offset: Int) -> Double? {
    var tape = Tape<Double>()
    let recording = tape.record(self, isInputVariable: true)
    guard let place = recording.program.place(name) else { return nil }
    return tape.difference(of: recording.loss, by: recording.variables[place], at: offset)
  }
}

/// Where the values of a program stand on a tape.
private struct Recording<Element: Scalar> {
  let program: Program<Element>
  /// By place among the program's nodes.
  var variables: [TapeVariable] = []

  var loss: TapeVariable { variables[program.loss] }
  var output: TapeVariable { variables[program.output] }
}

extension Tape {
  /// Computes a whole pass on the tape, in elementary operations down to the loss.
  fileprivate mutating func record(
    _ pass: TrainingPass<Element>, isInputVariable: Bool
  ) -> Recording<Element> {
    var recording = Recording(program: pass.program)
    let pixels = Loss.counted(pass.mask.map { FeatureMap($0) }, of: pass.target.shape)
    for node in recording.program.nodes {
      let operands = node.operands.map { recording.variables[$0] }
      let variable =
        switch node.given {
        case .input: input(FeatureMap(pass.input), isVariable: isInputVariable)
        case .target: input(FeatureMap(pass.target), isVariable: false)
        case .mask: input(FeatureMap(pass.mask ?? pass.target), isVariable: false)
        case .parameter(let number): parameter(recording.program.parameters[number])
        case .buffer(let number): constant(recording.program.buffers[number])
        case .flow(let number, _): constant(recording.program.flowTensors[number])
        case nil:
          // A node that is not given has an operation.
          record(node.operation ?? Copy(), operands, pixels: pixels)
        }
      recording.variables.append(variable)
    }
    return recording
  }

  /// Writes an operation, or its elementary parts one after the other.
  private mutating func record(
    _ operation: any Operation, _ operands: [TapeVariable], pixels: Double
  ) -> TapeVariable {
    guard let parts = operation.parts(operands: operands.count, pixels: pixels) else {
      return write(operation, operands)
    }
    var results: [TapeVariable] = []
    for part in parts {
      results.append(
        write(
          part.operation,
          part.sources.map { source in
            switch source {
            case .operand(let number): operands[number]
            case .part(let number): results[number]
            }
          }))
    }
    return results[results.count - 1]
  }
}

extension Loss {
  /// 2 where the declared gradient is twice the true one by definition, else 1.
  fileprivate var tapeSeed: Double {
    self == .halfSquares(gradientIsDeclared: true) ? 2 : 1
  }
}
