import Foundation
import Tensors
import TestSupport
import Testing

/// Philox against Random123's known answers, draws against an independent evaluation in Python.
struct RandomStreamTests {
  struct Reference: Decodable {
    let philox: [Answer]
    let draws: [Draw]
  }

  struct Answer: Decodable {
    let counter: [String]
    let key: [String]
    let result: [String]
  }

  struct Draw: Decodable {
    let seed: String
    let name: String
    let index: Int
    let uniform: Double
    let normal_even: Double
    let normal_odd: Double
  }

  private let reference: Reference

  init() throws {
    reference = try Fixture("random").json("random.json", as: Reference.self)
  }

  @Test func `Philox gives Random123's known answers`() throws {
    for answer in reference.philox {
      let counter = try answer.counter.map(word)
      let key = try answer.key.map(word)
      let result = philox4x32(
        counter: [counter[0], counter[1], counter[2], counter[3]], key: [key[0], key[1]])
      let expected = try answer.result.map(word)
      #expect(expected == (0..<4).map { result[$0] })
    }
  }

  @Test func `draws equal an independent evaluation`() throws {
    for draw in reference.draws {
      let seed = try #require(UInt64(draw.seed.dropFirst(2), radix: 16))
      let stream = RandomStream(seed: seed, name: draw.name)
      #expect(stream.uniform(at: draw.index) == draw.uniform)
      #expect(abs(stream.normal(at: 2 * draw.index) - draw.normal_even) < 1e-15)
      #expect(abs(stream.normal(at: 2 * draw.index + 1) - draw.normal_odd) < 1e-15)
    }
  }

  @Test func `a run of normals does not depend on where it begins`() {
    let stream = RandomStream(seed: 9, name: "run")
    for start in [0, 1, 6, 7] {
      let run = Tensor<Float>(shape: [11]) { stream.fillNormals($0, from: start, deviation: 3) }
      #expect(run.scalars == (0..<11).map { Float(3 * stream.normal(at: start + $0)) })
    }
  }

  @Test func `normals have mean 0, deviation 1 and the normal's tails`() {
    let stream = RandomStream(seed: 1, name: "moments")
    let draws = (0..<200_000).map { stream.normal(at: $0) }
    let mean = draws.reduce(0, +) / 200_000
    let variance = draws.reduce(0) { $0 + $1 * $1 } / 200_000
    #expect(abs(mean) < 0.01)
    #expect(abs(variance - 1) < 0.015)
    #expect(abs(Double(draws.count { abs($0) > 2 }) / 200_000 - 0.0455) < 0.003)
  }

  @Test func `a permutation holds every number once`() {
    for count in [0, 1, 2, 100] {
      let order = RandomStream(seed: 4, name: "shuffle").permutation(count)
      #expect(order.sorted() == Array(0..<count))
    }
  }

  @Test func `the own logarithm, sine and cosine agree with the C library`() {
    for i in 1...2000 {
      let x = pow(10, Double(i % 600) / 20 - 15) * Double(i)
      #expect(abs(ReproducibleMath.log(x) - log(x)) <= 4e-16 * max(1, abs(log(x))))
      let (sine, cosine) = ReproducibleMath.sineAndCosine(turns: Double(i) / 2001)
      let angle = 2 * Double.pi * Double(i) / 2001
      #expect(abs(sine - sin(angle)) < 2e-15)
      #expect(abs(cosine - cos(angle)) < 2e-15)
    }
  }

  private func word(_ text: String) throws -> UInt32 {
    try #require(UInt32(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16))
  }
}
