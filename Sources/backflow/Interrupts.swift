import CommandLanguage
import Foundation
import LineEditing

/// Ctrl-C: the first asks the running command to stop, the third ends the program.
enum Interrupts {
  static let interruption = Interruption()

  /// Catches SIGINT.
  ///
  /// Reading a line is not restarted, so that Ctrl-C gives a new prompt.
  static func install() {
    var action = sigaction()
    _ = interruption
    action.__sigaction_handler.sa_handler = { _ in
      if TerminalState.takeInterrupt() { return }
      Interrupts.interruption.request()
      if Interrupts.interruption.requests > 2 { _exit(ExitStatus.interrupted.rawValue) }
    }
    sigaction(SIGINT, &action, nil)
    // Whoever started the program from a thread that blocks signals has handed that down.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
