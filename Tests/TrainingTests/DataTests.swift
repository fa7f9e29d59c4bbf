import CT
import Foundation
import Tensors
import Testing
import Training

/// Noise, scale and split.
struct DataTests {
  private let clean = ImageStack(
    values: Tensor(shape: [3, 1, 64, 64], repeating: 100), unit: .hounsfield)

  @Test func `Gaussian noise has the asked deviation and differs from slice to slice`() {
    let noisy = Noise(GaussianNoise(deviation: 40), isFresh: false, seed: 1).apply(to: clean)
    let statistics = noisy.statistics()
    #expect(abs(statistics.mean - 100) < 1.5)
    #expect(abs(statistics.deviation - 40) < 1)
    #expect(noisy.image(0).scalars != noisy.image(1).scalars)
    let again = Noise(GaussianNoise(deviation: 40), isFresh: false, seed: 1).apply(to: clean)
    #expect(again.scalars == noisy.scalars)
    let other = Noise(GaussianNoise(deviation: 40), isFresh: false, seed: 2).apply(to: clean)
    #expect(other.scalars != noisy.scalars)
  }

  @Test func `a slice's noise does not depend on the other slices`() {
    let noise = Noise(GaussianNoise(deviation: 40), isFresh: false, seed: 1)
    #expect(
      noise.apply(to: clean).image(1).scalars
        == noise.apply(to: clean.slices([0, 1])).image(1).scalars)
  }

  @Test func `uniform noise multiplies within its range`() {
    let noisy = Noise(UniformNoise(gain: 0...2.5), isFresh: false, seed: 1).apply(to: clean)
    let statistics = noisy.statistics()
    #expect(statistics.min >= 0 && statistics.max <= 250)
    #expect(abs(statistics.mean - 125) < 2)
    #expect(abs(statistics.deviation - 250 / 12.0.squareRoot()) < 2)
  }

  @Test func `a scale maps its ends to 0 and 1 and comes back`() {
    let scale = Scale(lower: -1000, upper: 1000)
    let values = Tensor<Float>(shape: [5], scalars: [-1000, -500, 0, 1000, 3071])
    #expect(scale.toNetwork(values).scalars == [0, 0.25, 0.5, 1, 2.0355])
    #expect(scale.roundTripError(values) < 2e-4)
    #expect(Scale.none.roundTripError(values) == 0)
  }

  @Test(arguments: Grouping.allCases, [1, 2, 3, 5, 10, 16, 37])
  func `a split leaks nothing and uses every group`(_ grouping: Grouping, count: Int) throws {
    // Series of three slices, patients of two series.
    let origins = (0..<count).flatMap { series in
      (0..<3).map { _ in SliceOrigin(patient: series / 2 + 1, series: series + 1) }
    }
    let shares: [Share: Double] = [.train: 0.7, .validation: 0.1, .test: 0.2]
    let groups = [Grouping.patient: (count + 1) / 2, .series: count, .slice: 3 * count][grouping]
    guard groups != 1 else {
      #expect(throws: DataError.self) { try Split(shares, by: grouping, origins) }
      return
    }
    let split = try Split(shares, by: grouping, origins)
    let slices = Share.allCases.map { Set(split.slices($0)) }
    #expect(!slices[0].isEmpty && !slices[2].isEmpty)
    #expect(slices[0].union(slices[1]).union(slices[2]) == Set(0..<3 * count))
    #expect(slices.reduce(0) { $0 + $1.count } == 3 * count)
    for (a, b) in [(0, 1), (0, 2), (1, 2)] where grouping != .slice {
      let patients = slices.map { Set($0.map { origins[$0].patient }) }
      let series = slices.map { Set($0.map { origins[$0].series }) }
      #expect(series[a].isDisjoint(with: series[b]))
      #expect(grouping == .series || patients[a].isDisjoint(with: patients[b]))
    }
  }

  @Test(
    arguments: [
      [.validation: 0.5, .train: 0.39, .test: 0.11], [.validation: 0.9, .train: 0.1],
      [.train: 0.01, .test: 0.99], [.train: 1],
    ] as [[Share: Double]])
  func `a split has slices to train on, however few there are`(_ shares: [Share: Double]) throws {
    for count in 2...5 {
      let origins = (1...count).map { SliceOrigin(patient: $0, series: $0) }
      let split = try Split(shares, by: .patient, origins)
      #expect(!split.slices(.train).isEmpty, "\(count)")
      #expect(split.slices(.test).isEmpty == (shares[.test] == nil), "\(count)")
    }
  }

  @Test(arguments: [[.train: 0, .test: 1], [.validation: 1]] as [[Share: Double]])
  func `a split without training slices is refused`(_ shares: [Share: Double]) throws {
    let origins = (1...4).map { SliceOrigin(patient: $0, series: $0) }
    let error = #expect(throws: DataError.self) { try Split(shares, by: .patient, origins) }
    #expect(error?.message == "nothing is left to train on")
  }

  @Test func `named groups are taken as named`() throws {
    let origins = (1...3).flatMap {
      Array(repeating: SliceOrigin(patient: 1, series: $0), count: 2)
    }
    let split = try Split(groups: [.train: [1, 2], .test: [3]], by: .series, origins)
    #expect(split.slices(.train) == [0, 1, 2, 3])
    #expect(split.slices(.test) == [4, 5])
    #expect(split.slices(.validation) == [])
    #expect(throws: DataError.self) {
      try Split(groups: [.train: [1], .test: [1]], by: .series, origins)
    }
    #expect(throws: DataError.self) {
      try Split(groups: [.train: [4], .test: [1]], by: .series, origins)
    }
  }
}
