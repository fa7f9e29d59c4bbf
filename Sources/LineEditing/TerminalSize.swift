import Foundation

/// How large a terminal is, in characters.
package struct TerminalSize: Hashable, Sendable {
  package let rows: Int
  package let columns: Int

  /// The size of the terminal behind `descriptor` now; 24 × 80 when nobody knows.
  package init(of descriptor: Int32 = STDOUT_FILENO) {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      (rows, columns) = (24, 80)
      return
    }
    (rows, columns) = (Int(size.ws_row), Int(size.ws_col))
  }
}
