/// An sRGB color: red, green and blue, gamma-coded.
package struct RGB: Hashable, Sendable {
  package let red: UInt8, green: UInt8, blue: UInt8

  /// Makes a color from `0xRRGGBB`.
  package init(_ code: UInt32) {
    red = UInt8(truncatingIfNeeded: code >> 16)
    green = UInt8(truncatingIfNeeded: code >> 8)
    blue = UInt8(truncatingIfNeeded: code)
  }

  private init(red: UInt8, green: UInt8, blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  package static let white = RGB(0xFFFFFF)
  package static let black = RGB(0x000000)

  /// The mixture of this color and the fraction `part` of `other`.
  package func mixed(with other: RGB, _ part: Double) -> RGB {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Double(a) + (Double(b) - Double(a)) * min(max(part, 0), 1)).rounded())
    }
    return RGB(
      red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
  }

  /// The apparent brightness, 0 to 1, by the weights of BT.709 on the coded values.
  package var luma: Double {
    (0.2126 * Double(red) + 0.7152 * Double(green) + 0.0722 * Double(blue)) / 255
  }

  /// The color in SVG, `#RRGGBB`.
  var code: String {
    "#"
      + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
      .joined()
  }
}
