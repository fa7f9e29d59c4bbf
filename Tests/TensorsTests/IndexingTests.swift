import Tensors
import Testing

struct IndexingTests {
  private let tensor = Tensor<Float>(shape: [2, 3, 4], scalars: (0..<24).map(Float.init))

  @Test func `a position drops its axis and a range keeps it`() throws {
    #expect(try tensor.part([.position(1), .position(2), .position(3)]).shape == [])
    #expect(try tensor.part([.position(1), .position(2), .position(3)]).scalars == [23])
    let part = try tensor.part([.position(1), .range(lower: 0, upper: 2)])
    #expect(part.shape == [2, 4])
    #expect(part.scalars == (12..<20).map(Float.init))
    let column = try tensor.part([
      .range(lower: nil, upper: nil), .range(lower: 1, upper: nil), .position(0),
    ])
    #expect(column.shape == [2, 2])
    #expect(column.scalars == [4, 8, 16, 20])
  }

  @Test(arguments: [
    [IndexEntry.position(2)], [.position(-1)], [.range(lower: 1, upper: 1)],
    [.range(lower: 0, upper: 3)],
    [.position(0), .position(0), .position(0), .position(0)],
  ])
  func `an index outside the tensor is an error`(_ entries: [IndexEntry]) {
    #expect(throws: TensorError.self) { try tensor.part(entries) }
  }

  @Test func `statistics leave NaN, infinity and masked numbers out`() {
    let odd = Tensor<Float>(shape: [6], scalars: [1, .nan, 3, .infinity, 100, 5])
    let statistics = odd.statistics(excluding: [false, false, false, false, true, false])
    #expect(statistics.min == 1)
    #expect(statistics.max == 5)
    #expect(statistics.mean == 3)
    #expect(abs(statistics.deviation * statistics.deviation - 8.0 / 3) < 1e-12)
    #expect(statistics.nanCount == 1)
    #expect(statistics.infiniteCount == 1)
    #expect(statistics.count == 3)
    #expect(Tensor<Float>(shape: [1], scalars: [.nan]).statistics().min.isNaN)
  }
}
