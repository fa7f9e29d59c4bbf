import Foundation

/// The settings of the terminal during a prompt, which are restored however the program ends.
///
/// A line editor needs a terminal that neither echoes nor waits for whole lines; a shell needs the
/// opposite. The prompt keeps the terminal from its first line to its last, also while commands
/// run: keys typed meanwhile wait, unseen, and become the next line. So the former settings are
/// restored before the program ends or stops in any way. Handlers use only memory that is allocated
/// beforehand, and functions that are safe in signal handlers.
package enum TerminalState {
  private struct State {
    /// The settings from before the program, and the prompt's.
    var (original, prompt) = (termios(), termios())
    /// Whether the terminal has the prompt's settings.
    var isTaken = false
    var isEditing = false
    /// Whether the program was stopped and has not continued yet.
    var isStopped = false
    /// Whether Ctrl-C came while no line was edited, and no command has handled it.
    var missedInterrupt = false
    /// The number of bytes read from the terminal, now and when Ctrl-C came last.
    var (bytes, bytesAtInterrupt) = (0, 0)
    /// The ends of a pipe that tells the reader of keys about signals, a byte each.
    var (reader, writer): (Int32, Int32) = (-1, -1)
  }

  private nonisolated(unsafe) static let state: UnsafeMutablePointer<State> = {
    let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    state.initialize(to: State())
    return state
  }()

  /// The codes with which the terminal begins and ends to mark pastes.
  private static let marksPaste = HandlerText("\u{1B}[?2004h")
  private static let leavesPaste = HandlerText("\u{1B}[?2004l")

  /// The descriptor from which the number of each signal during the editing of a line is read.
  static var signals: Int32 { state.pointee.reader }

  /// Saves the terminal's settings, catches signals that could leave others behind, and asks the
  /// terminal to mark pastes.
  static func take() {
    if state.pointee.reader < 0 { install() }
    // A Ctrl-C from before, which stopped a script, is for no line of the prompt.
    forgetInterrupt()
    tcgetattr(STDIN_FILENO, &state.pointee.original)
    state.pointee.prompt = state.pointee.original
    state.pointee.isTaken = true
    marksPaste.write(to: STDOUT_FILENO)
  }

  /// Restores the former settings, unless another program has the terminal now.
  package static func giveBack() {
    guard state.pointee.isTaken else { return }
    state.pointee.isTaken = false
    putBack()
  }

  /// Saves the settings of the prompt, which a stop must not lose.
  static func remember() { tcgetattr(STDIN_FILENO, &state.pointee.prompt) }

  /// Begins and ends the editing of a line.
  ///
  /// A Ctrl-C that came too late for the previous command is for the new line.
  static func setEditing(_ isEditing: Bool) {
    state.pointee.isEditing = isEditing
    if isEditing, state.pointee.missedInterrupt {
      state.pointee.bytesAtInterrupt = state.pointee.bytes
      note(SIGINT)
    }
    state.pointee.missedInterrupt = false
  }

  /// Counts bytes that were read from the terminal.
  static func countBytes(_ count: Int) { state.pointee.bytes += count }

  /// The number of bytes read after the last Ctrl-C in a line.
  static var bytesSinceInterrupt: Int { state.pointee.bytes - state.pointee.bytesAtInterrupt }

  /// Forgets a Ctrl-C that a command has handled.
  static func forgetInterrupt() { state.pointee.missedInterrupt = false }

  /// Uses a Ctrl-C for the line that is edited; returns false when no line is.
  ///
  /// It is called by the handler of SIGINT.
  package static func takeInterrupt() -> Bool {
    guard state.pointee.isEditing else {
      state.pointee.missedInterrupt = true
      return false
    }
    state.pointee.bytesAtInterrupt = state.pointee.bytes
    note(SIGINT)
    return true
  }

  private static func install() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    _ = (marksPaste, leavesPaste)
    (state.pointee.reader, state.pointee.writer) = (ends[0], ends[1])
    atexit { TerminalState.giveBack() }
    for number in [SIGTERM, SIGHUP, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
      handle(number) { number in
        TerminalState.giveBack()
        signal(number, SIG_DFL)
        raise(number)
      }
    }
    handle(SIGTSTP) { _ in TerminalState.stop() }
    handle(SIGCONT) { _ in TerminalState.goOn() }
    handle(SIGWINCH) { number in TerminalState.note(number) }
  }

  // MARK: - In handlers

  private static func handle(_ number: Int32, _ body: @escaping @convention(c) (Int32) -> Void) {
    var (action, former) = (sigaction(), sigaction())
    sigaction(number, nil, &former)
    // A signal that was ignored, as under nohup, stays so.
    guard former.__sigaction_handler.sa_handler.map({ unsafeBitCast($0, to: Int.self) }) != 1
    else { return }
    action.__sigaction_handler.sa_handler = body
    action.sa_flags = SA_RESTART
    sigaction(number, &action, nil)
  }

  private static func note(_ number: Int32) {
    let saved = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(state.pointee.writer, &byte, 1)
    errno = saved
  }

  /// Whether this program is in the foreground; changing the settings of another would stop this
  /// one.
  private static var isInForeground: Bool { tcgetpgrp(STDIN_FILENO) == getpgrp() }

  private static func putBack() {
    guard isInForeground else { return }
    leavesPaste.write(to: STDOUT_FILENO)
    tcsetattr(STDIN_FILENO, TCSANOW, &state.pointee.original)
  }

  /// Stops the program for Ctrl-Z; it continues here with `fg`.
  private static func stop() {
    let saved = errno
    if state.pointee.isTaken { putBack() }
    state.pointee.isStopped = true
    var (standard, former) = (sigaction(), sigaction())
    standard.__sigaction_handler.sa_handler = SIG_DFL
    sigaction(SIGTSTP, &standard, &former)
    var (mask, formerMask) = (sigset_t(), sigset_t())
    sigemptyset(&mask)
    sigaddset(&mask, SIGTSTP)
    pthread_sigmask(SIG_UNBLOCK, &mask, &formerMask)
    raise(SIGTSTP)
    pthread_sigmask(SIG_SETMASK, &formerMask, nil)
    sigaction(SIGTSTP, &former, nil)
    // Without a shell, nothing stopped the program and no signal continues it.
    if state.pointee.isStopped { goOn() }
    errno = saved
  }

  /// Takes the terminal again after a stop, if this program is in the foreground.
  private static func goOn() {
    let saved = errno
    state.pointee.isStopped = false
    if state.pointee.isTaken, isInForeground {
      tcsetattr(STDIN_FILENO, TCSANOW, &state.pointee.prompt)
      marksPaste.write(to: STDOUT_FILENO)
      if state.pointee.isEditing { note(SIGCONT) }
    }
    errno = saved
  }
}
