/// The course of a number over a long time in a bounded place.
package struct Trend: Hashable, Sendable {
  /// At most so many values; twice as many become their means in pairs.
  private static let limit = 64

  private var means: [Double] = []
  /// How many numbers each mean is of.
  private var width = 1
  private var sum = 0.0
  private var count = 0

  package init() {}

  /// Adds the latest number.
  package mutating func add(_ value: Double) {
    sum += value
    count += 1
    guard count == width else { return }
    means.append(sum / Double(width))
    (sum, count) = (0, 0)
    guard means.count == 2 * Self.limit else { return }
    means = stride(from: 0, to: means.count, by: 2).map { (means[$0] + means[$0 + 1]) / 2 }
    width *= 2
  }

  /// The means so far, the oldest first.
  package var values: [Double] { means }
}
