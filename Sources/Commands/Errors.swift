import CT
package import CommandLanguage
import Figures
import Networks
import Tensors
import Training

/// Turns an error of any module into one that a command can show.
package func commandError(_ error: any Error) -> CommandError {
  switch error {
  case let error as CommandError:
    error
  case let error as CTError:
    CommandError(
      .init(rawValue: error.code), error.message.trimmedOfPeriod, hint: error.hint.nilIfEmpty,
      status: error.code == "interrupted" ? .interrupted : .badInput)
  case let error as TensorError:
    CommandError(.init(rawValue: error.code), error.message, hint: error.hint.nilIfEmpty)
  case let error as NetworkError:
    CommandError(.init(rawValue: error.code), error.message, hint: error.hint.nilIfEmpty)
  case let error as DataError:
    CommandError(.init(rawValue: error.code), error.message, hint: error.hint.nilIfEmpty)
  case let error as PictureError:
    CommandError(
      .init(rawValue: error.code.rawValue), error.message, hint: error.hint.nilIfEmpty)
  case let error as NonFiniteError:
    CommandError(
      "non-finite",
      "training stopped before step \(error.step): \(error.tensor) is not finite"
        + (error.slice.map { ", because of slice \($0)" } ?? ""),
      hint: error.slice == nil
        ? "the weights are those before the step; try a smaller lr, another scale or init, "
          + "or nan=keep to go on"
        : "the data hold NaN or infinite values: leave the slice out, for example with split")
  default:
    CommandError(.failed, "\(error)")
  }
}

/// The error of a training that a NaN stopped after some updates, which are kept.
func commandError(_ error: NonFiniteError, keeping made: Outcome) -> CommandError {
  var failure = commandError(error)
  failure.changedState = true
  if case .integer(let steps)? = made.result["steps"] {
    let words = steps == 1 ? "1 update before it is kept" : "\(steps) updates before it are kept"
    failure.message += "; the \(words)"
  }
  return failure
}

extension String {
  fileprivate var nilIfEmpty: String? { isEmpty ? nil : self }

  /// The sentence without its full stop, since a hint follows it.
  fileprivate var trimmedOfPeriod: String { hasSuffix(".") ? String(dropLast()) : self }
}
