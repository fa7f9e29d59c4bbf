import Tensors

/// The number of rows that an image has for each row of another: 1/2 behind a pool of size 2.
package struct Scaling: Hashable, Sendable, CustomStringConvertible {
  package let numerator: Int, denominator: Int

  package static let one = Scaling(1, over: 1)

  package init(_ numerator: Int, over denominator: Int) {
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    (self.numerator, self.denominator) = (numerator / a, denominator / a)
  }

  package static func * (left: Scaling, right: Scaling) -> Scaling {
    Scaling(
      left.numerator * right.numerator, over: left.denominator * right.denominator)
  }

  package var value: Double { Double(numerator) / Double(denominator) }

  /// Such as `1/2`, or `2`.
  package var description: String {
    denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)"
  }
}

extension ConvolutionGeometry {
  /// The scale of the output, borders apart.
  var scaling: Scaling { isTransposed ? Scaling(stride, over: 1) : Scaling(1, over: stride) }
}

/// The square of input pixels that one pixel of a layer depends on, borders and norms apart.
package struct ReceptiveField: Hashable, Sendable {
  /// The side of the square.
  package var side = 1
  /// The scale of the layer's image.
  package var scaling = Scaling.one

  package init() {}

  /// Returns the field behind a layer that reads `growth` pixels more than one and scales its image.
  func behind(growth: Int, _ scaling: Scaling) -> ReceptiveField {
    var field = self
    field.side += Int((Double(growth) / self.scaling.value).rounded(.up))
    field.scaling = self.scaling * scaling
    return field
  }

  /// Returns the larger of two fields.
  func joined(_ other: ReceptiveField) -> ReceptiveField {
    var field = self
    field.side = max(side, other.side)
    return field
  }
}
