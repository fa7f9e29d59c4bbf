import Foundation
package import Tensors

/// The filter along the detector of a filtered back-projection: a ramp, with or without a window.
///
/// The ramp is the one of a band-limited line of samples, whose distance is τ, in space:
///
///     parallel, flat   h(0) = 1/(4τ²),  h(n) = −1/(π·n·τ)² for odd n, 0 for even n
///     arc              h(0) = 1/(4α²),  h(n) = −1/(π·sin(n·α))² for odd n, 0 for even n
///
/// Rows are filled with zeros to more than twice their length, so that no end meets the other. In the
/// spectrum the windows are, with ν from 0 to 1 at the highest frequency:
///
///     ramp 1 · shepp-logan sin(πν/2)/(πν/2) · cosine cos(πν/2) · hann (1 + cos πν)/2
///
/// The filter is symmetric, so it is its own adjoint.
///
/// Source: Kak and Slaney (1988), equations 3.29 and 3.99; Shepp and Logan (1974).
package struct RampFilter: Sendable {
  package enum Window: String, CaseIterable, Hashable, Sendable, Codable {
    case ramp
    case sheppLogan = "shepp-logan"
    case cosine
    case hann

    /// Returns the factor at the part `frequency` of the highest frequency.
    func factor(at frequency: Double) -> Double {
      let x = .pi * frequency / 2
      return switch self {
      case .ramp: 1
      case .sheppLogan: x == 0 ? 1 : sin(x) / x
      case .cosine: cos(x)
      case .hann: (1 + cos(2 * x)) / 2
      }
    }
  }

  private let transform: FourierTransform
  private let count: Int
  /// The factor of each frequency, with 1/length in it.
  private let response: [Double]

  init(_ scan: ScanGeometry, _ window: Window) {
    count = scan.detectors
    let kernel = Self.kernel(scan)
    let transform = FourierTransform(length: FourierTransform.quickLength(atLeast: 2 * count))
    let room = transform.room()
    room.row.update(repeating: 0, count: transform.length)
    for n in 0..<count {
      room.row[n] = kernel[n]
      if n > 0 { room.row[transform.length - n] = kernel[n] }
    }
    transform.transform(room)
    let half = Double(transform.length / 2)
    response = (0..<transform.frequencies).map {
      room.spectrum[$0].0 * window.factor(at: Double($0) / half) / Double(transform.length)
    }
    self.transform = transform
  }

  /// The ramp at the distances 0, 1, 2, … elements, with the distance of samples τ or α in it.
  private static func kernel(_ scan: ScanGeometry) -> [Double] {
    let distance =
      switch scan.beam {
      case .parallel: scan.pitch
      case .flat: scan.pitchAtCenter
      case .arc: 1 / scan.scale
      }
    return (0..<scan.detectors).map { n in
      guard n > 0 else { return 1 / (4 * distance) }
      guard n % 2 == 1 else { return 0 }
      let reach = scan.beam == .arc ? sin(Double(n) * distance) : Double(n) * distance
      return -distance / (.pi * .pi * reach * reach)
    }
  }

  /// Returns the factors with which an element counts in the filtered ones 0, 1, 2, … elements away.
  func weights() -> [Double] {
    let room = transform.room()
    for k in response.indices { room.spectrum[k] = (response[k], 0) }
    transform.transformBack(room)
    return (0..<count).map { room.row[$0] }
  }

  /// Returns each row of a sinogram, filtered.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func apply<Element: Scalar>(_ rows: [Element]) -> [Element] {
    precondition(rows.count % count == 0, "A sinogram has whole rows.")
    let group = 16
    let views = rows.count / count
    return Tensor<Element>(shape: [rows.count]) { filtered in
      rows.withUnsafeBufferPointer { rows in
        parallel(chunks: (views + group - 1) / group) { chunk, _ in
          let room = transform.room()
          for view in chunk * group..<min(views, (chunk + 1) * group) {
            for i in 0..<count { room.row[i] = Double(rows[view * count + i]) }
            (room.row + count).update(repeating: 0, count: transform.length - count)
            transform.transform(room)
            for k in 0..<response.count {
              room.spectrum[k].0 *= response[k]
              room.spectrum[k].1 *= response[k]
            }
            transform.transformBack(room)
            for i in 0..<count { filtered[view * count + i] = Element(room.row[i]) }
          }
        }
      }
    }.scalars
  }
}
