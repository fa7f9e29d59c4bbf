import Operations
package import Tensors

/// The largest or the mean of each window of size × size pixels: out = pool(in).
package struct PoolLayer<Element: Scalar>: BareLayer {
  package let rule: PoolRule
  package let size: Int
  package let inputChannels: Int

  package init(_ rule: PoolRule, size: Int, channels: Int) {
    (self.rule, self.size, inputChannels) = (rule, size, channels)
  }

  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    program.value("out", Pool(rule, size: size), [x])
  }

  package static var letter: String { "p" }
  package var line: String { "pool \(rule.rawValue) size=\(size)" }
  package var outputChannels: Int { inputChannels }
  package var receptiveGrowth: Int { size - 1 }
  package var scaling: Scaling { Scaling(1, over: size) }
  package var inDouble: PoolLayer<Double> {
    PoolLayer<Double>(rule, size: size, channels: inputChannels)
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    PoolLayer<Float>(rule, size: size, channels: inputs)
  }
}
