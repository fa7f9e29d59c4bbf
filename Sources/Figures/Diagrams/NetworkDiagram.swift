/// A diagram of a network: blocks with their convolutions, skips and merges; and, if wanted, the
/// paths of gradients.
package struct NetworkDiagram: Figure {
  /// A box: a convolution and the activation after it, or another layer.
  package struct Convolution: Hashable, Sendable {
    /// The operation, such as `conv 3×3` or `max pool`.
    package let title: String
    package let inputs: Int, outputs: Int
    /// The norm and the activation, or how a layer joins another.
    package let activation: String

    package init(title: String, inputs: Int, outputs: Int, activation: String) {
      (self.title, self.inputs, self.outputs) = (title, inputs, outputs)
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
    /// The scale of its image.
    package var scale = Scale()

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

  /// The size of a layer's image beside that of the network's input.
  package struct Scale: Hashable, Sendable {
    /// The words for it, such as `1/2`; empty for the input's size.
    package let words: String
    /// How often its sides are halved.
    package let halvings: Int

    package init(_ words: String = "", halvings: Int = 0) {
      (self.words, self.halvings) = (words, halvings)
    }
  }

  /// A value that a layer reads from further up than the layer before it.
  package struct Reach: Hashable, Sendable {
    /// The index of the layer whose output it is; nil for the network's input.
    package let from: Int?
    /// The index of the layer that reads it.
    package let to: Int
    /// Whether the layer is given it instead of the output of the layer before.
    package let isInput: Bool

    package init(from: Int?, to: Int, isInput: Bool = false) {
      (self.from, self.to, self.isInput) = (from, to, isInput)
    }
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

  /// Something that layers are fed with in place of the gradient that the layer above passes on.
  package struct Replacement: Hashable, Sendable {
    /// The way by which it comes to a layer: from the layer above or below, from the network's output, from the
    /// layer's own output, or not at all.
    package enum Way: Hashable, Sendable {
      case fromAbove
      case fromBelow
      case fromOutput
      case fromItself
      case nothing
    }

    package let way: Way
    /// The letters on its arrows, and the words in the legend.
    package let sign: String, words: String
    /// The indices of the layers that are fed with it.
    package let layers: Set<Int>

    package init(_ way: Way, sign: String, words: String, layers: [Int]) {
      (self.way, self.sign, self.words, self.layers) = (way, sign, words, Set(layers))
    }
  }

  /// A gradient flow with its links.
  package struct Flow: Hashable, Sendable {
    package let name: String
    package let links: [Link]
    /// The thing that some layers are fed with instead; nil where all get the gradient.
    package let replacement: Replacement?
    /// The runs of layers whose values are computed a second time on the way back.
    package let computedTwice: [ClosedRange<Int>]

    package init(
      name: String, links: [Link] = [], replacement: Replacement? = nil,
      computedTwice: [ClosedRange<Int>] = []
    ) {
      (self.name, self.links) = (name, links)
      (self.replacement, self.computedTwice) = (replacement, computedTwice)
    }
  }

  package let title: String
  package let layers: [Layer]
  /// The values that are joined, or given, over a distance.
  package let reaches: [Reach]
  /// A phrase for the network's output: `net.out = net.in − result`; may be empty.
  package let output: String
  package let flow: Flow?
  /// How far a pass has come; nil without one.
  package var walk: Walk?
  package let statistics: [String]

  package init(
    title: String, layers: [Layer], reaches: [Reach] = [], output: String = "", flow: Flow? = nil,
    statistics: [String] = []
  ) {
    precondition(
      (flow?.links ?? []).allSatisfy {
        layers.indices.contains($0.from) && layers.indices.contains($0.to)
      }, "Links join layers that exist.")
    (self.title, self.layers, self.reaches, self.output) = (title, layers, reaches, output)
    (self.flow, self.statistics) = (flow, statistics)
  }

  /// Whether a layer is given what the layer before it hands on.
  func isFedByNeighbor(_ index: Int) -> Bool {
    !reaches.contains { $0.to == index && $0.isInput }
  }

  package func drawing() -> Drawing { NetworkLayout(self).drawing() }
}
