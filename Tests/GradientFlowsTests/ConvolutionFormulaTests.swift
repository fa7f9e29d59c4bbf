import Operations
import Tensors
import TestSupport
import Testing

/// The formulas of convolutions of every geometry, read and computed as a person would read them.
struct ConvolutionFormulaTests {
  static let geometries: [(ConvolutionGeometry, side: Int)] = [
    (.plain, 3), (.init(stride: 2), 3), (.init(stride: 3, padding: .none), 2),
    (.init(dilation: 2), 3), (.init(groups: 2), 5), (.init(padding: .none), 4),
    (.init(stride: 2, groups: 2, padding: .none, isTransposed: true), 3),
    (.init(dilation: 3, isTransposed: true), 3), (.init(stride: 2, isTransposed: true), 4),
  ]

  @Test(arguments: geometries)
  func `a formula computes what its operation does`(
    _ geometry: ConvolutionGeometry, _ side: Int
  ) throws {
    let kernel = try #require(geometry.kernelShape(inputs: 4, outputs: 6, kernel: side))
    let shapes: [Shape] = [[2, 4, 7, 8], kernel, [6]]
    let stream = RandomStream(seed: 11, name: "formula")
    func numbers(_ shape: Shape, from start: Int) -> Tensor<Double> {
      Tensor(shape: shape, scalars: (0..<shape.count).map { stream.normal(at: start + $0) })
    }
    let operation = Convolution2D(geometry)
    let (x, w, b) = (
      numbers(shapes[0], from: 0), numbers(shapes[1], from: 1 << 20),
      numbers(shapes[2], from: 1 << 30)
    )
    let values: [Value<Double>] = [.map(FeatureMap(x)), .tensor(w), .tensor(b)]
    let z = operation.forward(values)
    let gradient = numbers(z.shape, from: 1 << 40)
    let names = OperationNames(operands: ["x", "w", "b"], result: "z", areLetters: true)
    let known = ["x": x, "w": w, "b": b, "z.grad": gradient]
    func read(_ formula: String, _ shape: Shape) throws -> Tensor<Double> {
      try FormulaReader.value(formula, target: shape) { try #require(known[$0]) }
    }
    expectClose(try read(operation.formula(names), z.shape), z.tensor, within: 1e-12, "z")
    for (number, operand) in [x, w, b].enumerated() {
      let formula = operation.pullbackFormula("z.grad", to: number, names)
      let pulled = operation.pullback(
        .map(FeatureMap(gradient)), to: number, OperationValues(operands: values, result: z))
      expectClose(
        try read(formula.text, operand.shape), pulled.tensor, within: 1e-12, formula.text)
    }
  }
}
