package import Operations
package import Tensors

/// Collects the operations of a pass, layer by layer.
///
/// A layer reads its input, writes values under names within itself, such as `conv1.z`, and returns the
/// place of the last. Whatever has no name is told as a part of the operation that reads it.
package struct Lowering<Element: Scalar> {
  package private(set) var nodes: [Program<Element>.Node] = []
  /// The place of the network's input.
  package let networkInput = 0
  /// Whether ReLU hands a NaN on or makes 0 of it.
  package let reluNaN: ReLUNaN
  /// Whether the pass is one of training; layers may behave otherwise in judging.
  package let mode: PassMode
  private(set) var parameters: [Tensor<Element>] = []
  private(set) var buffers: [Tensor<Element>] = []
  private(set) var bufferUpdates: [Int] = []
  /// The layer that is lowered now.
  private var layer: (name: String, index: Int)?
  /// The place of the last result of a convolution that has an activation.
  private var preactivation = 0
  /// The places of what the layers hand on, by their names.
  private var outputs: [String: Int] = [:]

  init(reluNaN: ReLUNaN, mode: PassMode) {
    (self.reluNaN, self.mode) = (reluNaN, mode)
    outputs["net.in"] = give("net.in", .input(channels: 1))
  }

  // MARK: - For layers

  /// Writes a value with a name within the layer.
  ///
  /// - Parameters:
  ///   - part: The name within the layer, such as `conv1.z`; nil for a value without a name.
  ///   - operation: What computes it.
  ///   - operands: The places of what it reads.
  ///   - symbol: What formulas call it; the last part of the name if nil.
  ///   - word: What a step calls the operation; the operation's own word if nil.
  /// - Returns: Its place.
  package mutating func value(
    _ part: String?, _ operation: any Operation, _ operands: [Int], symbol: String? = nil,
    word: String? = nil
  ) -> Int {
    guard let layer else { preconditionFailure("Values with names within a layer belong to one.") }
    let words = part.map { $0.split(separator: ".").map(String.init) } ?? ["z"]
    nodes.append(
      Program.Node(
        name: part.map { "\(layer.name).\($0)" }, symbol: symbol ?? words[words.count - 1],
        place: ([layer.name] + words.dropLast()).joined(separator: "."), layer: layer.index,
        word: word ?? operation.word, operation: operation, operands: operands, given: nil))
    return nodes.count - 1
  }

  /// Writes a parameter of the layer under its name within it; returns its place.
  package mutating func parameter(_ part: String, _ tensor: Tensor<Element>) -> Int {
    guard let layer else { preconditionFailure("A parameter belongs to a layer.") }
    parameters.append(tensor)
    return give("\(layer.name).\(part)", .parameter(parameters.count - 1))
  }

  /// Writes a tensor of the layer that training updates without a gradient; returns its place.
  package mutating func buffer(_ part: String, _ tensor: Tensor<Element>) -> Int {
    guard let layer else { preconditionFailure("A buffer belongs to a layer.") }
    buffers.append(tensor)
    return give("\(layer.name).\(part)", .buffer(buffers.count - 1))
  }

  /// Tells that a step of training gives the buffers, in their order, the values at these places.
  package mutating func update(buffersTo places: [Int]) { bufferUpdates += places }

  /// Writes the weight and the bias of a convolution, which is called `part` within the layer, and its
  /// result.
  ///
  /// - Returns: The place of the result, which is called `result`, or has no name.
  package mutating func convolution(
    _ convolution: Conv2D<Element>, _ x: Int, at part: String?, result: String?,
    symbol: String? = nil, word: String? = nil
  ) -> Int {
    let prefix = part.map { $0 + "." } ?? ""
    let parameters = zip(convolution.parameterNames, convolution.parameters).map {
      parameter("\(prefix)\($0)", $1)
    }
    return value(
      result, Convolution2D(convolution.geometry), [x] + parameters,
      symbol: symbol ?? (result == nil ? "\(part.map { $0 + "." } ?? "")z" : nil), word: word)
  }

  /// Writes z = conv(x), n = norm(z) if there is a norm, and a = act of the last under these letters,
  /// behind `part` within the layer.
  ///
  /// - Returns: The place of a.
  package mutating func activated(
    _ convolution: Conv2D<Element>, _ norm: Norm<Element>?, _ function: Activation, _ x: Int,
    at part: String?
  ) -> Int {
    let prefix = part.map { $0 + "." } ?? ""
    let z = self.convolution(convolution, x, at: part, result: "\(prefix)z")
    preactivation = norm?.lower(z, at: prefix, result: "\(prefix)n", &self) ?? z
    return value("\(prefix)a", Activate(function, reluNaN: reluNaN), [preactivation])
  }

  /// Writes a = act(z), unless the activation is linear, and what the layer hands on; returns its place.
  package mutating func activated(_ function: Activation, _ z: Int) -> Int {
    preactivation = z
    let a = function == .linear ? z : value("a", Activate(function, reluNaN: reluNaN), [z])
    return value("out", Copy(), [a])
  }

  /// Returns the place of what the layer called `name` hands on, or of `net.in`.
  package func output(of name: String) -> Int {
    guard let place = outputs[name] else {
      preconditionFailure("A layer reads one that stands before it.")
    }
    return place
  }

  // MARK: - For the network

  /// Lowers one layer, which reads the value at `x`.
  mutating func lower(
    _ layer: some Layer<Element>, _ x: Int, named name: String, at index: Int
  ) -> Program<Element>.LayerNodes {
    self.layer = (name, index)
    defer { self.layer = nil }
    let first = nodes.count
    let input = value("in", Copy(), [layer.source.map(self.output) ?? x])
    let output = layer.lower(input, &self)
    outputs[name] = output
    return .init(
      input: input, output: output, preactivation: preactivation, nodes: first..<nodes.count)
  }

  /// Writes a value of the whole network.
  mutating func value(
    ofNetwork name: String, _ operation: any Operation, _ operands: [Int]
  ) -> Int {
    nodes.append(
      Program.Node(
        name: name, symbol: name, place: nil, layer: nil, word: operation.word,
        operation: operation, operands: operands, given: nil))
    return nodes.count - 1
  }

  /// Writes a value that is given.
  mutating func give(_ name: String, _ given: Program<Element>.Given) -> Int {
    nodes.append(
      Program.Node(
        name: name, symbol: name, place: layer?.name, layer: layer?.index, word: "given",
        operation: nil, operands: [], given: given))
    return nodes.count - 1
  }
}
