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

  @Test func `the shape is known before the numbers are read, and reading stops`() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).npy")
    defer { try? FileManager.default.removeItem(at: url) }
    // A gigabyte that takes no place on the disk.
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1024, 512, 512), }\n"
    let header =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    try Data(header).write(to: url)
    let file = try FileHandle(forWritingTo: url)
    try file.truncate(atOffset: UInt64(header.count) + 1 << 30)
    try file.close()
    let array = try NPYFile(path: url.path)
    #expect(array.shape == [1024, 512, 512])
    #expect(!array.isFortranOrder)
    var asked = 0
    let stopped = try array.numbers(Float.self) {
      asked += 1
      return asked > 2
    }
    #expect(stopped.shape == array.shape)
    #expect(asked == 3)
  }

  @Test func `numbers can be set one by one without a copy of the others`() {
    var tensor = Tensor<Float>(shape: [100], repeating: 0)
    let before = tensor.scalars.withUnsafeBufferPointer(\.baseAddress)
    for i in 0..<100 { tensor.scalars[i] = Float(i) }
    #expect(tensor.scalars.withUnsafeBufferPointer(\.baseAddress) == before)
    #expect(tensor.scalars == (0..<100).map(Float.init))
  }
}
