import CommandLanguage
import Jupyter
import Synchronization

/// The output below one cell.
///
/// Text has the form of a record, so that a replay can compare it: what may differ from run to run
/// stands in `<…>`.
final class CellScreen: Sendable {
  private struct State {
    /// The id of the display of a progress that is to be replaced; nil if none is shown.
    var progress: String?
    /// Whether there is output other than the progress.
    var hasOutput = false
    /// The early warnings of the running command that were shown.
    var forewords = 0
  }

  private let publish: @Sendable (CellOutput) -> Void
  private let state = Mutex(State())

  init(_ publish: @escaping @Sendable (CellOutput) -> Void) { self.publish = publish }

  /// Shows the progress of a command in one place; `id` is that of the display.
  func show(progress bundle: MimeBundle, id: String) {
    state.withLock { state in
      publish(state.progress == id ? .update(bundle, id: id) : .changing(bundle, id: id))
      state.progress = id
    }
  }

  /// Shows a warning of a command that still runs.
  func show(foreword warning: String) {
    add([.text("warning: \(VisibleText.visible(warning))\n", .stderr)])
    state.withLock { $0.forewords += 1 }
  }

  /// Shows the output of a command.
  ///
  /// - Parameters:
  ///   - execution: The command that was run.
  ///   - isLast: Whether it is the cell's last, whose table is the cell's result.
  func show(_ execution: Execution, isLast: Bool) {
    let shown = state.withLock { state in
      defer { state.forewords = 0 }
      return state.forewords
    }
    switch execution.result {
    case .success(let outcome):
      add(CellRendering(outcome, execution.spec, isLast: isLast, after: shown).outputs)
    case .failure(let error):
      guard let kept = error.kept else { return add([]) }
      add(CellRendering(kept.outcome, execution.spec, isLast: false, after: shown).outputs)
    }
  }

  /// Adds output, the first in place of a progress that was shown.
  private func add(_ outputs: [CellOutput]) {
    state.withLock { state in
      var outputs = outputs[...]
      if let id = state.progress {
        state.progress = nil
        if !state.hasOutput {
          publish(.clear)
        } else if case .text(let text, .stdout)? = outputs.first {
          publish(.update(MimeBundle(text: String(text.dropLast())), id: id))
          outputs.removeFirst()
        } else {
          publish(.update(MimeBundle(text: ""), id: id))
        }
      }
      for output in outputs { publish(output) }
      if !outputs.isEmpty { state.hasOutput = true }
    }
  }
}
