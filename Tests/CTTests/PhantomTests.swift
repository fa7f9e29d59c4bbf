import CT
import Tensors
import Testing

@Suite struct PhantomTests {
  private let small = ThoraxPhantom(size: 96, slices: 6, patients: 2, seed: 1)

  @Test func `a stack has the shape and the spacing that were asked for`() {
    let stack = small.stack(patient: 0)
    #expect(stack.shape == [6, 1, 96, 96])
    #expect(small.pixelSpacing == 3.75)
    #expect(small.sliceSpacing == 40)
  }

  @Test func `values are whole HU that 12 bits hold`() {
    let values = small.stack(patient: 1).scalars
    #expect(values.allSatisfy { $0 == $0.rounded() && (-1024...3071).contains($0) })
  }

  @Test(arguments: [(16, 1), (17, 3), (33, 2)])
  func `small and odd sizes work`(size: Int, slices: Int) {
    let stack = ThoraxPhantom(size: size, slices: slices, patients: 1).stack(patient: 0)
    #expect(stack.shape == [slices, 1, size, size])
    #expect((stack.scalars.max() ?? 0) > 0)
  }

  @Test func `the same seed gives the same bits for 1, 2 and 3 threads`() {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let stacks = [1, 2, 3].map { threads in
      Parallelism.threads = threads
      return small.stack(patient: 0).scalars
    }
    #expect(stacks[0] == stacks[1])
    #expect(stacks[0] == stacks[2])
  }

  @Test func `patients, seeds and slices differ`() {
    let first = small.stack(patient: 0).scalars
    #expect(first != small.stack(patient: 1).scalars)
    #expect(first != ThoraxPhantom(size: 96, slices: 6, seed: 2).stack(patient: 0).scalars)
    let plane = 96 * 96
    for slice in 1..<6 {
      let below = first[(slice - 1) * plane..<slice * plane]
      let here = first[slice * plane..<(slice + 1) * plane]
      let difference = zip(below, here).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(plane)
      #expect(difference > 10, "slice \(slice)")
    }
  }

  @Test func `a patient does not depend on how many there are`() {
    let one = ThoraxPhantom(size: 48, slices: 2, patients: 1).stack(patient: 0)
    let many = ThoraxPhantom(size: 48, slices: 2, patients: 5).stack(patient: 0)
    #expect(one.scalars == many.scalars)
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func `the chest holds the tissues of a chest`(seed: UInt64) {
    let stack = ThoraxPhantom(size: 128, slices: 8, patients: 1, seed: seed).stack(patient: 0)
    let plane = 128 * 128
    /// The share of pixels of slices 2…5 within a range of HU.
    func share(_ range: ClosedRange<Float>) -> Double {
      let middle = stack.scalars[2 * plane..<6 * plane]
      return Double(middle.count { range.contains($0) }) / Double(middle.count)
    }
    #expect((0.12...0.35).contains(share(-920 ... -720)), "lung \(share(-920 ... -720))")
    #expect((0.05...0.25).contains(share(-140 ... -60)), "fat \(share(-140 ... -60))")
    #expect((0.08...0.30).contains(share(20...80)), "soft tissue \(share(20...80))")
    #expect((0.005...0.06).contains(share(150...3071)), "bone \(share(150...3071))")
    #expect(stack.scalars[0] == -1000, "air in the corner")
    // Spread from lung to vessel, where a network has to keep detail.
    #expect(share(-700 ... -200) > 0.02)
  }

  @Test func `a median of three destroys detail in the lungs`() {
    let stack = ThoraxPhantom(size: 128, slices: 3, patients: 1).stack(patient: 0)
    let width = 128
    var squares = 0.0
    var count = 0.0
    for row in 1..<width - 1 {
      for column in 1..<width - 1 {
        func value(_ dy: Int, _ dx: Int) -> Float {
          stack.scalars[width * width + (row + dy) * width + column + dx]
        }
        let around = (-1...1).flatMap { dy in (-1...1).map { value(dy, $0) } }.sorted()
        squares += Double((value(0, 0) - around[4]) * (value(0, 0) - around[4]))
        count += 1
      }
    }
    #expect((squares / count).squareRoot() > 15)
  }

  @Test func `nothing inside the body is perfectly flat`() {
    let stack = ThoraxPhantom(size: 128, slices: 3, patients: 1).stack(patient: 0)
    let plane = stack.scalars[128 * 128..<2 * 128 * 128]
    for range: ClosedRange<Float> in [-900 ... -780, -125 ... -80, 35...75] {
      let values = plane.filter { range.contains($0) }
      #expect(Set(values).count > 12, "\(range)")
    }
  }
}
