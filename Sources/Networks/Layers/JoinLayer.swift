import Operations
package import Tensors

/// The options of a `join` line.
package struct JoinOptions: Hashable, Sendable {
  /// How two values become one.
  package enum Rule: String, Sendable, CaseIterable {
    case add
    case multiply
    case multiplyAdd = "multiply-add"
    /// The channels of the value so far, then those of the other.
    case concat
  }

  /// The layer whose result joins, or `net.in`.
  package var other: String
  package var rule = Rule.add
  package var activation = Activation.linear

  package init(_ other: String) { self.other = other }

  package var line: String { "join \(other) how=\(rule.rawValue) act=\(activation.rawValue)" }
}

/// The value so far joined with what an earlier layer hands on: z = join(in, other), out = a = act(z).
///
///     add           z = in + other
///     multiply      z = in · other
///     multiply-add  z = in · other + other
///     concat        z = in, then the channels of other
///
/// One channel of the other serves all channels of the value so far. Long skips of this kind: Ronneberger
/// et al., "U-Net" (2015); Chen et al., "Low-dose CT with a residual encoder-decoder convolutional neural
/// network" (2017).
package struct JoinLayer<Element: Scalar>: BareLayer {
  package let options: JoinOptions
  package let inputChannels: Int
  private let otherChannels: Int

  /// - Throws: `NetworkError` when the channels do not fit.
  package init(_ options: JoinOptions, inputs: Int, others: Int) throws(NetworkError) {
    guard options.rule == .concat || others == inputs || others == 1 else {
      throw NetworkError(
        code: "channels",
        "how=\(options.rule.rawValue) joins equal channels, or one that serves all: there are "
          + "\(inputs), and \(options.other) has \(others)",
        hint: "how=concat, or a 'conv channels=\(others) kernel=1' before")
    }
    self.init(fitting: options, inputs, others)
  }

  private init(fitting options: JoinOptions, _ inputs: Int, _ others: Int) {
    (self.options, inputChannels, otherChannels) = (options, inputs, others)
  }

  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    var other = program.output(of: options.other)
    if options.rule != .concat, otherChannels != inputChannels {
      other = program.value(nil, Broadcast(), [other], symbol: options.other)
    }
    let operation: any Operation =
      switch options.rule {
      case .concat: Concat(first: inputChannels)
      case .add: Merge.add
      case .multiply: Merge.multiply
      case .multiplyAdd: Merge.multiplyAdd
      }
    let z = program.value("z", operation, [x, other])
    return program.activated(options.activation, z)
  }

  package static var letter: String { "j" }
  package var line: String { options.line }
  package var joined: [String] { [options.other] }
  package var outputChannels: Int {
    inputChannels + (options.rule == .concat ? otherChannels : 0)
  }
  package var receptiveGrowth: Int { 0 }
  package var inDouble: JoinLayer<Double> {
    JoinLayer<Double>(fitting: options, inputChannels, otherChannels)
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    try JoinLayer<Float>(options, inputs: inputs, others: otherChannels)
  }

  package func renamed(_ names: [String: String]) -> Self {
    var options = options
    options.other = names[options.other] ?? options.other
    return Self(fitting: options, inputChannels, otherChannels)
  }
}
