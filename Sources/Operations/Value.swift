package import Tensors

/// A value that operations read and write: a feature map, a parameter, or a single number.
package enum Value<Element: Scalar>: Sendable {
  /// `[N, C, H, W]`, in the engine's layout.
  case map(FeatureMap<Element>)
  /// A kernel `[O, I, k, k]` or a bias `[O]`.
  case tensor(Tensor<Element>)
  /// A sum over all pixels, such as a loss, kept in Double.
  case number(Double)
  /// A value of this shape that was let go of.
  case released(Shape)

  /// Returns the sum of two values of one kind and shape.
  package func adding(_ other: Value) -> Value {
    switch (self, other) {
    case (.map(let a), .map(let b)): .map(a.adding(b))
    case (.tensor(let a), .tensor(let b)): .tensor(a.adding(b))
    case (.number(let a), .number(let b)): .number(a + b)
    default: preconditionFailure("Values that are added are of one kind.")
    }
  }

  /// Returns the value with one element moved by `shift`, for central differences.
  package func moved(at offset: Int, by shift: Element) -> Value {
    switch self {
    case .number(let number): return .number(number + Double(shift))
    case .released: preconditionFailure("A value that was let go of is not moved.")
    case .tensor(var tensor):
      tensor.scalars[offset] += shift
      return .tensor(tensor)
    case .map(let map):
      var tensor = map.tensor
      tensor.scalars[offset] += shift
      return .map(FeatureMap(tensor))
    }
  }

  /// The shape; that of a single number has no axes.
  package var shape: Shape {
    switch self {
    case .map(let map): map.shape
    case .tensor(let tensor): tensor.shape
    case .number: []
    case .released(let shape): shape
    }
  }

  /// Whether nothing but the shape is there.
  package var isReleased: Bool { if case .released = self { true } else { false } }

  /// The feature map; a precondition holds that it is one.
  package var map: FeatureMap<Element> {
    guard case .map(let map) = self else { preconditionFailure("The value is a map.") }
    return map
  }

  /// The numbers in row-major order, whatever the kind; a single number has no axes.
  package var tensor: Tensor<Element> {
    switch self {
    case .map(let map): map.tensor
    case .tensor(let tensor): tensor
    case .number(let number): Tensor(shape: [], scalars: [Element(number)])
    case .released: preconditionFailure("A value that was let go of is not read.")
    }
  }

  /// The single number; a precondition holds that it is one.
  package var number: Double {
    guard case .number(let number) = self else { preconditionFailure("The value is a number.") }
    return number
  }
}

extension FeatureMap {
  /// A map with one number at every place.
  package init(shape: Shape, number: Double) {
    self.init(Tensor(shape: shape, repeating: Element(number)))
  }
}
