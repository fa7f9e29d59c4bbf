import Foundation
import Tensors
import TestSupport
import Testing

/// Files against the Python library: `Tests/Fixtures/safetensors`.
struct SafeTensorsTests {
  struct Cases: Decodable {
    let names: [String]
    let note: String
    let refused: [String: String]
  }

  private let fixture = Fixture("safetensors")
  private let cases: Cases

  init() throws {
    cases = try fixture.json("cases.json", as: Cases.self)
  }

  private func read(_ name: String) throws -> SafeTensors {
    try SafeTensors(decoding: fixture.data("\(name).safetensors"))
  }

  @Test func `a file of the library is read, and written again to the byte`() throws {
    for (name, metadata) in [("weights", [:]), ("note", ["note": cases.note])] {
      let file = try read(name)
      #expect(file.metadata == metadata)
      #expect(file.entries.map(\.name) == cases.names)
      var tensors: [String: Tensor<Float>] = [:]
      for entry in file.entries {
        #expect(entry.type == .float)
        let tensor = try file.floats(entry)
        let expected = try fixture.tensor("weights/\(entry.name)").floats()
        #expect(tensor.shape == expected.shape && tensor.scalars == expected.scalars)
        tensors[entry.name] = tensor
      }
      let written = SafeTensors.encode(tensors, metadata: file.metadata)
      #expect(written == (try fixture.data("\(name).safetensors")))
    }
  }

  @Test(arguments: ["f16", "bf16", "f64"]) func `narrow and wide floats are converted`(kind: String)
    throws
  {
    let file = try read(kind)
    #expect(file.entries.count == cases.names.count)
    for entry in file.entries {
      #expect(entry.type.rawValue == kind.uppercased())
      let expected = try fixture.tensor("\(kind)/\(entry.name)").floats()
      #expect(try file.floats(entry).scalars == expected.scalars)
    }
  }

  @Test func `whole numbers are named and not taken for weights`() throws {
    let file = try read("i64")
    let error = #expect(throws: TensorError.self) { try file.floats(file.entries[0]) }
    #expect(error?.message.contains("I64") == true)
  }

  @Test func `wrong files are refused with a reason`() throws {
    #expect(cases.refused.count > 20)
    for (name, word) in cases.refused {
      let error = #expect(throws: TensorError.self, "\(name)") { try read("refused/\(name)") }
      let message = error?.message ?? ""
      #expect(message.contains(word), "\(name): \(message)")
      #expect(message.hasPrefix("not a readable .safetensors file: ") && !message.contains("\n"))
      #expect(error?.hint.isEmpty == false)
    }
  }

  @Test func `what is written is read again: empty, scalar, strange names`() throws {
    let tensors: [String: Tensor<Float>] = [
      "": Tensor(shape: [2], scalars: [.nan, -.infinity]),
      "empty": Tensor(shape: [0, 3], scalars: []),
      "scalar": Tensor(shape: [], scalars: [-0.0]),
      "\"\\\u{1}\u{7F}\n😀": Tensor(shape: [1, 1], scalars: [.leastNonzeroMagnitude]),
    ]
    let metadata = ["": "", "a\tb": "\u{8}\u{C}\r/"]
    let file = try SafeTensors(decoding: SafeTensors.encode(tensors, metadata: metadata))
    #expect(file.metadata == metadata)
    #expect(Set(file.entries.map(\.name)) == Set(tensors.keys))
    for entry in file.entries {
      let (found, expected) = (try file.floats(entry), tensors[entry.name])
      #expect(found.shape == expected?.shape)
      #expect(found.scalars.map(\.bitPattern) == expected?.scalars.map(\.bitPattern))
    }
  }

  @Test func `a slice of a larger file reads as itself`() throws {
    let data = try fixture.data("weights.safetensors")
    let inside = (Data([1, 2, 3]) + data).dropFirst(3)
    let file = try SafeTensors(decoding: inside)
    #expect(try file.floats(file.entries[0]).scalars.count == file.entries[0].shape.count)
  }

  @Test func `two thousand damaged files are read or refused, never trapped`() throws {
    let seeds = try ["weights", "note", "f16", "bf16", "f64"].map {
      [UInt8](try fixture.data("\($0).safetensors"))
    }
    var refused = 0
    for n in 0..<2000 {
      let stream = RandomStream(seed: 3, name: "damage/\(n)")
      var bytes = seeds[stream.integer(at: 0, below: seeds.count)]
      damage(&bytes, stream)
      do throws(TensorError) {
        let file = try SafeTensors(decoding: Data(bytes))
        for entry in file.entries { _ = try file.floats(entry) }
      } catch {
        refused += 1
        #expect(!error.message.contains("\n"))
      }
    }
    #expect(refused > 1000 && refused < 2000, "most are refused, not all: \(refused)")
  }
}
