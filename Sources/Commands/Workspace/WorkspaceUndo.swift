import CT
import CommandLanguage
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

extension UndoRules where Workspace == Commands.Workspace {
  /// The rules of `undo` for a workspace: a tenth of the machine's memory for tensors that only
  /// former states hold.
  static var workspace: UndoRules {
    UndoRules(
      budget: Int(ProcessInfo.processInfo.physicalMemory / 10), strip: { $0.stripForUndo() },
      carry: { $0.carryOver(from: $1) }, weigh: { $0.weights })
  }
}

extension Commands.Workspace {
  /// Removes results that can be computed again to the same bits.
  fileprivate mutating func stripForUndo() { (inspected, denoised) = (Inspection(), [:]) }

  /// The tensors of a workspace, each as the address of its numbers and its size in bytes.
  fileprivate var weights: [(identity: Int, bytes: Int)] {
    let trainers = ([trainer] + parked.values.map(\.trainer)).compactMap(\.self)
    let networks =
      [network] + parked.values.map(\.network) + (film?.moments ?? []).map(\.network)
      + trainers.flatMap { trainer in TrainedWeights.allCases.compactMap { trainer.network($0) } }
    let passes = [lastPass] + parked.values.map(\.lastPass)
    let states = trainers.map(\.states)
    let baselines: [Tensor<Float>?] = baseline.values.map(\.image)
    let tensors: [Tensor<Float>?] =
      [clean?.values, noisy] + networks.flatMap(\.state)
      + passes.flatMap { [$0?.input, $0?.target, $0?.mask] + ($0?.network.parameters ?? []) }
      + states.joined().flatMap { state in OptimizerState.names.map { state[$0] } } + baselines
    return tensors.compactMap(\.self).map { tensor in
      let bytes = tensor.scalars.count * MemoryLayout<Float>.size
      return (tensor.scalars.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }, bytes)
    }
  }
}
