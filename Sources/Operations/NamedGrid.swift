package import Tensors

/// A tensor with a name, whose numbers are factors of terms.
///
/// It has the axes `[n, c, y, x]`, or `[o]` for a bias. An axis of extent 1 serves every position, as
/// one channel serves all channels that it joins.
package struct NamedGrid: Sendable {
  package let name: String
  /// The name in formulas: the whole name, or a part of it.
  package let letter: String
  private let numbers: Value<Float>
  package let shape: Shape
  /// How many axes, counted from the last, a place tells.
  private let rank: Int

  package init(name: String, letter: String? = nil, _ value: Value<Float>) {
    (self.name, self.letter, numbers) = (name, letter ?? name, value)
    (shape, rank) = (value.shape, value.shape.rank)
  }

  /// The same numbers with axes of one in front, up to four; places tell the axes there were.
  package init(image name: String, _ tensor: Tensor<Float>) {
    (self.name, letter, rank) = (name, name, tensor.shape.rank)
    shape = tensor.shape.asImage
    numbers = .tensor(tensor.reshaped(shape))
  }

  /// All numbers in row-major order; made anew, so take it once.
  package var tensor: Tensor<Float> { numbers.tensor }

  /// All places in row-major order.
  var places: [[Int]] { (0..<shape.count).map { shape.position(of: $0) } }

  /// Returns the number at `index`.
  package func value(_ index: [Int]) -> Double {
    switch numbers {
    case .map(let map): Double(map.element(at: own(index)))
    case .tensor(let tensor): Double(tensor.scalars[shape.offset(of: own(index))])
    case .number(let number): number
    case .released: preconditionFailure("A value that was let go of is not read.")
    }
  }

  /// Returns the number at `index` with its name.
  package func factor(_ index: [Int]) -> Explanation.Factor {
    Explanation.Factor(place(index), value(index))
  }

  /// Returns the name of one number, such as `w[0,0,1,1]`.
  package func place(_ index: [Int]) -> String {
    let told = own(index).suffix(rank).map(String.init).joined(separator: ",")
    return told.isEmpty ? name : "\(name)[\(told)]"
  }

  private func own(_ index: [Int]) -> [Int] {
    zip(index, shape.extents).map { $1 == 1 ? 0 : $0 }
  }
}

extension Shape {
  /// The same with axes of one in front, up to four.
  package var asImage: Shape { Shape(Array(repeating: 1, count: max(0, 4 - rank)) + extents) }
}
