import Foundation

/// The settings of the terminal while a line is edited, safe from every way out of the program.
///
/// A line editor needs a terminal that neither echoes nor waits for whole lines; a shell needs the
/// opposite. So whatever ends or stops the program while a line is edited first puts back what was
/// there. Handlers touch only what is allocated beforehand, and call only what signals may call.
package enum TerminalState {
  private struct State {
    /// The settings before the program, and those of the editor when it was stopped.
    var (original, editing) = (termios(), termios())
    var isEditing = false
    /// Tells the reader of keys about signals, a byte each.
    var (reader, writer): (Int32, Int32) = (-1, -1)
  }

  private nonisolated(unsafe) static let state: UnsafeMutablePointer<State> = {
    let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    state.initialize(to: State())
    return state
  }()

  /// What tells the terminal to mark no longer what is pasted.
  private nonisolated(unsafe) static let leavesPaste: UnsafeBufferPointer<UInt8> = {
    let codes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 8)
    _ = codes.initialize(from: "\u{1B}[?2004l".utf8)
    return UnsafeBufferPointer(codes)
  }()

  /// The descriptor that gives the number of each signal that came while a line was edited.
  static var signals: Int32 { state.pointee.reader }

  /// Remembers the terminal's settings and catches what could leave others behind.
  static func install() {
    guard state.pointee.reader < 0 else { return }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    _ = leavesPaste
    tcgetattr(STDIN_FILENO, &state.pointee.original)
    (state.pointee.reader, state.pointee.writer) = (ends[0], ends[1])
    for number in [SIGTERM, SIGHUP, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
      handle(number) { number in
        TerminalState.restore()
        signal(number, SIG_DFL)
        raise(number)
      }
    }
    handle(SIGTSTP) { _ in TerminalState.stop() }
    handle(SIGCONT) { number in TerminalState.note(number) }
    handle(SIGWINCH) { number in TerminalState.note(number) }
  }

  /// Begins and ends the editing of a line.
  static func setEditing(_ isEditing: Bool) { state.pointee.isEditing = isEditing }

  /// Takes a Ctrl-C for the line that is edited; false when no line is.
  ///
  /// For the handler of SIGINT.
  package static func takeInterrupt() -> Bool {
    guard state.pointee.isEditing else { return false }
    note(SIGINT)
    return true
  }

  /// Gives the terminal the editor's settings again after a stop.
  static func resume() {
    guard tcgetpgrp(STDIN_FILENO) == getpgrp() else { return }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &state.pointee.editing)
  }

  /// Lets the terminal hand over what is pasted without marks.
  static func stopMarkingPaste() {
    _ = write(STDOUT_FILENO, leavesPaste.baseAddress, leavesPaste.count)
  }

  // MARK: - In handlers

  private static func handle(_ number: Int32, _ body: @escaping @convention(c) (Int32) -> Void) {
    var (action, former) = (sigaction(), sigaction())
    sigaction(number, nil, &former)
    // What was ignored, as under nohup, stays so.
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

  private static func restore() {
    guard state.pointee.isEditing else { return }
    stopMarkingPaste()
    tcsetattr(STDIN_FILENO, TCSANOW, &state.pointee.original)
  }

  /// Stops the program as Ctrl-Z asks; it goes on here with `fg`.
  private static func stop() {
    let saved = errno
    if state.pointee.isEditing { tcgetattr(STDIN_FILENO, &state.pointee.editing) }
    restore()
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
    note(SIGCONT)
    errno = saved
  }
}
