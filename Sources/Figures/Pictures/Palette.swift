/// Colors that people with any color vision can tell apart.
package enum Palette {
  /// Returns the color of series `index`; after the last, colors repeat.
  ///
  /// Source: M. Okabe and K. Ito, "Color universal design" (2008), without the yellow, which is too
  /// light for a line on white.
  package static func series(_ index: Int) -> RGB { colors[index % colors.count] }

  /// The number of series with different colors.
  package static var count: Int { colors.count }

  package static let blue = RGB(0x0072B2)
  package static let vermillion = RGB(0xD55E00)
  package static let green = RGB(0x009E73)
  package static let purple = RGB(0xCC79A7)
  package static let orange = RGB(0xE69F00)
  package static let sky = RGB(0x56B4E9)

  private static let colors = [blue, vermillion, green, purple, orange, sky, RGB(0x222222)]

  /// The color of NaN on a ramp.
  package static let notANumber = purple
}

/// Colors for the numbers of a plane, from the lowest to the highest.
package struct ColorRamp: Hashable, Sendable {
  /// The colors at even distances; those between two are mixed.
  private let anchors: [RGB]

  /// The ramp for signed numbers: blue below zero, white at zero, vermillion above.
  package static let diverging = ColorRamp(
    anchors: [0x00395C, 0x0072B2, 0x7CBCE0, 0xF7F7F7, 0xF2A973, 0xD55E00, 0x6E2A00].map(RGB.init))

  /// The ramp for numbers of one sign: dark to bright, even in lightness.
  ///
  /// Source: matplotlib's "viridis" by S. van der Walt and N. Smith (CC0), nine of its colors.
  package static let sequential = ColorRamp(
    anchors: [
      0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725,
    ].map(RGB.init))

  private init(anchors: [RGB]) { self.anchors = anchors }

  /// The color at the fraction `part` of the ramp, 0 to 1; beyond, that of the nearer end.
  package func color(at part: Double) -> RGB {
    guard !part.isNaN else { return Palette.notANumber }
    let place = min(max(part, 0), 1) * Double(anchors.count - 1)
    let below = min(Int(place), anchors.count - 2)
    return anchors[below].mixed(with: anchors[below + 1], place - Double(below))
  }
}
