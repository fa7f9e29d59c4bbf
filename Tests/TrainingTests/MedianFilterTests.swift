import Tensors
import TestSupport
import Testing
import Training

/// The median against SciPy: `Tests/Fixtures/filters`.
struct MedianFilterTests {
  @Test(arguments: [3, 5])
  func `the median equals SciPy's with reflected borders`(size: Int) throws {
    let fixture = Fixture("filters")
    let image = try fixture.tensor("image").floats()
    let stack = image.reshaped([1, 1, image.shape[0], image.shape[1]])
    let expected = try fixture.tensor("median-\(size)-reflect")
    #expect(MedianFilter(size: size).apply(to: stack).scalars == expected.floats().scalars)
  }

  @Test func `a square with a NaN in it gives NaN, others do not`() {
    var image = Tensor<Float>(shape: [1, 1, 7, 7], repeating: 2)
    image.scalars[24] = .nan
    let filtered = MedianFilter(size: 3).apply(to: image)
    #expect(filtered.scalars.count { $0.isNaN } == 9)
    #expect(filtered.scalars.count { $0 == 2 } == 40)
  }

  @Test func `a window larger than the image mirrors it again and again`() {
    let image = Tensor<Float>(shape: [1, 1, 2, 2], scalars: [1, 2, 3, 4])
    #expect(MedianFilter(size: 9).apply(to: image).scalars.allSatisfy { (1...4).contains($0) })
  }
}
