package import Networks
import Tensors

/// The network at evenly spaced moments of its training, from before the first step on.
///
/// Memory stays small: when the film is full, every other moment is removed, and later ones are
/// twice as far apart. Which moments are kept depends on the steps alone.
package struct TrainingFilm: Sendable {
  /// The network after a number of steps.
  package struct Moment: Sendable {
    /// The number of updates since the training began.
    package let step: Int
    /// The number of epochs since the training began.
    package let epochs: Double
    package let network: Network<Float>
  }

  /// The name of the network that trains.
  package let name: String
  private var kept: [Moment]
  private var last: Moment
  private var stride = 1
  private let places: Int

  /// The largest number of moments.
  package static let capacity = 64

  /// The largest number of weights and biases of all moments together: 64 MiB of them.
  private static let parameterLimit = 16 << 20

  /// Begins a film with the network before the first step, `epochs` after training began.
  package init(name: String, _ network: Network<Float>, epochs: Double = 0) {
    self.name = name
    last = Moment(step: 0, epochs: epochs, network: network)
    kept = [last]
    places = Self.places(for: network)
  }

  private static func places(for network: Network<Float>) -> Int {
    let fitting = parameterLimit / max(1, network.parameterCount)
    // The number is even, so that halving keeps the spacing.
    return min(max(fitting, 4), capacity) / 2 * 2
  }

  /// Adds the network after one more step.
  package mutating func add(epochs: Double, _ network: Network<Float>) {
    last = Moment(step: last.step + 1, epochs: epochs, network: network)
    guard last.step.isMultiple(of: stride) else { return }
    if kept.count == places {
      kept = kept.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
      stride *= 2
      guard last.step.isMultiple(of: stride) else { return }
    }
    kept.append(last)
  }

  /// The moments in order: the first, the last, and those kept between them.
  package var moments: [Moment] { kept.last?.step == last.step ? kept : kept + [last] }

  /// Whether the last moment is the given network.
  package func ends(with network: Network<Float>) -> Bool {
    let (ours, others) = (last.network.parameters, network.parameters)
    return ours.count == others.count
      && zip(ours, others).allSatisfy { a, b in
        a.shape == b.shape
          && zip(a.scalars, b.scalars).allSatisfy { $0.bitPattern == $1.bitPattern }
      }
  }

  /// Returns at most `count` moments, evenly spaced, with the first and the last.
  package func moments(atMost count: Int) -> [Moment] {
    let all = moments
    guard count < all.count, count > 1 else { return count == 1 ? all.suffix(1) : all }
    return (0..<count).map { all[$0 * (all.count - 1) / (count - 1)] }
  }
}

extension TrainingFilm {
  /// A film without its networks, as a file holds it.
  package struct Record: Hashable, Sendable, Codable {
    package let name: String
    let stride: Int
    package let steps: [Int]
    let epochs: [Double]
  }

  package var record: Record {
    Record(
      name: name, stride: stride, steps: moments.map(\.step), epochs: moments.map(\.epochs))
  }

  /// The film with the networks of its moments; nil where the record, which may come from a damaged
  /// file, is impossible.
  package init?(_ record: Record, _ networks: [Network<Float>]) {
    let steps = record.steps
    guard let first = networks.first, networks.count == steps.count,
      record.epochs.count == steps.count, steps.first == 0, record.stride > 0,
      zip(steps, steps.dropFirst()).allSatisfy(<),
      steps.dropLast().allSatisfy({ $0.isMultiple(of: record.stride) }),
      record.epochs.allSatisfy({ (0...1e15).contains($0) })
    else { return nil }
    let moments = steps.indices.map {
      Moment(step: steps[$0], epochs: record.epochs[$0], network: networks[$0])
    }
    name = record.name
    stride = record.stride
    last = moments[moments.count - 1]
    kept = moments.filter { $0.step.isMultiple(of: record.stride) }
    places = Self.places(for: first)
    guard kept.count <= places else { return nil }
  }
}
