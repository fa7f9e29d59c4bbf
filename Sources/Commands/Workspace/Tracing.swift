import CT
package import Ledgers
import Networks
import Tensors
import Training

/// Counts of changes to data and network, so that a ledger reads only those that changed.
struct ChangeCounts: Hashable, Sendable {
  var clean = 0, noisy = 0, network = 0
}

/// The state of a workspace when a ledger last read its changes.
struct Tracing: Sendable {
  /// The counts of changes at that moment.
  var seen = ChangeCounts()
  /// The steps of a training since then.
  var steps: StepLog?
  /// The number of matrix products computed by then.
  var products = matrixProductCount
}

extension Workspace {
  /// Begins to record changes for a ledger.
  package mutating func startTracing() { tracing = tracing ?? Tracing() }

  /// The tensors that changed since the last call, and the steps of a training since then.
  package mutating func takeTrace() -> Trace {
    guard let tracing else { return Trace() }
    var trace = Trace()
    trace.steps = tracing.steps
    trace.usedBLAS = tracing.products != matrixProductCount
    func add(_ name: String, _ tensor: Tensor<Float>) {
      trace.tensors.append(
        TracedTensor(name: name, shape: tensor.shape.extents, scalars: tensor.scalars))
    }
    if changes.clean != tracing.seen.clean, let clean { add("clean", clean.values) }
    if changes.noisy != tracing.seen.noisy, let noisy { add("noisy", noisy) }
    if changes.network != tracing.seen.network {
      zip(network.parameterNames, network.parameters).forEach(add)
    }
    self.tracing = Tracing(seen: changes)
    return trace
  }

  /// Takes all changes so far as read.
  package mutating func markTraced() {
    if tracing != nil { tracing = Tracing(seen: changes) }
  }

  /// Records a training that was made before: its steps, and whether it multiplied matrices by BLAS.
  mutating func trace(_ steps: StepLog?, usedBLAS: Bool) {
    tracing?.steps = steps
    if usedBLAS { tracing?.products &-= 1 }
  }

  /// A log for a training that begins; nil if no ledger is kept.
  func makeStepLog() -> StepLog? {
    tracing == nil ? nil : StepLog(names: network.parameterNames)
  }
}

extension StepLog {
  /// Adds a step of a training to the log, if it is one of those to keep.
  mutating func add(_ progress: TrainingProgress) {
    guard wants(progress.step) else { return }
    add(
      progress.step, loss: progress.loss, tensors: progress.network.parameters.map(\.scalars))
  }
}
