import Operations
package import Tensors

/// The rule of a normalization: of each channel over a batch, or of groups of channels of each image.
package enum NormRule: Hashable, Sendable {
  /// By mean and variance of the batch in training, by running ones in judging.
  case batch(momentum: Double, epsilon: Double)
  /// By mean and variance of so many groups of channels.
  case group(Int, epsilon: Double)

  package static let batch = NormRule.batch(momentum: 0.1, epsilon: 1e-5)

  /// Reads `batch` or `group:8`; nil for other words.
  package init?(_ text: String) {
    let words = text.split(separator: ":", omittingEmptySubsequences: false)
    if words == ["batch"] {
      self = .batch
    } else if words.count == 2, words[0] == "group", let groups = Int(words[1]), groups > 0 {
      self = .group(groups, epsilon: 1e-5)
    } else {
      return nil
    }
  }

  /// The word of a `norm=` option.
  package var text: String {
    switch self {
    case .batch: "batch"
    case .group(let groups, _): "group:\(groups)"
    }
  }

  /// Throws unless the rule fits so many channels.
  package func requireFit(channels: Int) throws(NetworkError) {
    guard case .group(let groups, _) = self, channels % groups != 0 else { return }
    let divisors = (1...channels).filter { channels % $0 == 0 }
    throw NetworkError(
      code: "channels", "\(groups) groups do not divide \(channels) channels",
      hint: "norm=group:\(divisors.last { $0 <= groups } ?? 1), for example")
  }
}

/// A normalization with its numbers for each channel: n = weight · (x − μ) / √(σ² + ε) + bias.
///
/// In training, batch norm takes μ and σ² of the batch, and moves the running ones towards them; in judging
/// it takes the running ones. Group norm has none. See `BatchNorm`, `FixedBatchNorm` and `GroupNorm`.
package struct Norm<Element: Scalar>: Sendable {
  package let rule: NormRule
  /// `[C]`, 1 at first.
  package var weight: Tensor<Element>
  /// `[C]`, 0 at first.
  package var bias: Tensor<Element>
  /// The running mean and variance, `[C]` each; empty for a rule that has none.
  package var statistics: [Tensor<Element>]

  package init(_ rule: NormRule, channels: Int) {
    self.rule = rule
    weight = Tensor(shape: [channels], repeating: 1)
    bias = Tensor(shape: [channels], repeating: 0)
    statistics = if case .batch = rule { [bias, weight] } else { [] }
  }

  private init(
    _ rule: NormRule, _ weight: Tensor<Element>, _ bias: Tensor<Element>,
    _ statistics: [Tensor<Element>]
  ) {
    (self.rule, self.weight, self.bias, self.statistics) = (rule, weight, bias, statistics)
  }

  package var parameterNames: [String] { ["norm.weight", "norm.bias"] }
  package var parameters: [Tensor<Element>] { [weight, bias] }
  package var bufferNames: [String] {
    statistics.isEmpty ? [] : ["norm.running_mean", "norm.running_var"]
  }

  mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    (weight, bias) = (rest.removeFirst(), rest.removeFirst())
  }

  mutating func takeBuffers(from rest: inout ArraySlice<Tensor<Element>>) {
    for index in statistics.indices { statistics[index] = rest.removeFirst() }
  }

  package var doubles: Norm<Double> {
    Norm<Double>(rule, weight.doubles(), bias.doubles(), statistics.map { $0.doubles() })
  }

  /// Writes the normalization of the value at `x` under the name `result`; returns its place.
  func lower(
    _ x: Int, at prefix: String, result: String, _ program: inout Lowering<Element>
  ) -> Int {
    let places = zip(parameterNames, parameters).map { program.parameter(prefix + $0, $1) }
    let running = zip(bufferNames, statistics).map { program.buffer(prefix + $0, $1) }
    switch rule {
    case .group(let groups, let epsilon):
      return program.value(result, GroupNorm(groups: groups, epsilon: epsilon), [x] + places)
    case .batch(let momentum, let epsilon):
      guard program.mode == .training else {
        return program.value(result, FixedBatchNorm(epsilon: epsilon), [x] + places + running)
      }
      let updates: [any Operation] = [
        RunningMean(momentum: momentum), RunningVariance(momentum: momentum),
      ]
      program.update(
        buffersTo: zip(updates, running).map { program.value(nil, $0, [$1, x], symbol: $0.word) })
      return program.value(result, BatchNorm(epsilon: epsilon), [x] + places)
    }
  }
}
