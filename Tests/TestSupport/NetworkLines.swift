package import Networks
import Tensors

/// Networks from the lines that build them, read strictly and without the command language.
extension Network<Float> {
  package init(lines: [String], seed: UInt64 = 1, initializer: Initializer = .he) throws {
    self.init()
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      var values = Dictionary(
        uniqueKeysWithValues: words.dropFirst().filter { $0.contains("=") }.map { word in
          let parts = word.split(separator: "=").map(String.init)
          return (parts[0], parts[1])
        })
      func take<Value>(_ key: String, _ read: (String) -> Value?, _ store: (Value) -> Void) throws {
        guard let text = values.removeValue(forKey: key) else { return }
        guard let value = read(text) else { throw LineError(line: line) }
        store(value)
      }
      let bare = words.dropFirst().filter { !$0.contains("=") }
      var geometry = ConvolutionGeometry.plain
      var (norm, source): (NormRule?, String?)
      func takeGeometry() throws {
        try take("stride", Int.init) { geometry.stride = $0 }
        try take("dilation", Int.init) { geometry.dilation = $0 }
        try take("groups", Int.init) { geometry.groups = $0 }
        try take("pad", ConvolutionGeometry.Padding.init) { geometry.padding = $0 }
        try take("transpose", { $0 }) { geometry.isTransposed = $0 == "yes" }
        try take("norm", NormRule.init) { norm = $0 }
        try take("from", { $0 }) { source = $0 }
      }
      switch words.first {
      case "block":
        var options = BlockOptions()
        try take("channels", Int.init) { options.channels = $0 }
        try take("kernel", Int.init) { options.kernel = $0 }
        try take("act", Activation.init) { options.activation = $0 }
        try take("merge", Merge.init) { options.merge = $0 }
        try take("skip", Skip.init) { options.skip = $0 }
        try take("project-act", Activation.init) { options.projectActivation = $0 }
        try take("convs", Int.init) { options.convolutions = $0 }
        try take("bias", { $0 }) { options.hasBias = $0 == "yes" }
        try takeGeometry()
        (options.geometry, options.norm, options.source) = (geometry, norm, source)
        try append(block: options, initializer: initializer, seed: seed)
      case "conv":
        var options = ConvolutionOptions()
        try take("channels", Int.init) { options.channels = $0 }
        try take("kernel", Int.init) { options.kernel = $0 }
        try take("act", Activation.init) { options.activation = $0 }
        try take("bias", { $0 }) { options.hasBias = $0 == "yes" }
        try takeGeometry()
        (options.geometry, options.norm, options.source) = (geometry, norm, source)
        try append(convolution: options, initializer: initializer, seed: seed)
      case "pool":
        guard let rule = bare.first.flatMap(PoolRule.init) else { throw LineError(line: line) }
        append(PoolLayer<Float>(rule, size: 2, channels: channels))
      case "up":
        var rule = UpLayer<Float>.Rule.nearest
        try take("by", UpLayer<Float>.Rule.init) { rule = $0 }
        append(try UpLayer<Float>(rule, factor: 2, channels: channels))
      case "join":
        guard let other = bare.first else { throw LineError(line: line) }
        var options = JoinOptions(other)
        try take("how", JoinOptions.Rule.init) { options.rule = $0 }
        try take("act", Activation.init) { options.activation = $0 }
        append(
          try JoinLayer<Float>(options, inputs: channels, others: channels(of: options.other)))
      case "norm":
        var (momentum, groups) = (0.1, 0)
        try take("momentum", Double.init) { momentum = $0 }
        try take("groups", Int.init) { groups = $0 }
        append(
          try NormLayer<Float>(
            bare.first == "batch"
              ? .batch(momentum: momentum, epsilon: 1e-5) : .group(groups, epsilon: 1e-5),
            channels: channels))
      case "output":
        guard let rule = words.last.flatMap(OutputRule.init) else { throw LineError(line: line) }
        outputRule = rule
      default: throw LineError(line: line)
      }
      guard values.isEmpty else { throw LineError(line: line) }
    }
  }
}

private struct LineError: Error {
  let line: String
}
