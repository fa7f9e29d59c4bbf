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
        try append(block: options, initializer: initializer, seed: seed)
      case "conv":
        var options = ConvolutionOptions()
        try take("channels", Int.init) { options.channels = $0 }
        try take("kernel", Int.init) { options.kernel = $0 }
        try take("act", Activation.init) { options.activation = $0 }
        try take("bias", { $0 }) { options.hasBias = $0 == "yes" }
        append(convolution: options, initializer: initializer, seed: seed)
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
