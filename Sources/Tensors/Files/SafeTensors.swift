package import Foundation

/// A file of named tensors in the format of the Python library `safetensors`.
///
///     8 bytes   n, the length of the header, little-endian
///     n bytes   JSON, then spaces up to a multiple of 8:
///               {"__metadata__":{"key":"text"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}
///     the rest  numbers, little-endian and row-major, one tensor after the other without gaps
///
/// A file is checked as a whole before a number of it is used.
/// Source: the format page of the library's documentation.
package struct SafeTensors: Sendable {
  /// The metadata of the file, by key.
  package let metadata: [String: String]
  /// The tensors, in the order of their numbers.
  package let entries: [Entry]
  private let numbers: Data

  /// A tensor in a file.
  package struct Entry: Hashable, Sendable {
    package let name: String
    package let shape: Shape
    package let type: ElementType
    /// The offset of its first byte from the end of the header.
    let start: Int
  }

  /// The type of an element, by the format's word.
  package enum ElementType: String, Sendable {
    case double = "F64"
    case float = "F32"
    case half = "F16"
    case bfloat = "BF16"
    case int64 = "I64"
    case uint64 = "U64"
    case int32 = "I32"
    case uint32 = "U32"
    case int16 = "I16"
    case uint16 = "U16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    /// The size in bytes.
    var size: Int {
      switch self {
      case .double, .int64, .uint64: 8
      case .float, .int32, .uint32: 4
      case .half, .bfloat, .int16, .uint16: 2
      case .int8, .uint8, .bool: 1
      }
    }

    /// Whether it holds real numbers.
    package var isReal: Bool { [.double, .float, .half, .bfloat].contains(self) }
  }

  /// Reads a file.
  ///
  /// - Throws: `TensorError` that says what is wrong with the file.
  package init(decoding data: Data) throws(TensorError) {
    let data = Data(data)  // Indices begin at 0.
    guard data.count >= 8 else {
      throw Self.refusal(
        "it has \(data.count) \(data.count == 1 ? "byte" : "bytes"), less than a header",
        hint: Self.copyAgain)
    }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= Self.longestHeader, length <= data.count - 8 else {
      throw Self.refusal(
        "its header would be \(length) bytes long, the file has \(data.count)",
        hint: Self.copyAgain)
    }
    numbers = data.dropFirst(8 + Int(length))
    let header = try SafeTensorsHeader(Array(data[8..<8 + Int(length)]))
    metadata = header.metadata
    entries = try header.entries(filling: numbers.count)
  }

  /// The longest header in bytes, as in the library.
  private static let longestHeader = 100_000_000
  private static let copyAgain = "the file is cut off or of another kind; copy or save it again"

  static func refusal(_ found: String, hint: String) -> TensorError {
    TensorError(
      code: "safetensors", "not a readable .safetensors file: \(found)", hint: hint)
  }

  /// A name from a file, in quotes and without control characters, at most 60 characters long.
  package static func shown(_ name: String) -> String {
    (name.count > 60 ? name.prefix(60) + "…" : name).debugDescription
  }

  /// Returns the numbers of a tensor as float32.
  ///
  /// - Throws: `TensorError` when the tensor does not hold real numbers.
  package func floats(_ entry: Entry) throws(TensorError) -> Tensor<Float> {
    guard entry.type.isReal else {
      throw Self.refusal(
        "\(Self.shown(entry.name)) holds \(entry.type.rawValue), not real numbers",
        hint: "save it as float32")
    }
    let start = numbers.startIndex + entry.start
    let bytes = numbers[start..<start + entry.shape.count * entry.type.size]
    let scalars: [Float] = bytes.withUnsafeBytes { bytes in
      func pattern<Pattern: FixedWidthInteger>(_ i: Int, as type: Pattern.Type) -> Pattern {
        Pattern(
          littleEndian: bytes.loadUnaligned(
            fromByteOffset: i * MemoryLayout<Pattern>.size, as: type))
      }
      return (0..<entry.shape.count).map { i in
        switch entry.type {
        case .double: Float(Double(bitPattern: pattern(i, as: UInt64.self)))
        case .half: Float(halfPrecision(pattern(i, as: UInt16.self)))
        // A bfloat16 is the upper half of a float32.
        case .bfloat: Float(bitPattern: UInt32(pattern(i, as: UInt16.self)) << 16)
        default: Float(bitPattern: pattern(i, as: UInt32.self))
        }
      }
    }
    return Tensor(shape: entry.shape, scalars: scalars)
  }

  /// Returns the bytes of a file, with names and keys in order, so that the same tensors give the
  /// same bytes.
  ///
  /// - Parameters:
  ///   - tensors: The tensors by name; no name may be `__metadata__`.
  ///   - metadata: The metadata of the file.
  /// - Returns: The bytes.
  package static func encode(
    _ tensors: [String: Tensor<Float>], metadata: [String: String] = [:]
  ) -> Data {
    let sorted = tensors.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    var header = SafeTensorsHeader.encode(
      sorted.map { ($0.key, $0.value.shape) }, metadata: metadata)
    header.append(contentsOf: repeatElement(0x20, count: (8 - header.count % 8) % 8))
    var data = Data()
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header)
    for (_, tensor) in sorted {
      tensor.scalars.withUnsafeBytes { data.append(contentsOf: $0) }
    }
    return data
  }
}
