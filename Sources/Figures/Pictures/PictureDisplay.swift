/// The person's choice of how a terminal shows pictures.
package enum PictureDisplay: String, CaseIterable, Codable, Hashable, Sendable {
  /// The best way that the terminal supports.
  case auto
  case kitty
  case iterm2
  case sixel
  case halfBlock = "half-block"
  case braille
  case off

  /// The chosen way; nil if the terminal decides or pictures are off.
  package var graphics: TerminalGraphics? { TerminalGraphics(rawValue: rawValue) }
}

/// The way in which a terminal shows pictures, and the reason for it.
package struct GraphicsChoice: Hashable, Sendable {
  /// The way; nil when no pictures are shown.
  package let graphics: TerminalGraphics?
  package let reason: String
  /// Whether it has 24-bit colors, not only a palette of 256.
  package let hasFullColor: Bool

  /// Chooses a way.
  ///
  /// - Parameters:
  ///   - display: The person's choice.
  ///   - environment: The variables that terminals set.
  ///   - answersKitty: Whether the terminal answered that it supports kitty's protocol.
  ///   - answersSixel: Whether it answered that it supports sixels.
  package init(
    _ display: PictureDisplay, environment: [String: String], answersKitty: Bool,
    answersSixel: Bool
  ) {
    func has(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } ?? false }
    let terminal = environment["TERM"] ?? ""
    let color = environment["COLORTERM"] ?? ""
    hasFullColor =
      ["truecolor", "24bit"].contains(color) || terminal.hasSuffix("-direct")
      || terminal == "xterm-kitty"
    // tmux or screen may support less than the terminal behind it.
    let isInside =
      has("TMUX") || has("STY") || terminal.hasPrefix("tmux") || terminal.hasPrefix("screen")
    let isITerm =
      environment["TERM_PROGRAM"] == "iTerm.app" || environment["LC_TERMINAL"] == "iTerm2"
    (graphics, reason) =
      if let wish = display.graphics {
        (wish, "set pictures=\(display.rawValue)")
      } else if display == .off {
        (nil, "set pictures=off")
      } else if has("NO_COLOR") {
        (.braille, "NO_COLOR asks for no codes")
      } else if isITerm, !isInside {
        (.iterm2, "the environment names iTerm2")
      } else if answersKitty {
        (.kitty, "the terminal says that it has kitty's graphics")
      } else if answersSixel {
        (.sixel, "the terminal says that it has sixels")
      } else if !isInside, let named = Self.named(by: environment) {
        (named.graphics, "the environment names \(named.name)")
      } else if hasFullColor {
        (.halfBlock, "24-bit colors, and no answer that names graphics")
      } else if terminal.contains("256color") {
        (.halfBlock, "256 colors, and no answer that names graphics")
      } else {
        (.braille, "TERM=\(terminal) names too few colors for greys")
      }
  }

  /// The terminal that the environment names, for when it was not asked or has not answered; nil if
  /// unknown.
  private static func named(
    by environment: [String: String]
  ) -> (graphics: TerminalGraphics, name: String)? {
    switch (environment["TERM_PROGRAM"] ?? "", environment["TERM"] ?? "") {
    case ("WezTerm", _): (.iterm2, "WezTerm")
    case (_, "xterm-kitty"): (.kitty, "kitty")
    case (_, "xterm-ghostty"): (.kitty, "Ghostty")
    case (_, let terminal) where terminal == "foot" || terminal.hasPrefix("foot-"):
      (.sixel, "foot")
    default: nil
    }
  }
}
