import CT
package import CommandLanguage
import Figures
import Networks
import Tensors
import Tomography
import Training

/// Turns an error of any module into one that a command can show.
package func commandError(_ error: any Error) -> CommandError {
  switch error {
  case let error as CommandError:
    error
  case let error as CTError:
    CommandError(
      .init(rawValue: error.code), error.message.trimmedOfPeriod,
      hint: error.hint.nilIfEmpty ?? cure(ofDICOM: error.code),
      status: error.code == "interrupted" ? .interrupted : .badInput)
  case let error as TensorError:
    CommandError(.init(rawValue: error.code), error.message, hint: error.hint.nilIfEmpty)
  case let error as TomographyError:
    CommandError("scan", error.message, hint: error.hint)
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
  case _ where SystemReason.knows(error):
    CommandError(
      .file, "a file cannot be read or written: \(SystemReason.words(error))",
      hint: "check its path, its permissions and the free space")
  default:
    CommandError(.failed, "\(error)")
  }
}

/// The cure for an error about a DICOM file that names none.
private func cure(ofDICOM code: String) -> String {
  switch code {
  case "interrupted": "type the line again to run it"
  case "no-memory": "close other programs, or read fewer slices"
  case "bad-shape", "bad-spacing", "unwritable", "unwritable-value":
    "save tensor writes any numbers, as .npy"
  default: "export or copy the file again, or leave it out"
  }
}

/// The error of a training that a NaN or an infinity stopped after some updates, which are kept.
///
/// - Parameters:
///   - error: The place where the NaN arose.
///   - made: The outcome of the updates before it.
///   - line: The line that trained.
/// - Returns: The error, with what stays and how it is recorded.
func commandError(
  _ error: NonFiniteError, keeping made: Outcome, of line: String
) -> CommandError {
  var failure = commandError(error)
  failure.kept = KeptWork(made.recordedCommand ?? line, made)
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
