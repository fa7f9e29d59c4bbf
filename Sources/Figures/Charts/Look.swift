/// Colors and sizes that all drawings share.
package enum Look {
  package static let text = RGB(0x333333)
  package static let faint = RGB(0x6B6B6B)
  package static let grid = RGB(0xE4E4E4)
  package static let axis = RGB(0x8A8A8A)

  /// The sizes of text in pixels.
  package static let textSize = 13.0, titleSize = 18.0, smallSize = 12.0

  /// The distance of all marks from the edge.
  package static let margin = 20.0
  /// The width of drawings that do not choose their own.
  package static let width = 900
}
