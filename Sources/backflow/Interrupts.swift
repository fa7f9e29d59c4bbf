import CommandLanguage
import Foundation
import LineEditing
import Synchronization

/// Handles Ctrl-C: the first asks the running command to stop, the second a training to drop its
/// present step.
enum Interrupts {
  static let interruption = Interruption()
  private static let scriptEnds = Atomic<Bool>(true)

  /// Whether a third Ctrl-C ends the program, since no work is lost when a script ends.
  static var endsAtThird: Bool {
    get { scriptEnds.load(ordering: .relaxed) }
    set { scriptEnds.store(newValue, ordering: .relaxed) }
  }

  /// Catches SIGINT.
  ///
  /// Reading a line is not restarted, so that Ctrl-C gives a new prompt.
  static func install() {
    var action = sigaction()
    // They are initialized here, since a handler must not be the first to use them.
    _ = (interruption, endsAtThird)
    Console.prepareNotices()
    action.__sigaction_handler.sa_handler = { _ in
      if TerminalState.takeInterrupt() { return }
      Interrupts.interruption.request()
      let requests = Interrupts.interruption.requests
      if requests > 2, Interrupts.endsAtThird { _exit(ExitStatus.interrupted.rawValue) }
      Console.noticeInterrupt(
        requests, dropsStep: Interrupts.interruption.dropsStep)
    }
    sigaction(SIGINT, &action, nil)
    unblock()
  }

  /// Makes Ctrl-C end the program at once, where there is nothing to lose.
  static func endAtOnce() {
    signal(SIGINT) { _ in _exit(ExitStatus.interrupted.rawValue) }
    unblock()
  }

  /// Receives SIGINT even if a parent process has blocked signals.
  private static func unblock() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
