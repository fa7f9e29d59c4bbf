import Foundation
import Tensors
import TestSupport
import Testing

/// `.npy` files written by NumPy: `Tests/Fixtures/npy`.
struct NPYTests {
  struct Cases: Decodable {
    let readable: [Readable]
    let refused: [Refused]
  }

  struct Readable: Decodable {
    let file: String
    let shape: [Int]
    let values: [Number]
  }

  struct Refused: Decodable {
    let file: String
  }

  /// A number, or `"nan"`, `"inf"`, `"-inf"`.
  struct Number: Decodable {
    let value: Double

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        value = number
      } else if let truth = try? container.decode(Bool.self) {
        value = truth ? 1 : 0
      } else {
        value = Double(try container.decode(String.self)) ?? .nan
      }
    }
  }

  private let fixture = Fixture("npy")

  @Test func `every type, order and version of NumPy reads as its numbers`() throws {
    for test in try fixture.json("cases.json", as: Cases.self).readable {
      let tensor = try NPY.decode(try fixture.data(test.file))
      #expect(tensor.shape.extents == test.shape, "\(test.file)")
      #expect(
        zip(tensor.scalars, test.values).allSatisfy {
          $0 == $1.value || $0.isNaN && $1.value.isNaN
        },
        "\(test.file)")
      #expect(tensor.scalars.count == test.values.count)
    }
  }

  @Test func `damaged, hostile and foreign files are refused`() throws {
    for test in try fixture.json("cases.json", as: Cases.self).refused {
      let data = try fixture.data(test.file)
      #expect(throws: TensorError.self, "\(test.file)") { try NPY.decode(data) }
    }
  }

  @Test func `what is written reads back as it was`() throws {
    for shape: Shape in [[], [3], [2, 0], [2, 3], [1, 2, 3, 4]] {
      let tensor = Tensor<Float>(
        shape: shape, scalars: (0..<shape.count).map { Float($0) * 0.1 - 0.3 })
      let data = NPY.encode(tensor)
      let read = try NPY.decode(data)
      #expect(read.shape == shape)
      #expect(read.floats().scalars == tensor.scalars)
      #expect((data.count - 4 * shape.count) % 64 == 0)
    }
  }
}
