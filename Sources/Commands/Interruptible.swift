import CommandLanguage
import Tensors

/// The result of `compute`, which a person can interrupt.
///
/// Once the command that runs was asked to stop, the rest of the engine's work is left out, and what
/// came of it is thrown away.
///
/// - Throws: `CommandError.interrupted`, or what `compute` throws.
func interruptible<Value>(_ compute: () throws -> Value) throws(CommandError) -> Value {
  let interruption = Interruption.ofCommand
  var shouldStop = Parallelism.shouldStop
  if let interruption { shouldStop = { interruption.isRequested } }
  let result = Parallelism.$shouldStop.withValue(shouldStop) {
    Result { try compute() }
  }
  if let interruption, interruption.isRequested { throw .interrupted }
  do {
    return try result.get()
  } catch {
    throw commandError(error)
  }
}
