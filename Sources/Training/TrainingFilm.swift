package import Networks
import Tensors

/// A network at evenly spaced moments of its training, from before the first step on.
///
/// Memory stays small: when all places are taken, every other moment goes, and later ones are twice
/// as far apart. Which moments are kept depends on the steps alone.
package struct TrainingFilm: Sendable {
  /// The network after some steps.
  package struct Moment: Sendable {
    /// Updates since the training began.
    package let step: Int
    /// Epochs since the training began.
    package let epochs: Double
    package let network: Network<Float>
  }

  /// The name of the network that trains.
  package let name: String
  private var kept: [Moment]
  private var last: Moment
  private var stride = 1
  private let places: Int

  /// The most moments that are kept.
  package static let capacity = 64

  /// The most weights and biases of all moments together: 64 MiB of them.
  private static let parameterLimit = 16 << 20

  /// Begins with the network as it is before the first step.
  package init(name: String, _ network: Network<Float>) {
    self.name = name
    last = Moment(step: 0, epochs: 0, network: network)
    kept = [last]
    let fitting = Self.parameterLimit / max(1, network.parameterCount)
    // Even, so that halving leaves the spacing as it is.
    places = min(max(fitting, 4), Self.capacity) / 2 * 2
  }

  /// Takes the network after one more step.
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

  /// Whether the last moment is the network as it is.
  package func ends(with network: Network<Float>) -> Bool {
    let (ours, others) = (last.network.parameters, network.parameters)
    return ours.count == others.count
      && zip(ours, others).allSatisfy { a, b in
        a.shape == b.shape
          && zip(a.scalars, b.scalars).allSatisfy { $0.bitPattern == $1.bitPattern }
      }
  }

  /// At most `count` of the moments, evenly spaced, the first and the last among them.
  package func moments(atMost count: Int) -> [Moment] {
    let all = moments
    guard count < all.count, count > 1 else { return count == 1 ? all.suffix(1) : all }
    return (0..<count).map { all[$0 * (all.count - 1) / (count - 1)] }
  }
}
