import Operations
package import Tensors

/// An image whose sides are factor times as large: out = up(in).
package struct UpLayer<Element: Scalar>: BareLayer {
  /// The rule for the new pixels.
  package enum Rule: String, Sendable, CaseIterable {
    case nearest
    case bilinear
    /// Factor² channels become one.
    case shuffle
  }

  package let rule: Rule
  package let factor: Int
  package let inputChannels: Int

  /// - Throws: `NetworkError` when a shuffle does not fit the channels.
  package init(_ rule: Rule, factor: Int, channels: Int) throws(NetworkError) {
    guard rule != .shuffle || channels % (factor * factor) == 0 else {
      throw NetworkError(
        code: "channels",
        "by=shuffle makes one channel of \(factor * factor); there are \(channels)",
        hint: "give the layer before a multiple of \(factor * factor) channels")
    }
    (self.rule, self.factor, inputChannels) = (rule, factor, channels)
  }

  private init(fitting rule: Rule, _ factor: Int, _ channels: Int) {
    (self.rule, self.factor, inputChannels) = (rule, factor, channels)
  }

  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    let operation: any Operation =
      switch rule {
      case .nearest: Upsample(.nearest, factor: factor)
      case .bilinear: Upsample(.bilinear, factor: factor)
      case .shuffle: PixelShuffle(factor: factor)
      }
    return program.value("out", operation, [x])
  }

  package static var letter: String { "u" }
  package var line: String { "up factor=\(factor) by=\(rule.rawValue)" }
  package var outputChannels: Int {
    rule == .shuffle ? inputChannels / (factor * factor) : inputChannels
  }
  package var receptiveGrowth: Int { rule == .bilinear ? 1 : 0 }
  package var scaling: Scaling { Scaling(factor, over: 1) }
  package var inDouble: UpLayer<Double> {
    UpLayer<Double>(
      fitting: UpLayer<Double>.Rule(rawValue: rule.rawValue) ?? .nearest, factor, inputChannels)
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    try UpLayer<Float>(
      UpLayer<Float>.Rule(rawValue: rule.rawValue) ?? .nearest, factor: factor, channels: inputs)
  }
}
