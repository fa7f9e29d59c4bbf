import CEdit
import Foundation

/// How large a terminal is, in characters.
package struct TerminalSize: Hashable, Sendable {
  package let rows: Int
  package let columns: Int
  private let width: Int
  private let height: Int

  /// The size of the terminal behind `descriptor` now; 24 × 80 when nobody knows.
  package init(of descriptor: Int32 = STDOUT_FILENO) {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      (rows, columns, width, height) = (24, 80, 0, 0)
      return
    }
    (rows, columns) = (Int(size.ws_row), Int(size.ws_col))
    (width, height) = (Int(size.ws_xpixel), Int(size.ws_ypixel))
  }

  /// Whether somebody sees what is drawn on `descriptor`: a terminal that does more than print.
  package static func canDraw(on descriptor: Int32 = STDOUT_FILENO) -> Bool {
    isatty(descriptor) == 1 && kindDraws
  }

  /// Whether `TERM` names a terminal that is known and takes the usual codes; any other is a dumb one.
  ///
  /// The system may lack the entry of a terminal whose family it knows, as of `xterm-kitty`, or that of
  /// a newer one, as of `foot`.
  private static let kindDraws: Bool = {
    let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
    guard let family = kind.split(separator: "-").first.map(String.init) else { return false }
    let isKnown: (String) -> Bool = { cedit_knows_terminal($0) == 1 }
    return isKnown(kind) || isKnown(family) || family == "foot"
  }()

  /// How large a character is, in pixels, if the terminal told the system.
  package var cell: (width: Int, height: Int)? {
    guard rows > 0, width >= columns, height >= rows else { return nil }
    return (width / columns, height / rows)
  }
}
