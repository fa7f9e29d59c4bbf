import Figures
import Testing

@Suite struct AxisTests {
  private func labels(_ axis: AxisScale, _ count: Int) -> [String] {
    axis.ticks(atMost: count).map(\.label.printed)
  }

  @Test func `ticks are round numbers, written alike`() {
    #expect(labels(AxisScale(from: 0, to: 1), 6) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(AxisScale(from: -1000, to: 1000), 5) == ["−1000", "−500", "0", "500", "1000"])
    #expect(labels(AxisScale(from: 31.2, to: 33.4), 5) == ["31.5", "32.0", "32.5", "33.0"])
    #expect(labels(AxisScale(from: 0, to: 3e-5), 4) == ["0", "1×10⁻⁵", "2×10⁻⁵", "3×10⁻⁵"])
    #expect(
      labels(AxisScale(from: 2.4e6, to: 2.6e6), 4)
        == ["2.40×10⁶", "2.45×10⁶", "2.50×10⁶", "2.55×10⁶", "2.60×10⁶"])
    #expect(AxisScale(from: 0, to: 3e-5).ticks(atMost: 4).last?.label.plain == "3e-5")
  }

  @Test func `logarithmic ticks are powers of ten, or 1, 2, 3, 5, 7 times them`() {
    func log(_ low: Double, _ high: Double, _ count: Int) -> [String] {
      labels(AxisScale(covering: [low, high], kind: .logarithmic, room: 0), count)
    }
    #expect(log(1e-3, 100, 8) == ["0.001", "0.01", "0.1", "1", "10", "100"])
    #expect(log(1e-9, 1e-6, 8) == ["10⁻⁹", "10⁻⁸", "10⁻⁷", "10⁻⁶"])
    #expect(log(1e-30, 1e30, 7).count <= 8 && log(1e-30, 1e30, 7).contains("1"))
    #expect(log(0.02, 0.08, 8) == ["0.02", "0.03", "0.05", "0.07"])
    #expect(log(2e-7, 8e-7, 3) == ["2×10⁻⁷", "5×10⁻⁷"])
    #expect(log(31.2, 33.4, 5).count >= 3)
  }

  @Test func `powers of ten stand at equal distances on a logarithmic axis`() throws {
    let axis = AxisScale(covering: [1e-4, 1e4], kind: .logarithmic)
    let places = try [1e-4, 1e-2, 1, 1e2, 1e4].map { try #require(axis.position(of: $0)) }
    for (a, b) in zip(places, places.dropFirst()) {
      #expect(abs(b - a - (places[1] - places[0])) < 1e-12)
    }
    #expect(axis.position(of: 0) == nil && axis.position(of: -1) == nil)
    #expect(axis.position(of: .nan) == nil && axis.position(of: .infinity) == nil)
  }

  @Test func `ticks of indices are whole numbers`() {
    func indices(_ count: Int, _ ticks: Int) -> [String] {
      labels(AxisScale(covering: (0..<count).map(Double.init), room: 0.02, isWhole: true), ticks)
    }
    #expect(indices(3, 10) == ["0", "1", "2"] && indices(2, 10) == ["0", "1"])
    #expect(indices(41, 5) == ["0", "10", "20", "30", "40"])
  }

  @Test func `bars reach to zero`() throws {
    for values in [[3.0, 5], [-3, -5], [-2, 7], [0, 0], [4], [-4]] {
      let axis = AxisScale(covering: values, includesZero: true)
      let zero = try #require(axis.position(of: 0))
      #expect((-1e-12...1 + 1e-12).contains(zero), "\(values): \(zero)")
      if values == [3, 5] || values == [4] { #expect(zero == 0) }
      if values == [-3, -5] || values == [-4] { #expect(zero == 1) }
    }
  }

  static let degenerate: [[Double]] = [
    [], [0], [5], [-5], [.nan], [.infinity, -.infinity], [.nan, 3, .infinity],
    [1e-30, 1e30], [-1e30, 1e30], [1e30, 1e30], [1e-30, 2e-30], [1e-300, 1e300], [5e-324],
    [.greatestFiniteMagnitude, -.greatestFiniteMagnitude], [1, 1 + 1e-15], [1e15, 1e15 + 0.25],
    [0, 1e-320], [1e16, 1e16 + 2], [1e16], [-1e16, -1e16], [1e16 - 2, 1e16, 1e16 + 2],
  ]

  @Test(arguments: degenerate, AxisScale.Kind.allCases)
  func `any numbers make an axis with ticks in it`(values: [Double], kind: AxisScale.Kind) throws {
    for includesZero in [false, true] {
      let axis = AxisScale(covering: values, kind: kind, includesZero: includesZero)
      for count in [1, 2, 5, 12] {
        let ticks = axis.ticks(atMost: count)
        #expect(ticks.count <= max(3 * count, 9), "\(ticks.map(\.label.printed))")
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0.value < $1.value })
        #expect(Set(ticks.map(\.label.printed)).count == ticks.count)
        for tick in ticks {
          let place = try #require(axis.position(of: tick.value))
          #expect((-1e-6...1 + 1e-6).contains(place), "\(tick.value) at \(place)")
        }
      }
      #expect(!axis.ticks(atMost: 6).isEmpty)
      #expect(axis.minorPositions.allSatisfy { (0...1).contains($0) })
      for value in values {
        guard let place = axis.position(of: value) else { continue }
        #expect((-1e-9...1 + 1e-9).contains(place), "\(value) at \(place)")
      }
    }
  }

  @Test func `numbers are written with their digits, in print and in ASCII`() {
    #expect(NumberLabel(0.03125, significant: 3).printed == "0.0312")
    #expect(NumberLabel(-3.14159e-7, significant: 3).printed == "−3.14×10⁻⁷")
    #expect(NumberLabel(-3.14159e-7, significant: 3).plain == "-3.14e-7")
    #expect(NumberLabel(999.9, significant: 3).printed == "1000")
    #expect(NumberLabel(1e30, significant: 2).printed == "1.0×10³⁰")
    #expect(NumberLabel(0, significant: 3).printed == "0")
    #expect(NumberLabel(.nan, significant: 3).printed == "nan")
    #expect(NumberLabel(-.infinity, significant: 3).plain == "-inf")
  }
}
