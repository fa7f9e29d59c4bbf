import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// The gradient by the number of blocks that it went through.
struct GradientPathTests {
  @Test(arguments: 0..<50)
  func `parts by blocks add up to the gradient in random networks`(_ number: Int) throws {
    var dice = Dice(seed: UInt64(100 + number))
    var lines: [String] = ["conv channels=\(2 + dice.next(3)) act=tanh"]
    for _ in 0..<(1 + dice.next(4)) {
      let skip = dice.pick(["block", "project", "input"])
      let channels = Int(lines[0].split(separator: "=")[1].prefix(1)) ?? 2
      lines.append(
        "block channels=\(channels) convs=\(1 + dice.next(2)) skip=\(skip) act=\(dice.pick(["tanh", "relu", "elu"]))"
      )
      if dice.next(4) == 0 { lines.append("conv channels=\(channels) act=tanh") }
    }
    let paths = try addedUp(lines + ["conv"])
    // Every block above doubles the ways, unless its skip comes from the network's input.
    if !lines.contains(where: { $0.contains("skip=input") }) {
      let blocks = lines.count { $0.hasPrefix("block") }
      #expect(paths.ways[0].reduce(0, +) == Double(1 << blocks))
    }
  }

  @Test(arguments: 0..<20)
  func `they do so where merges multiply, and where none joins`(_ number: Int) throws {
    var dice = Dice(seed: UInt64(500 + number))
    let blocks = (0..<(2 + dice.next(3))).map { _ in
      "block channels=2 act=tanh convs=\(1 + dice.next(2)) "
        + "merge=\(dice.pick(["multiply", "multiply-add", "none", "add"])) "
        + "skip=\(dice.pick(["block", "project"]))"
    }
    _ = try addedUp(["conv channels=2 act=tanh"] + blocks + ["conv"])
  }

  /// Returns the parts of a network's gradients, whose sums are checked.
  private func addedUp(_ lines: [String]) throws -> GradientPaths<Double> {
    let pass = try WaysBackTests.pass(lines, size: [2, 6, 7])
    let paths = GradientPaths(pass)
    let truth = pass.run(StandardFlow(), retention: .training).parameterGradients
    for (parts, gradient) in zip(paths.parts, truth) {
      let sum = parts.compactMap(\.self).reduce(Tensor(shape: gradient.shape, repeating: 0)) {
        $0.adding($1)
      }
      let worst = zip(sum.scalars, gradient.scalars).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 1e-6 * max(gradient.largestMagnitude(), 1e-300))
    }
    return paths
  }

  @Test func `the two parts of a block that multiplies carry each other's value as a factor`()
    throws
  {
    // h = a·x, out = w·h·h + h or w·h·h or w·h, y = c·out.
    let (a, w, c, x, t) = (0.7, -0.4, 1.1, 2.0, 0.5)
    let h = a * x
    let cases: [(merge: String, out: Double, past: Double?, through: Double)] = [
      ("multiply-add", w * h * h + h, w * h + 1, h * w), ("multiply", w * h * h, w * h, h * w),
      ("none", w * h, nil, w),
    ]
    for (merge, out, past, through) in cases {
      var network = try Network<Float>(
        lines: [
          "conv kernel=1 bias=no", "block channels=1 kernel=1 act=linear bias=no merge=\(merge)",
          "conv kernel=1 bias=no",
        ]
      ).doubles
      network.parameters = [a, w, c].map { Tensor(shape: [1, 1, 1, 1], scalars: [$0]) }
      let shape: Shape = [1, 1, 1, 1]
      let parts = GradientPaths(
        TrainingPass(
          network: network, input: Tensor(shape: shape, scalars: [x]),
          target: Tensor(shape: shape, scalars: [t]), loss: .meanSquaredError)
      ).parts[0].map { $0?.scalars[0] }
      let e = 2 * (c * out - t) * c * x
      #expect((parts[0] == nil) == (past == nil), "\(merge)")
      if let found = parts[0], let past { #expect(abs(found - e * past) < 1e-12, "\(merge)") }
      #expect(abs((parts[1] ?? .nan) - e * through) < 1e-12, "\(merge)")
    }
  }

  @Test func `the parts of two linear blocks are the products written out by hand`() throws {
    // out = c·(1 + w₂)(1 + w₁)·a·x, with kernels 1×1 of one channel: every pullback is a product.
    var network = try Network<Float>(
      lines: [
        "conv kernel=1 bias=no", "block channels=1 kernel=1 act=linear bias=no",
        "block channels=1 kernel=1 act=linear bias=no", "conv kernel=1 bias=no",
      ]
    ).doubles
    let (a, w1, w2, c) = (0.7, -0.4, 0.3, 1.1)
    network.parameters = [a, w1, w2, c].map { Tensor(shape: [1, 1, 1, 1], scalars: [$0]) }
    let (x, t) = (2.0, 0.5)
    let shape: Shape = [1, 1, 1, 1]
    let paths = GradientPaths(
      TrainingPass(
        network: network, input: Tensor(shape: shape, scalars: [x]),
        target: Tensor(shape: shape, scalars: [t]), loss: .meanSquaredError))
    let e = 2 * (c * (1 + w2) * (1 + w1) * a * x - t)
    let expected: [[Double]] = [
      [e * c * x, e * c * (w1 + w2) * x, e * c * w1 * w2 * x],
      [e * c * a * x, e * c * w2 * a * x],
      [e * c * (1 + w1) * a * x],
      [e * (1 + w2) * (1 + w1) * a * x],
    ]
    for (parts, wanted) in zip(paths.parts, expected) {
      let found = parts.prefix(wanted.count).map { $0?.scalars[0] ?? .nan }
      for (part, number) in zip(found, wanted) { #expect(abs(part - number) < 1e-12) }
      #expect(parts.dropFirst(wanted.count).allSatisfy { $0 == nil })
    }
    #expect(paths.ways[0] == [1, 2, 1])
  }
}
