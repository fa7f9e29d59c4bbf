/// The thing that a flow feeds layers with in place of the gradient that the layer above passes on, as diagrams show it.
package struct Replacement: Hashable, Sendable {
  /// The way by which it comes to a layer.
  package enum Way: Hashable, Sendable {
    /// From the layer above, as a gradient does.
    case fromAbove
    /// From the network's output, past all layers between.
    case fromOutput
    /// From the layer's own output.
    case fromItself
    /// From the layer below, with the values.
    case fromBelow
    /// From nowhere: the gradient is 0.
    case nothing
  }

  package let way: Way
  /// The letters for it, such as `B e`.
  package let sign: String
  /// A few words for it.
  package let words: String
  /// The places, among the network's layers, of those that are fed with it.
  package let layers: [Int]

  init(_ way: Way, _ sign: String, _ words: String, layers: [Int]) {
    (self.way, self.sign, self.words, self.layers) = (way, sign, words, layers)
  }
}
