import CKernels
import Tensors

/// All rays of a scan as the kernels read them.
struct RayTable: Sendable {
  /// Neighboring rays of one view that all cross rows, or all cross columns.
  struct Run: Sendable {
    /// Their numbers, counted view by view.
    let rays: Range<Int>
    let crossesColumns: Bool
  }

  private let start: [Float], slope: [Float], length: [Float]
  let runs: [Run]

  init(_ rays: Rays) {
    let (views, detectors) = (rays.scan.views, rays.scan.detectors)
    var turns = [Bool](repeating: false, count: rays.count)
    var slopes: [Float] = [], lengths: [Float] = []
    start =
      Tensor<Float>(shape: [rays.count]) { start in
        slopes =
          Tensor<Float>(shape: [rays.count]) { slope in
            lengths =
              Tensor<Float>(shape: [rays.count]) { length in
                turns.withUnsafeMutableBufferPointer { turns in
                  // Each view writes to places of its own.
                  nonisolated(unsafe) let (start, slope, length, turns) = (
                    start, slope, length, turns
                  )
                  parallel(chunks: views) { view, _ in
                    for index in view * detectors..<(view + 1) * detectors {
                      let ray = rays.ray(index)
                      start[index] = Float(ray.start)
                      slope[index] = Float(ray.slope)
                      length[index] = Float(ray.length)
                      turns[index] = ray.crossesColumns
                    }
                  }
                }
              }.scalars
          }.scalars
      }.scalars
    (slope, length) = (slopes, lengths)
    runs = (0..<views).flatMap { view in
      Self.runs(turns, view * detectors..<(view + 1) * detectors)
    }
  }

  private static func runs(_ turns: [Bool], _ view: Range<Int>) -> [Run] {
    var runs: [Run] = []
    var first = view.lowerBound
    for index in view.dropFirst() where turns[index] != turns[first] {
      runs.append(Run(rays: first..<index, crossesColumns: turns[first]))
      first = index
    }
    runs.append(Run(rays: first..<view.upperBound, crossesColumns: turns[first]))
    return runs
  }

  /// Calls `body` with the rays of a run.
  func withRays(_ run: Run, _ body: (UnsafePointer<ck_rays>) -> Void) {
    start.withUnsafeBufferPointer { start in
      slope.withUnsafeBufferPointer { slope in
        length.withUnsafeBufferPointer { length in
          guard let start = start.baseAddress, let slope = slope.baseAddress,
            let length = length.baseAddress
          else { return }
          let first = run.rays.lowerBound
          var rays = ck_rays(
            start: start + first, slope: slope + first, length: length + first,
            count: run.rays.count)
          withUnsafePointer(to: &rays, body)
        }
      }
    }
  }
}
