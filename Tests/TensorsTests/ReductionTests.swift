import Tensors
import TestSupport
import Testing

@Suite struct ReductionTests {
  /// A sum is that of its parts, each from left to right: no other order of the same numbers gives
  /// these bits.
  @Test(arguments: [1, 40, 70, 100, 131, 200])
  func `sums have one order, whatever goes side by side`(rows: Int) {
    let stream = RandomStream(seed: 3, name: "sums")
    let tensor = Tensor<Float>(shape: [1, 1, rows, 1009]) { stream.fillNormals($0) }
    let map = FeatureMap(tensor)
    let parts = max(1, tensor.shape.count / 32768)
    func sum(_ function: (Double) -> Double) -> Double {
      (0..<parts).map { part in
        range(ofChunk: part, of: parts, count: tensor.shape.count)
          .reduce(0.0) { $0 + function(Double(tensor.scalars[$1])) }
      }.reduce(0, +)
    }
    #expect(map.total() == sum { $0 })
    #expect(map.sumOfSquares() == sum { $0 * $0 })
    #expect(map.sumOfMagnitudes() == sum { abs($0) })
  }

  @Test(arguments: [1, 7, 8, 16, 33])
  func `steps divided by their magnitude are rounded after each operation`(count: Int) {
    let stream = RandomStream(seed: 4, name: "roots")
    let x = Tensor<Float>(shape: [count]) { stream.fillNormals($0) }
    let y = Tensor<Float>(shape: [count], scalars: x.scalars.map { $0 * $0 * 3 })
    let expected = zip(x.scalars, y.scalars).map { x, y in
      -0.01 * (x / 0.3) / ((y / 0.7).squareRoot() + 1e-3)
    }
    for set in InstructionSet.available {
      let found = InstructionSet.$current.withValue(set) {
        x.overRoots(of: y, times: -0.01, epsilon: 1e-3, corrections: (0.3, 0.7))
      }
      #expect(found.scalars == expected, "\(set)")
    }
  }

  @Test(arguments: [1, 8, 31])
  func `a tensor is finite only if each of its numbers is`(count: Int) {
    let finite = Tensor<Float>(shape: [count], repeating: .greatestFiniteMagnitude)
    #expect(finite.isFinite())
    for place in [0, count / 2, count - 1] {
      for bad in [Float.nan, .infinity, -.infinity] {
        var tensor = finite
        tensor.scalars[place] = bad
        #expect(!tensor.isFinite())
      }
    }
  }
}
