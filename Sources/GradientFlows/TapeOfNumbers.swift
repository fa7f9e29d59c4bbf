// Operations of the tape on small tensors that somebody typed: `y = (c + d) + c*d`.
//
// They are maps of `[1, 1, H, W]` like those of a network; a single number is a map of one pixel.

import Tensors

extension Tape {
  /// One number at every place of `shape`; backwards, the sum over them.
  mutating func spread(_ x: TapeVariable, to shape: Shape) -> TapeVariable {
    write([(x, { .map(FeatureMap(shape: [1, 1, 1, 1], number: $0.map.total())) })]) {
      .map(FeatureMap(shape: shape, number: $0[0].map.total()))
    }
  }

  /// −x.
  mutating func negative(_ x: TapeVariable) -> TapeVariable {
    write([(x, { .map($0.map.negated()) })]) { .map($0[0].map.negated()) }
  }

  /// x / y, element by element.
  mutating func ratio(_ x: TapeVariable, _ y: TapeVariable) -> TapeVariable {
    let (top, bottom) = (map(x), map(y))
    let value = top.divided(by: bottom)
    return write([
      (x, { .map($0.map.divided(by: bottom)) }),
      (y, { .map($0.map.multiplied(by: value).divided(by: bottom).negated()) }),
    ]) { .map($0[0].map.divided(by: $0[1].map)) }
  }

  /// Σ x, a single number.
  mutating func total(_ x: TapeVariable) -> TapeVariable { scaledTotal(x, by: 1) }

  /// Σ x / n, a single number.
  mutating func mean(_ x: TapeVariable) -> TapeVariable {
    scaledTotal(x, by: 1 / Double(map(x).shape.count))
  }

  private mutating func scaledTotal(_ x: TapeVariable, by factor: Double) -> TapeVariable {
    let shape = map(x).shape
    return write([(x, { .map(FeatureMap(shape: shape, number: $0.map.total() * factor)) })]) {
      .map(FeatureMap(shape: [1, 1, 1, 1], number: $0[0].map.total() * factor))
    }
  }

  /// x ∗ w, where the kernel `[O, C, k, k]` is a map, too.
  mutating func convolution(_ x: TapeVariable, kernel: TapeVariable) -> TapeVariable {
    let (input, weight) = (map(x), map(kernel).tensor)
    return write([
      (x, { .map(Convolution.inputGradient($0.map, kernel: weight)) }),
      (
        kernel,
        {
          .map(
            FeatureMap(
              Convolution.kernelGradient(input, $0.map, kernelShape: weight.shape)))
        }
      ),
    ]) { .map(Convolution.forward($0[0].map, kernel: $0[1].map.tensor, bias: nil)) }
  }

  /// The number that a map of one pixel holds, from which a reading may begin.
  mutating func number(of x: TapeVariable) -> TapeVariable {
    write([(x, { .map(FeatureMap(shape: [1, 1, 1, 1], number: $0.number)) })]) {
      .number($0[0].map.total())
    }
  }
}

extension FeatureMap {
  /// The same number at every place.
  fileprivate init(shape: Shape, number: Double) {
    self.init(Tensor(shape: shape, repeating: Element(number)))
  }
}
