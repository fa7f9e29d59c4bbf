/// The course of a number over a long time, as a bounded number of means.
package struct Trend: Hashable, Sendable {
  /// The largest number of means; at twice as many, each pair becomes its mean.
  private static let limit = 64

  private var means: [Double] = []
  /// The count of numbers in each mean.
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
