/// A diagram of a network: blocks with their convolutions, skips and merges; and, if wanted, the
/// paths of gradients.
package struct NetworkDiagram: Figure {
  /// A convolution and the activation after it.
  package struct Convolution: Hashable, Sendable {
    package let kernel: Int, inputs: Int, outputs: Int
    package let activation: String

    package init(kernel: Int, inputs: Int, outputs: Int, activation: String) {
      (self.kernel, self.inputs, self.outputs) = (kernel, inputs, outputs)
      self.activation = activation
    }
  }

  /// The operation that joins a block's last activation a with the skip value s.
  package enum Merge: Hashable, Sendable {
    case add
    case multiply
    /// a · s + s
    case multiplyAdd

    /// The signs of the operations, in order.
    var signs: [String] {
      switch self {
      case .add: ["+"]
      case .multiply: ["×"]
      case .multiplyAdd: ["×", "+"]
      }
    }
  }

  /// The source of the skip value.
  package enum Skip: Hashable, Sendable {
    case block
    case networkInput
    /// A 1×1 convolution of the block's input.
    case projection
  }

  package struct Layer: Hashable, Sendable {
    package let name: String
    package let convolutions: [Convolution]
    /// The merge; nil for a plain convolution, and for a block that joins nothing.
    package let merge: Merge?
    package let skip: Skip
    package let isBlock: Bool

    /// Makes a block.
    package init(block name: String, _ convolutions: [Convolution], merge: Merge?, skip: Skip) {
      (self.name, self.convolutions, self.merge, self.skip) = (name, convolutions, merge, skip)
      isBlock = true
    }

    /// Makes a plain convolution.
    package init(convolution name: String, _ convolution: Convolution) {
      (self.name, convolutions, merge, skip) = (name, [convolution], nil, .block)
      isBlock = false
    }

    /// The source of its skip value; nil if it has none.
    var usedSkip: Skip? { merge == nil ? nil : skip }
  }

  /// An extra path of gradients: the gradient that layer `from` passes on is also fed to layer
  /// `to`.
  package struct Link: Hashable, Sendable {
    /// The indices of the layers.
    package let from: Int, to: Int
    /// Whether the links that end in one layer are multiplied with one another; otherwise, each is
    /// a term of a sum.
    package let isFactor: Bool

    package init(from: Int, to: Int, isFactor: Bool = false) {
      (self.from, self.to, self.isFactor) = (from, to, isFactor)
    }

    /// The quantity that the link carries.
    var load: String { isFactor ? "g" : "ρ·g" }
  }

  /// A gradient flow with its links.
  package struct Flow: Hashable, Sendable {
    package let name: String
    package let links: [Link]

    package init(name: String, links: [Link] = []) { (self.name, self.links) = (name, links) }
  }

  package let title: String
  package let layers: [Layer]
  /// A phrase for the network's output: `net.out = net.in − result`; may be empty.
  package let output: String
  package let flow: Flow?
  package let statistics: [String]

  package init(
    title: String, layers: [Layer], output: String = "", flow: Flow? = nil,
    statistics: [String] = []
  ) {
    precondition(
      (flow?.links ?? []).allSatisfy {
        layers.indices.contains($0.from) && layers.indices.contains($0.to)
      }, "Links join layers that exist.")
    (self.title, self.layers, self.output) = (title, layers, output)
    (self.flow, self.statistics) = (flow, statistics)
  }

  package func drawing() -> Drawing { NetworkLayout(self).drawing() }
}
