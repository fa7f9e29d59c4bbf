/// The values of a curve that belongs to a result, such as the losses of a training.
///
/// No transcript shows them; they are kept beside it for pages that draw them.
package struct ResultCurve: Hashable, Sendable, Codable {
  /// A point of the curve, and the band around it.
  package struct Point: Hashable, Sendable, Codable {
    package let x: Double, y: Double
    package let low: Double, high: Double

    /// A point with numbers rounded to six digits, which is enough for a drawing.
    package init(x: Double, y: Double, low: Double, high: Double) {
      (self.x, self.y) = (Self.rounded(x), Self.rounded(y))
      (self.low, self.high) = (Self.rounded(low), Self.rounded(high))
    }

    private static func rounded(_ value: Double) -> Double {
      Double(NumberFormat.significant(6).string(value)) ?? value
    }
  }

  package let title: String
  /// The name of the quantity: `loss`.
  package let name: String
  /// The names of the axes, with their units.
  package let x: String, y: String
  package let isLogarithmic: Bool
  package let points: [Point]
  /// Values that the curve is compared with, by name.
  package let reference: [String: Double]

  package init(
    title: String, name: String, x: String, y: String, isLogarithmic: Bool = false, points: [Point],
    reference: [String: Double] = [:]
  ) {
    (self.title, self.name, self.x, self.y) = (title, name, x, y)
    (self.isLogarithmic, self.points, self.reference) = (isLogarithmic, points, reference)
  }
}
