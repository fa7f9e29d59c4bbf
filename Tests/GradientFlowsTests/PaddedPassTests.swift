import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// Passes on images that do not fit the network, and effective receptive fields.
struct PaddedPassTests {
  private static let halves = [
    "conv channels=2 act=tanh", "pool mean", "conv channels=2 act=tanh", "up", "conv",
  ]

  private func image(_ height: Int, _ width: Int, _ name: String) -> Tensor<Double> {
    let stream = RandomStream(seed: 5, name: name)
    return Tensor(
      shape: [1, 1, height, width],
      scalars: (0..<height * width).map { stream.uniform(at: $0) })
  }

  @Test func `an image is reflected at its last row and column`() {
    let image = Tensor<Float>(shape: [1, 1, 2, 3], scalars: [0, 1, 2, 3, 4, 5])
    // numpy.pad([[0, 1, 2], [3, 4, 5]], ((0, 1), (0, 2)), mode="reflect")
    #expect(
      image.reflected(toHeight: 3, width: 5).scalars == [
        0, 1, 2, 1, 0, 3, 4, 5, 4, 3, 0, 1, 2, 1, 0,
      ])
    #expect(image.middle(side: 1).scalars == [1])
  }

  @Test func `the loss of a padded image is that of its own pixels`() throws {
    let network = try Network<Float>(lines: Self.halves).doubles
    let (input, target) = (image(11, 9, "input"), image(11, 9, "target"))
    let pass = TrainingPass(
      network: network, input: input, target: target, loss: .meanSquaredError
    ).padded()
    #expect(pass.input.shape == [1, 1, 12, 10])
    let output = network.output(of: FeatureMap(pass.input)).tensor.cropped(toHeight: 11, width: 9)
    let loss =
      zip(output.scalars, target.scalars).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 99
    let result = pass.run(StandardFlow(), retention: .training)
    #expect(abs(result.loss - loss) < 1e-14)
    // Central differences of that loss by one weight.
    func shifted(_ step: Double) -> Double {
      var network = network
      var weight = network.parameters[0].scalars
      weight[3] += step
      network.parameters[0] = Tensor(shape: network.parameters[0].shape, scalars: weight)
      return pass.with(network).lossAlone()
    }
    let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5
    #expect(abs(result.parameterGradients[0].scalars[3] - slope) < 1e-9)
  }

  @Test func `a mask stays, and the padding is masked`() throws {
    let network = try Network<Float>(lines: Self.halves).doubles
    let mask = Tensor<Double>(shape: [1, 1, 3, 3], scalars: [1, 0, 1, 1, 1, 1, 0, 1, 1])
    let pass = TrainingPass(
      network: network, input: image(3, 3, "input"), target: image(3, 3, "target"), mask: mask,
      loss: .meanSquaredError
    ).padded()
    #expect(pass.mask?.scalars == [1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0])
  }

  // MARK: - Effective receptive fields

  @Test func `the field of one convolution is the size of its kernel, turned`() throws {
    var network = try Network<Float>(lines: ["conv"])
    let kernel: [Float] = [0.01, -0.2, 0.3, 0.4, -1, 0.6, 0.7, 0.8, 0.05]
    network.parameters = [
      Tensor(shape: [1, 1, 3, 3], scalars: kernel), Tensor(shape: [1], scalars: [0]),
    ]
    let field = EffectiveField(
      ofLayer: 0, in: network, inputs: image(7, 7, "input").floats())
    let square = field.square(side: 3)
    #expect(square.rows == 2...4 && square.columns == 2...4)
    let seen = (2...4).flatMap { row in (2...4).map { field.gradients.scalars[row * 7 + $0] } }
    #expect(seen == kernel.map(abs))
    #expect(field.pixels == 8, "0.01 is below 4.55 % of 1")
  }

  @Test(arguments: [
    ["conv channels=3 act=relu", "conv channels=3 act=relu", "conv"],
    ["block channels=2 act=tanh", "block channels=2 act=tanh", "conv dilation=2"],
    [
      "conv channels=2 stride=2 kernel=3", "conv channels=2 transpose=yes kernel=2 stride=2",
      "conv",
    ],
    ["conv channels=2 norm=batch", "pool mean", "conv channels=2", "up", "conv"],
  ])
  func `no pixel outside the theoretical field moves the middle pixel`(
    _ lines: [String]
  ) throws {
    let network = try Network<Float>(lines: lines)
    for index in network.layers.indices {
      let field = EffectiveField(
        ofLayer: index, in: network, inputs: image(40, 40, "input").floats())
      let side = network.receptiveFields[index].side
      // With pools the middle pixel's field lies beside the middle by half a pixel of the coarsest scale.
      let square = field.square(side: side + 4)
      for place in field.gradients.scalars.indices where field.gradients.scalars[place] != 0 {
        #expect(square.rows.contains(place / 40) && square.columns.contains(place % 40))
      }
      #expect(field.pixels > 0)
      #expect(field.side <= Double(side))
    }
  }
}
