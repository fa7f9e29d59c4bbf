import Networks
import Tensors
import TestSupport
import Testing
import Training

/// What the last layer can reach, pixel by pixel.
struct OutputBoundTests {
  /// The nearest reachable value to each of −3, 0.2 and 5 when the network's input is `x`.
  private func best(_ line: String, x: Float, _ rest: [String] = []) throws -> [Float]? {
    let network = try Network(lines: ["conv channels=2", line] + rest)
    let targets: [Float] = [-3, 0.2, 5]
    return OutputBound(of: network)?.best(
      Tensor(shape: [1, 1, 1, 3], scalars: targets),
      input: Tensor(shape: [1, 1, 1, 3], repeating: x)
    ).scalars
  }

  @Test func `a gate of one plus ReLU can only amplify`() throws {
    let line = "block channels=1 merge=multiply-add skip=input act=relu"
    #expect(try best(line, x: 1) == [1, 1, 5])
    #expect(try best(line, x: -2) == [-3, -2, -2])
    #expect(try best(line, x: 0) == [0, 0, 0])
  }

  @Test func `a sigmoid gate attenuates, a tanh gate turns the sign`() throws {
    #expect(
      try best("block channels=1 merge=multiply skip=input act=sigmoid", x: 2) == [0, 0.2, 2])
    #expect(try best("block channels=1 merge=multiply skip=input act=tanh", x: 2) == [-2, 0.2, 2])
    #expect(
      try best("block channels=1 merge=multiply-add skip=input act=tanh", x: 2) == [0, 0.2, 4])
  }

  @Test func `an added ReLU only brightens, and so does a subtracted one darken`() throws {
    let line = "block channels=1 merge=add skip=input act=relu"
    #expect(try best(line, x: 1) == [1, 1, 5])
    #expect(try best("conv channels=1 act=relu", x: 1) == [0, 0.2, 5])
    #expect(try best("conv channels=1 act=relu", x: 1, ["output subtract"]) == [-3, 0.2, 1])
  }

  @Test func `what reaches everything has no bound`() throws {
    #expect(try best("conv channels=1", x: 1) == nil)
    #expect(try best("block channels=1 merge=multiply skip=input act=leaky-relu", x: 1) == nil)
    // The block's input is made by other layers.
    #expect(try best("block channels=1 merge=multiply-add skip=project act=relu", x: 1) == nil)
  }
}
