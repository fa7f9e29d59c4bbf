import CT
import Foundation
import Tensors

/// A folder of its own for a test, removed when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Whole Hounsfield units that differ from slice to slice and use the whole range.
func sampleStack(slices: Int = 4, rows: Int = 6, columns: Int = 5, seed: UInt64 = 1)
  -> Tensor<Float>
{
  let stream = RandomStream(seed: seed, name: "sample")
  let shape = Shape([slices, 1, rows, columns])
  var values = (0..<shape.count).map { Float(stream.integer(at: $0, below: 4096) - 1024) }
  values[0] = -1024
  values[1] = 3071
  return Tensor(shape: shape, scalars: values)
}

extension SeriesDescription {
  static func sample(patient: Int = 1, seed: UInt64 = 1, series: Int = 1) -> SeriesDescription {
    SeriesDescription(
      patient: patient, seed: seed, pixelSpacing: 0.7, sliceSpacing: 2.5, seriesNumber: series,
      description: "Sample, sharp")
  }
}

/// A file in explicit VR little endian whose attributes can be changed one by one.
struct DICOMBytes {
  var bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  init(_ path: String) throws {
    bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  func write(_ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// Replaces the value of an attribute of a short representation, padded to even length; `nil`
  /// removes the attribute.
  mutating func set(_ tag: UInt32, _ text: String?) {
    let value = text.map { Array($0.utf8) + ($0.utf8.count % 2 == 0 ? [] : [0x20]) }
    replace(tag, value)
  }

  /// Replaces the value of an attribute that is one 16-bit number.
  mutating func set(_ tag: UInt32, _ number: UInt16) {
    replace(tag, [UInt8(number & 0xFF), UInt8(number >> 8)])
  }

  /// Names another transfer syntax in the meta header, which states its own length.
  mutating func setSyntax(_ uid: String) {
    let old = bytes.count
    let padded = uid.utf8.count % 2 == 0 ? uid : uid + "\0"
    set(0x0002_0010, padded)
    if let length = find(0x0002_0000) {
      bytes[length + 8] = UInt8(Int(bytes[length + 8]) + bytes.count - old)
    }
  }

  /// Inserts an attribute before another.
  mutating func insert(
    _ tag: UInt32, _ representation: String, _ value: [UInt8], before next: UInt32
  ) {
    guard let place = find(next) else { return }
    let length = [UInt8(value.count & 0xFF), UInt8(value.count >> 8)]
    bytes.insert(contentsOf: header(tag) + Array(representation.utf8) + length + value, at: place)
  }

  /// The place of the first byte of an attribute.
  func find(_ tag: UInt32) -> Int? {
    let header = header(tag)
    return bytes.indices.dropLast(8).first { i in
      i >= 132 && Array(bytes[i..<i + 4]) == header
        && (0x41...0x5A).contains(bytes[i + 4]) && (0x41...0x5A).contains(bytes[i + 5])
    }
  }

  /// Keeps a part of the first fragment of compressed pixel data, and writes `end` over its last
  /// bytes, in a file that stays well formed.
  mutating func shortenFragment(to part: Double, end: [UInt8] = []) -> Bool {
    let item: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0]
    guard let pixels = find(0x7FE0_0010) else { return false }
    let table = pixels + 12
    let fragment = table + 8 + length32(at: table + 4)
    guard Array(bytes[table..<table + 4]) == item, Array(bytes[fragment..<fragment + 4]) == item
    else { return false }
    let old = length32(at: fragment + 4)
    let new = Int(Double(old) * part) / 2 * 2
    bytes.removeSubrange(fragment + 8 + new..<fragment + 8 + old)
    for i in 0..<4 { bytes[fragment + 4 + i] = UInt8(new >> (8 * i) & 0xFF) }
    bytes.replaceSubrange(fragment + 8 + new - end.count..<fragment + 8 + new, with: end)
    return true
  }

  private func length32(at place: Int) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
  }

  private mutating func replace(_ tag: UInt32, _ value: [UInt8]?) {
    guard let place = find(tag) else { return }
    let old = Int(bytes[place + 6]) | Int(bytes[place + 7]) << 8
    guard let value else {
      bytes.removeSubrange(place..<place + 8 + old)
      return
    }
    bytes.replaceSubrange(
      place + 6..<place + 8 + old,
      with: [UInt8(value.count & 0xFF), UInt8(value.count >> 8)] + value)
  }

  private func header(_ tag: UInt32) -> [UInt8] {
    [
      UInt8(tag >> 16 & 0xFF), UInt8(tag >> 24), UInt8(tag & 0xFF), UInt8(tag >> 8 & 0xFF),
    ]
  }
}
