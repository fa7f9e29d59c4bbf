import Foundation
import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// Networks with strides, groups, norms, pools, up-sampling and joins against PyTorch: `Tests/Fixtures/shapes`.
struct NetworkShapeTests {
  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    let lines: [String]
    let size: [Int]
    let loss: Double
    let output: [Double]
    let gradients: [String: [Double]]
    let statistics: [String: [Double]]

    var testDescription: String { lines.joined(separator: "; ") }
  }

  static let cases = (try? Fixture("shapes").json("cases.json", as: [Case].self)) ?? []

  @Test func `there are at least 200`() { #expect(Self.cases.count >= 200) }

  @Test(arguments: cases)
  func `loss, output, gradients and running statistics equal PyTorch's`(_ expected: Case) throws {
    let pass = try Self.pass(expected)
    let result = pass.run(StandardFlow(), retention: .training)
    #expect(abs(result.loss - expected.loss) <= 1e-10 * max(1, abs(expected.loss)))
    Self.expect(result.output.tensor, expected.output, "output")
    let network = pass.network
    #expect(Set(network.parameterNames) == Set(expected.gradients.keys))
    for (name, gradient) in zip(network.parameterNames, result.parameterGradients) {
      Self.expect(gradient, try #require(expected.gradients[name]), name)
    }
    for (name, statistic) in zip(network.bufferNames, result.buffers) {
      Self.expect(statistic, try #require(expected.statistics[name]), name)
    }
    #expect(result.buffers.count == expected.statistics.count)
  }

  @Test(arguments: cases)
  func `the tape gives the same, and each operation alone the same bits`(
    _ expected: Case
  ) throws {
    let pass = try Self.pass(expected)
    let result = pass.run(StandardFlow(), retention: .training)
    let separate = pass.run(StandardFlow(), retention: .everything)
    let tape = pass.run(TapeFlow(), retention: .training)
    #expect(separate.loss == result.loss)
    let rows = zip(
      pass.network.parameterNames,
      zip(result.parameterGradients, zip(separate.parameterGradients, tape.parameterGradients)))
    // What the loss does not depend on, such as a bias before a batch norm, is rounding.
    let largest = result.parameterGradients.map { $0.largestMagnitude() }.max() ?? 0
    for (name, (fused, (alone, taped))) in rows {
      #expect(fused.fingerprint == alone.fingerprint, "\(name)")
      let difference = zip(fused.scalars, taped.scalars).map { abs($0 - $1) }.max() ?? 0
      #expect(difference <= 1e-10 * max(1, largest), "\(name): \(difference)")
    }
  }

  @Test(arguments: cases.enumerated().filter { $0.offset % 4 == 0 }.map(\.element))
  func `in Float it is the same to rounding, and the same bits fused and alone`(
    _ expected: Case
  ) throws {
    let exact = try Self.pass(expected)
    var network = try Network<Float>(lines: expected.lines)
    network.parameters = exact.network.parameters.map { $0.floats() }
    let pass = TrainingPass<Float>(
      network: network, input: exact.input.floats(), target: exact.target.floats(),
      loss: .meanSquaredError)
    let result = pass.run(StandardFlow(), retention: .training)
    let separate = pass.run(StandardFlow(), retention: .everything)
    let reference = exact.run(StandardFlow(), retention: .training)
    let largest = reference.parameterGradients.map { $0.largestMagnitude() }.max() ?? 0
    for (index, name) in network.parameterNames.enumerated() {
      #expect(
        result.parameterGradients[index].fingerprint
          == separate.parameterGradients[index].fingerprint, "\(name)")
      let difference =
        zip(
          result.parameterGradients[index].scalars, reference.parameterGradients[index].scalars
        ).map { abs(Double($0) - $1) }.max() ?? 0
      #expect(difference <= 2e-4 * max(largest, 1e-3), "\(name): \(difference) of \(largest)")
    }
  }

  @Test(arguments: cases.enumerated().filter { $0.offset % 8 == 1 }.map(\.element))
  func `threads and fusing instruction sets change no bit`(_ expected: Case) throws {
    let pass = try Self.pass(expected)
    let network = try Network<Float>(lines: expected.lines)
    let short = TrainingPass<Float>(
      network: network, input: pass.input.floats(), target: pass.target.floats(),
      loss: .meanSquaredError)
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let sets = InstructionSet.available.filter { $0.isFused == InstructionSet.current.isFused }
    let found = sets.flatMap { set in
      [1, 2, 3].map { threads in
        Parallelism.threads = threads
        return InstructionSet.$current.withValue(set) {
          let result = short.run(StandardFlow(), retention: .training)
          return ([result.output.tensor] + result.parameterGradients + result.buffers)
            .map(\.fingerprint)
        }
      }
    }
    #expect(Set(found).count == 1, "\(sets.count) instruction sets, 3 numbers of threads")
  }

  @Test(arguments: ["join c1", "join c1 how=concat", "block channels=4 skip=input", "join net.in"])
  func `values of other scales do not join`(_ line: String) throws {
    let network = try Network<Float>(lines: ["conv channels=4", "pool max", line, "up", "conv"])
    let error = #expect(throws: NetworkError.self) {
      try network.requireLayersFit(height: 32, width: 32)
    }
    #expect(error?.message.contains("[1,4,16,16]") == true, "\(error?.message ?? "")")
    #expect(network.misfit(height: 32, width: 32) != nil)
    #expect(network.fitting(height: 32, width: 32) == nil)
  }

  static func pass(_ expected: Case) throws -> TrainingPass<Double> {
    var network = try Network<Float>(lines: expected.lines).doubles
    network.parameters = zip(network.parameterNames, network.parameters).enumerated().map {
      index, entry in
      numbers(
        entry.1.shape, index + 1, 0.3, shift: entry.0.hasSuffix("norm.weight") ? 1 : 0)
    }
    let shape: Shape = [expected.size[0], 1, expected.size[1], expected.size[2]]
    return TrainingPass(
      network: network, input: numbers(shape, 91, 1), target: numbers(shape, 57, 0.5),
      loss: .meanSquaredError)
  }

  static func numbers(
    _ shape: Shape, _ j: Int, _ scale: Double, shift: Double = 0
  ) -> Tensor<Double> {
    Tensor(
      shape: shape,
      scalars: (0..<shape.count).map {
        sin(1.3 * Double($0) + 0.7 * Double(j) + 0.1) * scale + shift
      })
  }

  static func expect(
    _ tensor: Tensor<Double>, _ expected: [Double], _ name: String, within allowed: Double = 1e-10
  ) {
    var (sums, scale) = ([0.0, 0, 0], 1.0)
    for (k, value) in tensor.scalars.enumerated() {
      let place = Double(k)
      let wave = cos(0.37 * place * Double(k % 97))
      for (index, factor) in [1, cos(place), wave].enumerated() { sums[index] += value * factor }
      scale += abs(value)
    }
    for (found, wanted) in zip(sums, expected) {
      #expect(abs(found - wanted) <= allowed * scale, "\(name): \(found), expected \(wanted)")
    }
  }
}
