package import CT
import Tensors

/// The range of values that a picture shows: a center and a width, in HU or the data's unit.
///
/// The functions are DICOM's. With x the value, c the center, w the width, y runs from 0 to 1:
///
///     LINEAR        y = (x − (c − ½)) / (w − 1) + ½, from x ≤ c − ½ − (w−1)/2 to x > c − ½ + (w−1)/2
///     LINEAR_EXACT  y = (x − c) / w + ½,             from x ≤ c − w/2         to x > c + w/2
///     SIGMOID       y = 1 / (1 + exp(−4 (x − c) / w))
///
/// Source: DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.
package struct Window: Hashable, Sendable {
  /// The VOI LUT Function (0028,1056).
  package typealias Function = CTWindow.Function

  /// The middle of the range.
  package let center: Double
  /// The extent of the range.
  package let width: Double
  package let function: Function
  /// The table that replaces the function; nil if there is none.
  private var table: LookupTable?
  /// Whether low values are bright, as in MONOCHROME1.
  package private(set) var isInverted = false

  /// Creates a window.
  ///
  /// - Throws: `PictureError` when a number is not finite, or the width is below 1 for LINEAR or
  ///   not above 0 for the others, which DICOM does not allow.
  package init(
    center: Double, width: Double, function: Function = .linear
  ) throws(PictureError) {
    guard center.isFinite, width.isFinite else {
      throw PictureError(
        .window, "a window's center and width must be finite numbers",
        hint: "for instance center=-600 width=1500")
    }
    if function == .linear, width < 1 {
      throw PictureError(
        .window, "a window's width must be at least 1, found \(width.shortest)",
        hint: "only the functions LINEAR_EXACT and SIGMOID take widths below 1")
    }
    guard width > 0 else {
      throw PictureError(
        .window, "a window's width must be above 0, found \(width.shortest)",
        hint: "the width is the extent of the values shown")
    }
    self.init(trusted: center, width, function)
  }

  /// The window that shows exactly `range`, its ends black and white; a single value is mid-grey.
  package init(covering range: ClosedRange<Float>) {
    let low = range.lowerBound.isFinite ? Double(range.lowerBound) : 0
    let high = range.upperBound.isFinite ? Double(range.upperBound) : low
    self.init(trusted: (low + high) / 2, high > low ? high - low : 1, .linearExact)
  }

  /// The window that a file proposes; nil when DICOM does not allow its numbers.
  package init?(_ window: CTWindow) {
    switch window.shape {
    case .window(let center, let width, let function):
      guard let own = try? Window(center: center, width: width, function: function) else {
        return nil
      }
      self = own
    case .table(let table):
      let width = Double(table.entries.count)
      self.init(trusted: Double(table.first) + width / 2, width, .linearExact)
      self.table = table
    }
  }

  /// The window with black and white exchanged.
  package var inverted: Window {
    var window = self
    window.isInverted.toggle()
    return window
  }

  private init(trusted center: Double, _ width: Double, _ function: Function = .linear) {
    (self.center, self.width, self.function) = (center, width, function)
  }

  /// The windows with names, in HU.
  package static let presets: [(name: String, window: Window)] = [
    ("lung", .lung), ("mediastinum", .mediastinum), ("bone", .bone), ("brain", .brain),
    ("liver", .liver),
  ]
  package static let lung = Window(trusted: -600, 1500)
  package static let mediastinum = Window(trusted: 40, 400)
  package static let bone = Window(trusted: 480, 2500)
  package static let brain = Window(trusted: 40, 80)
  package static let liver = Window(trusted: 90, 150)

  /// The preset called `name` in upper or lower case; nil if there is none.
  package init?(preset name: String) {
    guard let preset = Window.presets.first(where: { $0.name == name.lowercased() }) else {
      return nil
    }
    self = preset.window
  }

  /// The values of black and white; for SIGMOID, those where its middle tangent meets them.
  package var range: ClosedRange<Double> {
    switch function {
    case .linear: center - 0.5 - (width - 1) / 2...center - 0.5 + (width - 1) / 2
    case .linearExact, .sigmoid: center - width / 2...center + width / 2
    }
  }

  /// The brightness of `value`, in 0…1, before any inversion; NaN for NaN.
  package func brightness(of value: Float) -> Double {
    let x = Double(value)
    guard !x.isNaN else { return .nan }
    if let table { return table.brightness(of: x) }
    switch function {
    case .linear:
      // PS3.3 C.11.2.1.2.1.
      if x <= center - 0.5 - (width - 1) / 2 { return 0 }
      if x > center - 0.5 + (width - 1) / 2 { return 1 }
      return (x - (center - 0.5)) / (width - 1) + 0.5
    case .linearExact:
      // PS3.3 C.11.2.1.3.2.
      if x <= center - width / 2 { return 0 }
      if x > center + width / 2 { return 1 }
      return (x - center) / width + 0.5
    case .sigmoid:
      // PS3.3 C.11.2.1.3.1.
      return 1 / (1 + Double.exp(-4 * (x - center) / width))
    }
  }

  /// The sample for NaN, which is white.
  ///
  /// In most windows, little else inside a body is white, and a broken network shows as a white
  /// slice.
  package static let notANumber: UInt16 = 255

  /// The 8-bit sample of `value`: the nearest to 255·y, or that below 255 if inverted; `notANumber`
  /// for NaN.
  package func sample(of value: Float) -> UInt16 {
    let y = brightness(of: value)
    guard !y.isNaN else { return Window.notANumber }
    let sample = UInt16((255 * y).rounded())
    return isInverted ? 255 - sample : sample
  }

  /// The 8-bit picture of a plane.
  package func picture(of plane: Plane) -> Picture {
    Picture(
      width: plane.width, height: plane.height, samples: plane.values.map { sample(of: $0) })
  }
}

extension Window: CustomStringConvertible {
  /// The center, the width, and the function unless it is LINEAR: `center -600 width 1500`.
  package var description: String {
    if let table { return "table from \(table.first) of \(table.entries.count) entries" }
    let numbers = "center \(center.shortest) width \(width.shortest)"
    return function == .linear ? numbers : "\(numbers) \(function.rawValue.lowercased())"
  }

  /// The name of the preset that equals this window; nil if none does.
  package var presetName: String? {
    let upright = isInverted ? inverted : self
    return Window.presets.first { $0.window == upright }?.name
  }
}
