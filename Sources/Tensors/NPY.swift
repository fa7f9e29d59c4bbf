package import Foundation

/// NumPy's `.npy` files of real numbers.
///
/// Source: NEP 1, "A simple file format for NumPy arrays", versions 1 to 3.
package enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The bytes of a version 1 file that holds `tensor` as little-endian float32.
  package static func encode(_ tensor: Tensor<Float>) -> Data {
    let extents = tensor.shape.extents.map(String.init)
    let tuple = extents.count == 1 ? "(\(extents[0]),)" : "(\(extents.joined(separator: ", ")))"
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }"
    // The header ends with a newline, and data begins at a multiple of 64.
    let padding = (64 - (magic.count + 4 + header.utf8.count + 1) % 64) % 64
    header += String(repeating: " ", count: padding) + "\n"
    var data = Data(magic + [1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    tensor.scalars.withUnsafeBytes { data.append(contentsOf: $0) }
    return data
  }

  /// The numbers of a `.npy` file, in Double: any integer or floating type, byte order and layout.
  ///
  /// - Throws: `TensorError` that says what the file holds instead.
  package static func decode(_ data: Data) throws(TensorError) -> Tensor<Double> {
    try decodeWithRange(data).tensor
  }

  /// The numbers of a `.npy` file, and the range of its type if that has 8 bits.
  ///
  /// - Throws: `TensorError` that says what the file holds instead.
  package static func decodeWithRange(
    _ data: Data
  ) throws(TensorError) -> (tensor: Tensor<Double>, range: ClosedRange<Double>?) {
    let bytes = [UInt8](data)
    let header = try Header(bytes)
    guard let type = ElementType(header.description) else {
      throw refusal(
        "it holds elements of type '\(header.description)'",
        hint: "save real numbers, for example a.astype('float32')")
    }
    let shape = try header.shape(fitting: bytes.count - header.length, elementSize: type.size)
    var scalars = [Double](repeating: 0, count: shape.count)
    for i in 0..<shape.count {
      scalars[i] = type.number(bytes, at: header.length + i * type.size)
    }
    let tensor = Tensor(
      shape: header.isFortranOrder ? Shape(shape.extents.reversed()) : shape,
      scalars: scalars)
    return (header.isFortranOrder ? tensor.axesReversed() : tensor, type.byteRange)
  }

  fileprivate static func refusal(_ found: String, hint: String) -> TensorError {
    TensorError(code: "npy", "not a readable .npy file: \(found)", hint: hint)
  }
}

/// The header of a `.npy` file.
private struct Header {
  /// The bytes before the data.
  let length: Int
  /// NumPy's description of the element type, such as `<f4`.
  let description: String
  let isFortranOrder: Bool
  private let extents: [Int]

  init(_ bytes: [UInt8]) throws(TensorError) {
    let damaged = NPY.refusal("its header is damaged", hint: "save it again with numpy.save")
    guard bytes.count >= 10, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw NPY.refusal("it does not begin with \\x93NUMPY", hint: "save it with numpy.save")
    }
    let isLong = bytes[6] >= 2
    guard (1...3).contains(bytes[6]), bytes.count >= (isLong ? 12 : 10) else { throw damaged }
    let start = isLong ? 12 : 10
    let size = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard size <= bytes.count - start, size < 1 << 16,
      let text = String(bytes: bytes[start..<start + size], encoding: .utf8)
    else { throw damaged }
    length = start + size

    let type = text.firstMatch(of: /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/)
    let order = text.firstMatch(of: /['"]fortran_order['"]\s*:\s*(True|False)/)
    let tuple = text.firstMatch(of: /['"]shape['"]\s*:\s*\(([0-9,\sL]*)\)/)
    guard let order, let tuple else { throw damaged }
    guard let type else {
      throw NPY.refusal("its elements are records", hint: "save one field, for example a['x']")
    }
    description = String(type.1)
    isFortranOrder = order.1 == "True"
    var extents: [Int] = []
    for part in tuple.1.split(separator: ",") {
      let digits = part.filter(\.isNumber)
      if part.allSatisfy(\.isWhitespace) { continue }
      guard let extent = Int(digits) else { throw damaged }
      extents.append(extent)
    }
    self.extents = extents
  }

  /// The shape, once it is sure that the data hold that many elements.
  func shape(fitting available: Int, elementSize: Int) throws(TensorError) -> Shape {
    var needed = elementSize
    for extent in extents {
      let (product, overflows) = needed.multipliedReportingOverflow(by: extent)
      guard !overflows, extents.count <= 32 else {
        throw NPY.refusal("its shape is impossibly large", hint: "save it again with numpy.save")
      }
      needed = product
    }
    guard needed <= available else {
      throw NPY.refusal(
        "its shape needs \(needed) \(needed == 1 ? "byte" : "bytes") of data, the file has \(available)",
        hint: "the file is cut off; save or copy it again")
    }
    return Shape(extents)
  }
}

/// How one element lies in memory.
private struct ElementType {
  private let kind: Character
  let size: Int
  private let isBigEndian: Bool

  /// Reads a description such as `<f4`, `>i2`, `|u1` or `|b1`.
  init?(_ description: String) {
    guard let match = description.wholeMatch(of: /([<>|=])([fiub])([1248])/),
      let kind = match.2.first, let size = Int(match.3)
    else { return nil }
    let known: [Character: [Int]] = [
      "f": [2, 4, 8], "i": [1, 2, 4, 8], "u": [1, 2, 4, 8], "b": [1],
    ]
    guard known[kind]?.contains(size) == true else { return nil }
    self.kind = kind
    self.size = size
    isBigEndian = match.1 == ">"
  }

  /// The range of an 8-bit integer type.
  var byteRange: ClosedRange<Double>? {
    switch (kind, size) {
    case ("u", 1): 0...255
    case ("i", 1): -128...127
    default: nil
    }
  }

  /// The number whose bytes begin at `offset`.
  func number(_ bytes: [UInt8], at offset: Int) -> Double {
    var pattern: UInt64 = 0
    for i in 0..<size {
      pattern = pattern << 8 | UInt64(bytes[offset + (isBigEndian ? i : size - 1 - i)])
    }
    switch (kind, size) {
    case ("f", 8): return Double(bitPattern: pattern)
    case ("f", 4): return Double(Float(bitPattern: UInt32(pattern)))
    case ("f", _): return halfPrecision(UInt16(pattern))
    case ("i", _):
      let unused = 64 - 8 * size
      return Double(Int64(bitPattern: pattern << UInt64(unused)) >> Int64(unused))
    case ("b", _): return pattern == 0 ? 0 : 1
    default: return Double(pattern)
    }
  }
}

extension Tensor {
  /// The tensor with its axes in the opposite order.
  fileprivate func axesReversed() -> Tensor {
    let target = Shape(shape.extents.reversed())
    var result = scalars
    var position = [Int](repeating: 0, count: shape.rank)  // of the source
    // Strides of the target, for the axes of the source.
    var strides: [Int] = []
    var step = 1
    for extent in shape.extents {
      strides.append(step)
      step *= extent
    }
    for value in scalars {
      result[zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 }] = value
      for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
        position[axis] += 1
        if position[axis] < shape[axis] { break }
        position[axis] = 0
      }
    }
    return Tensor(shape: target, scalars: result)
  }
}
