import Foundation
import Tensors
import Testing
import Tomography

struct `Phase correlation` {
  /// A few bumps on a plane of unequal sides, moved by a shift, with noise of its own.
  private static func image(_ rows: Double, _ columns: Double, _ name: String) -> [Float] {
    let stream = RandomStream(seed: 4, name: name)
    return (0..<60 * 72).map { place in
      let y = Double(place / 72) - rows, x = Double(place % 72) - columns
      func bump(_ cy: Double, _ cx: Double, _ width: Double) -> Double {
        exp(-((y - cy) * (y - cy) + (x - cx) * (x - cx)) / (2 * width * width))
      }
      let value = bump(25, 30, 4) + 0.8 * bump(35, 45, 3) - 0.5 * bump(30, 22, 2.5)
      return Float(value + 0.02 * stream.normal(at: place))
    }
  }

  @Test(arguments: [(0.0, 0.0), (3, -2), (-5.4, 4.3), (0.3, 7)])
  func `a shift is found to half a pixel, whatever the noise`(
    _ rows: Double, _ columns: Double
  ) throws {
    var correlation = PhaseCorrelation(rows: 60, columns: 72)
    for pair in 0..<3 {
      correlation.add(
        Self.image(0, 0, "one\(pair)"), Self.image(rows, columns, "other\(pair)"))
    }
    let shift = try #require(correlation.shift())
    #expect(abs(shift.rows - rows) < 0.5 && abs(shift.columns - columns) < 0.5)
    #expect(shift.peak > 0.15 && shift.significance > 6)
  }

  @Test func `images that share nothing have no peak, and empty ones no shift`() throws {
    let stream = RandomStream(seed: 4, name: "noise")
    let noise = (0..<60 * 72).map { Float(stream.normal(at: $0)) }
    var correlation = PhaseCorrelation(rows: 60, columns: 72)
    correlation.add(Self.image(0, 0, "one"), noise)
    #expect(try #require(correlation.shift()).significance < 6)
    var empty = PhaseCorrelation(rows: 60, columns: 72)
    empty.add([Float](repeating: 1, count: 60 * 72), [Float](repeating: 2, count: 60 * 72))
    #expect(empty.shift() == nil)
  }
}
