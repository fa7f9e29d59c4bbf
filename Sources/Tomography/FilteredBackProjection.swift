import Foundation
package import Tensors

/// Filtered back-projection: an image of a sinogram; and its exact adjoint.
///
///     f = s · B · F · W · p            p̄ = W · F · Bᵀ · s · f̄
///
/// W multiplies each ray by cos γ in a fan and, in a short scan of a fan, by Parker's weight; F filters
/// along the detector (``RampFilter``); B is the weighted sum over views (``BackProjector``); s holds the
/// angle between views, and ½ where each line is measured twice. The result is in mm⁻¹.
///
/// Source: Kak and Slaney (1988), sections 3.3 and 3.4; Parker, "Optimal short scan convolution
/// reconstruction for fanbeam CT" (1982).
package struct FilteredBackProjection: Sendable {
  package let scan: ScanGeometry
  package let grid: ImageGrid
  package let window: RampFilter.Window
  let filter: RampFilter
  let sums: BackProjector
  /// The factor of each ray before the filter.
  let rayWeights: [Float]

  package init(_ scan: ScanGeometry, _ grid: ImageGrid, _ window: RampFilter.Window) {
    (self.scan, self.grid, self.window) = (scan, grid, window)
    filter = RampFilter(scan, window)
    sums = BackProjector(scan, grid)
    rayWeights = (0..<scan.views).flatMap { view in
      (0..<scan.detectors).map { Float(Self.weight(scan, view: view, element: $0)) }
    }
  }

  /// s, the factor of the sum over views.
  var share: Double {
    let once = scan.step * (scan.coverage == .full ? 0.5 : 1)
    // On the arc, the filter is over angles, and the weight D²/L² has one D too many.
    return scan.beam == .arc ? once / scan.sourceToCenter : once
  }

  private static func weight(_ scan: ScanGeometry, view: Int, element: Int) -> Double {
    guard scan.beam != .parallel else { return 1 }
    let gamma = scan.fanAngle(of: element)
    guard scan.coverage == .short else { return cos(gamma) }
    return cos(gamma) * parker(beta: scan.angle(of: view), gamma: gamma, half: scan.halfFan)
  }

  /// Parker's weight, for views β in 0…π + 2Γ of a fan from −Γ to Γ: those of the two rays along one
  /// line, (β, γ) and (β + π − 2γ, −γ), sum to 1.
  static func parker(beta: Double, gamma: Double, half: Double) -> Double {
    let angle: Double
    if beta < 2 * (half + gamma) {
      angle = .pi / 4 * beta / (half + gamma)
    } else if beta > .pi + 2 * gamma {
      angle = .pi / 4 * (.pi + 2 * half - beta) / (half - gamma)
    } else {
      return 1
    }
    return sin(angle) * sin(angle)
  }

  /// Returns the image, [rows, columns] in mm⁻¹; 0 outside of the circle that every view sees.
  package func reconstruct<Element: Scalar>(_ sinogram: [Element]) -> [Element] {
    scaled(sums.sum(filtered(sinogram)), by: share)
  }

  /// Returns the sinogram that the adjoint of ``reconstruct(_:)`` gives.
  package func adjoint<Element: Scalar>(_ image: [Element]) -> [Element] {
    weighted(filter.apply(sums.scatter(scaled(image, by: share))))
  }

  /// Returns what is summed over views.
  func filtered<Element: Scalar>(_ sinogram: [Element]) -> [Element] {
    filter.apply(weighted(sinogram))
  }

  private func weighted<Element: Scalar>(_ rays: [Element]) -> [Element] {
    precondition(rays.count == rayWeights.count, "A sinogram has the rays of its scan.")
    if let rays = rays as? [Float] {
      return Tensor<Float>(shape: [rays.count]) { result in
        for i in rays.indices { result[i] = rays[i] * rayWeights[i] }
      }.scalars as? [Element] ?? []
    }
    return rays.indices.map { rays[$0] * Element(rayWeights[$0]) }
  }

  private func scaled<Element: Scalar>(_ image: [Element], by factor: Double) -> [Element] {
    if let image = image as? [Float] {
      return image.map { $0 * Float(factor) } as? [Element] ?? []
    }
    return image.map { $0 * Element(factor) }
  }
}
