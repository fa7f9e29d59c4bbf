// The terms behind one number of a sinogram, of an image, and of their gradients.

/// A place in an image or a sinogram, and the factor with which it counts.
package struct ScanTerm: Sendable {
  /// The row and column of a pixel, or the view and element of a ray.
  package let row: Int, column: Int
  package let factor: Double
}

extension Projector {
  /// Returns the pixels of a line integral, with the length on which the ray counts each, in mm.
  package func terms(ofView view: Int, element: Int) -> [ScanTerm] {
    rays.ray(view * scan.detectors + element).crossings(grid).map {
      ScanTerm(row: $0.row, column: $0.column, factor: $0.length)
    }
  }

  /// Returns the rays that count a pixel, with the length of each there, in mm.
  package func terms(ofRow row: Int, column: Int) -> [ScanTerm] {
    (0..<rays.count).compactMap { index in
      let length = rays.ray(index).length(atRow: row, column: column)
      return length == 0
        ? nil
        : ScanTerm(row: index / scan.detectors, column: index % scan.detectors, factor: length)
    }
  }
}

extension FilteredBackProjection {
  /// The value that one view adds to a pixel.
  package struct ViewTerm: Sendable {
    package let view: Int
    /// The place at the detector, in elements.
    package let place: Double
    /// The filtered value there.
    package let value: Double
    /// The weight of the view at the pixel, in mm⁻¹ for each unit of the value.
    package let weight: Double
  }

  /// Returns what each view adds to a pixel of the image of `sinogram`; nothing outside of the circle.
  package func terms(ofRow row: Int, column: Int, _ sinogram: [Float]) -> [ViewTerm] {
    guard sums.columns[row].contains(column) else { return [] }
    let rows = filtered(sinogram)
    return (0..<scan.views).map { view in
      let sight = sums.sight(ofRow: row, column: column, in: view)
      let value = sums.elements(beside: sight.place).reduce(0.0) {
        $0 + $1.share * Double(rows[view * scan.detectors + $1.element])
      }
      return ViewTerm(view: view, place: sight.place, value: value, weight: sight.weight * share)
    }
  }

  /// Returns the pixels' gradients that reach element `element` of a view, summed at each element of the
  /// view, with the factor with which the filter hands them on.
  package func adjointTerms(
    ofView view: Int, element: Int, _ image: [Float]
  ) -> [(element: Int, value: Double, factor: Double)] {
    let scattered = sums.scatter(image)
    let own = Double(rayWeights[view * scan.detectors + element])
    let response = filter.weights()
    return (0..<scan.detectors).map { other in
      (
        other, share * Double(scattered[view * scan.detectors + other]),
        own * response[abs(other - element)]
      )
    }
  }
}
