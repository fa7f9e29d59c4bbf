import CommandLanguage
import Foundation
import LineEditing
import Synchronization

/// Ctrl-C: the first asks the running command to stop, the second to drop what it is at.
enum Interrupts {
  static let interruption = Interruption()
  private static let scriptEnds = Atomic<Bool>(true)

  /// Whether a third Ctrl-C ends the program, as nobody's work is lost when a script ends.
  static var endsAtThird: Bool {
    get { scriptEnds.load(ordering: .relaxed) }
    set { scriptEnds.store(newValue, ordering: .relaxed) }
  }

  /// Catches SIGINT.
  ///
  /// Reading a line is not restarted, so that Ctrl-C gives a new prompt.
  static func install() {
    var action = sigaction()
    // A handler must not be the first to use them.
    _ = (interruption, endsAtThird)
    Console.prepareNotices()
    action.__sigaction_handler.sa_handler = { _ in
      if TerminalState.takeInterrupt() { return }
      Interrupts.interruption.request()
      let requests = Interrupts.interruption.requests
      if requests > 2, Interrupts.endsAtThird { _exit(ExitStatus.interrupted.rawValue) }
      Console.noticeInterrupt(requests)
    }
    sigaction(SIGINT, &action, nil)
    unblock()
  }

  /// Lets Ctrl-C end the program at once, where nothing is kept that it could lose.
  static func endAtOnce() {
    signal(SIGINT) { _ in _exit(ExitStatus.interrupted.rawValue) }
    unblock()
  }

  /// Receives SIGINT also where a parent that blocks signals has handed that down.
  private static func unblock() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
