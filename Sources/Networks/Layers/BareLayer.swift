package import Tensors

/// A layer without numbers that training changes.
package protocol BareLayer: Layer {
  associatedtype InDouble: Layer<Double>

  /// The same layer between maps of Double.
  var inDouble: InDouble { get }
}

extension BareLayer {
  package var parameterNames: [String] { [] }
  package var parameters: [Tensor<Element>] { [] }
  package mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {}
  package var convolutionSizes: [ConvolutionSize] { [] }
  package var doubles: any Layer<Double> { inDouble }
}
