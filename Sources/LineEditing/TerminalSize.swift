import CEdit
import Foundation

/// The size of a terminal, in characters.
package struct TerminalSize: Hashable, Sendable {
  package let rows: Int
  package let columns: Int
  private let width: Int
  private let height: Int

  /// The present size of the terminal behind `descriptor`; 24 × 80 when it is unknown.
  package init(of descriptor: Int32 = STDOUT_FILENO) {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      (rows, columns, width, height) = (24, 80, 0, 0)
      return
    }
    (rows, columns) = (Int(size.ws_row), Int(size.ws_col))
    (width, height) = (Int(size.ws_xpixel), Int(size.ws_ypixel))
  }

  /// Whether `descriptor` is a terminal that can do more than print.
  package static func canDraw(on descriptor: Int32 = STDOUT_FILENO) -> Bool {
    isatty(descriptor) == 1 && kindDraws
  }

  /// Whether `TERM` names a known terminal with the usual control codes; others can only print.
  ///
  /// The system's data may lack the entry of a terminal whose family it knows, such as
  /// `xterm-kitty`, or of a newer one, such as `foot`.
  private static let kindDraws: Bool = {
    let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
    guard let family = kind.split(separator: "-").first.map(String.init) else { return false }
    let isKnown: (String) -> Bool = { cedit_knows_terminal($0) == 1 }
    return isKnown(kind) || isKnown(family) || family == "foot"
  }()

  /// The size of a character, in pixels; nil if the terminal did not tell the system.
  package var cell: (width: Int, height: Int)? {
    guard rows > 0, width >= columns, height >= rows else { return nil }
    return (width / columns, height / rows)
  }
}
