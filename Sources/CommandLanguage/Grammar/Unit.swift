/// A unit that may follow a number.
package enum Unit: String, CaseIterable, Sendable {
  case hounsfield = "HU"
  case percent = "%"
  case decibel = "dB"
  case millimetre = "mm"
  case pixel = "px"
  case millisecond = "ms"
  case second = "s"
  case minute = "min"
  case hour = "h"
  case byte = "B"
  case kibibyte = "KiB"
  case mebibyte = "MiB"
  case gibibyte = "GiB"

  /// The factor to the base unit: seconds, bytes, a fraction of one.
  package var scale: Double {
    switch self {
    case .hounsfield, .decibel, .millimetre, .pixel, .second, .byte: 1
    case .percent: 0.01
    case .millisecond: 0.001
    case .minute: 60
    case .hour: 3600
    case .kibibyte: 1024
    case .mebibyte: 1_048_576
    case .gibibyte: 1_073_741_824
    }
  }

  /// The unit that `text` names; case does not matter.
  package init?(named text: String) {
    let wanted = text.lowercased()
    guard let unit = Unit.allCases.first(where: { $0.rawValue.lowercased() == wanted }) else {
      return nil
    }
    self = unit
  }

  package static let durations: [Unit] = [.second, .minute, .hour, .millisecond]
  package static let sizes: [Unit] = [.gibibyte, .mebibyte, .kibibyte, .byte]
}

/// A number as typed, with its unit.
package struct Quantity: Hashable, Sendable {
  /// The number in the base unit: seconds, bytes, a fraction of one for percent.
  package let value: Double
  /// The unit that was typed, or nil for a bare number.
  package let unit: Unit?

  package init(_ value: Double, _ unit: Unit? = nil) {
    self.value = value
    self.unit = unit
  }
}

/// The interval of numbers that a parameter allows.
package struct Bounds: Hashable, Sendable {
  package var lower: Double
  package var upper: Double
  package var includesLower: Bool

  package static let any = Bounds(
    lower: -.infinity, upper: .infinity, includesLower: false)
  package static let positive = Bounds(lower: 0, upper: .infinity, includesLower: false)

  /// The numbers from `lower` on, `lower` included.
  package static func atLeast(_ lower: Double) -> Bounds {
    Bounds(lower: lower, upper: .infinity, includesLower: true)
  }

  /// The numbers above `lower` up to `upper`, `upper` included.
  package static func above(_ lower: Double, upTo upper: Double) -> Bounds {
    Bounds(lower: lower, upper: upper, includesLower: false)
  }

  /// The numbers from `lower` to `upper`, both included.
  package static func between(_ lower: Double, _ upper: Double) -> Bounds {
    Bounds(lower: lower, upper: upper, includesLower: true)
  }

  /// Whether `value` is finite and allowed.
  package func contains(_ value: Double) -> Bool {
    value.isFinite && value <= upper && (includesLower ? value >= lower : value > lower)
  }

  /// An allowed number: 1 where possible.
  var example: Double {
    if contains(1) { return 1 }
    return upper.isFinite ? upper : lower + 1
  }

  /// The bounds in words, or nil when every number is allowed.
  package var words: String? {
    func text(_ value: Double) -> String { NumberFormat.shortest.string(value) }
    switch (lower.isFinite, upper.isFinite) {
    case (false, false): return nil
    case (true, false): return includesLower ? "at least \(text(lower))" : "above \(text(lower))"
    case (false, true): return "at most \(text(upper))"
    case (true, true):
      return includesLower
        ? "\(text(lower)) to \(text(upper))" : "above \(text(lower)), at most \(text(upper))"
    }
  }
}
