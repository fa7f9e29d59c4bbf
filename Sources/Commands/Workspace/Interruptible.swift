import CommandLanguage
import Tensors

/// The result of `compute`, which a person can interrupt.
///
/// Once the command that runs was asked to stop, the rest of the engine's work is left out, and
/// what came of it is discarded.
///
/// - Throws: `CommandError.interrupted`, or what `compute` throws.
func interruptible<Value>(_ compute: () throws -> Value) throws(CommandError) -> Value {
  do {
    guard let interruption = Interruption.ofCommand else { return try compute() }
    guard let value = try abandonable(when: { interruption.isRequested }, compute) else {
      throw CommandError.interrupted
    }
    return value
  } catch {
    throw commandError(error)
  }
}

/// Throws when the command that runs was asked to stop: between two parts of work that cannot be
/// left out.
///
/// - Throws: `CommandError.interrupted`.
func stopIfInterrupted() throws(CommandError) {
  if Interruption.ofCommand?.isRequested == true { throw .interrupted }
}
