import CommandLanguage
import Tomography

/// The parameters that say how a slice is scanned, which several commands share.
enum ScanOptions {
  static let beam = Parameter.key(
    "beam", .choice(["fan", "parallel"]), "rays from a point, or side by side",
    default: .value("fan"))
  static let detector = Parameter.key(
    "detector", .choice(["arc", "flat"]), "the form of a fan's detector", default: .value("arc"))
  static let scan = Parameter.key(
    "scan", .choice(["full", "short"]),
    "a full turn, or half a turn and the fan's angle",
    default: .absent("full for a fan, short for parallel rays"))
  static let views = Parameter.key(
    "views", .integer(2...5000), "projections", default: .value("\(ScanChoice.usualViews)"))
  static let detectors = Parameter.key(
    "detectors", .integer(2...4096), "detector elements in a projection",
    default: .absent("rays half a pixel apart, in a fan \(ScanChoice.mostElements) at most"))
  static let filter = Parameter.key(
    "filter", .choice(RampFilter.Window.allCases.map(\.rawValue)),
    "the window on the ramp of the reconstruction", default: .value("ramp"))
  static let water = Parameter.key(
    "water", .number(.above(0, upTo: 1)), "attenuation of water in mm⁻¹",
    default: .value("0.0192"))
  static let pixel = Parameter.key(
    "pixel", .number(units: [.millimetre], .above(0, upTo: 100)),
    "the distance of pixels in mm, where the slices do not tell it", default: .value("0.7"))

  static let all = [beam, detector, scan, views, detectors, water, pixel]

  /// A sentence on the scan for the help of a command.
  static let help = """
    The scan has the distances of the file's scanner where the file tells them (Distance Source to \
    Detector, to Patient, Data Collection Diameter), else 746.02 mm from source to center and \
    1361.2 mm from source to detector with a field of 654 mm. The center of the image is the center \
    of rotation. HU become attenuation by μ = water·(1 + HU/1000), below −1000 HU that of air.
    """
}

extension Arguments {
  /// The scan that the arguments choose, with another number of views where one is given.
  func scanChoice(views: Int? = nil) throws(CommandError) -> ScanChoice {
    var choice = ScanChoice()
    if try self.choice("beam") == "parallel" {
      choice.beam = .parallel
      guard !has("detector") else {
        throw error(
          at: "detector", .wrongValue, "parallel rays have no arc", hint: "leave detector= out")
      }
    } else {
      choice.beam = try self.choice("detector") == "flat" ? .flat : .arc
    }
    if let scan = choiceIfGiven("scan") { choice.coverage = scan == "full" ? .full : .short }
    if let views {
      choice.views = views
    } else {
      choice.views = try integer("views")
      choice.detectors = integerIfGiven("detectors")
    }
    return choice
  }

  func attenuation() throws(CommandError) -> Attenuation {
    Attenuation(water: try number("water").value)
  }

  func filterWindow() throws(CommandError) -> RampFilter.Window {
    RampFilter.Window(rawValue: try choice("filter")) ?? .ramp
  }

  /// The distance of pixels where slices do not tell it, in mm.
  func pixelDistance() throws(CommandError) -> Double { try number("pixel").value }
}

extension ScanGeometry {
  /// `fan` or `parallel`, as it is typed.
  var beamWord: String { beam == .parallel ? "parallel" : "fan" }

  /// `fan beam on an arc · 1160 views over 360° · 896 elements of 1.39 mm (0.76 mm at the center)`.
  var line: OutputLine {
    let kind =
      switch beam {
      case .parallel: "parallel beam"
      case .flat: "fan beam on a flat detector"
      case .arc: "fan beam on an arc"
      }
    let center: OutputLine =
      beam == .parallel ? "" : " (\(pitchAtCenter, digits: 2) mm at the center)"
    return """
      \(kind) · \(views) views over \(span * 180 / .pi, digits: 0)° · \(detectors) elements of \
      \(pitch, digits: 2) mm\(center)
      """
  }

  /// The fields of a result that tell the scan.
  var json: JSONValue {
    [
      "beam": .string(beamWord), "views": .integer(views), "detectors": .integer(detectors),
      "pitch_mm": .number(pitch), "span_degrees": .number(span * 180 / .pi),
      "source_to_center_mm": beam == .parallel ? .null : .number(sourceToCenter),
      "source_to_detector_mm": beam == .parallel ? .null : .number(sourceToDetector),
      "field_radius_mm": .number(fieldRadius),
    ]
  }
}
