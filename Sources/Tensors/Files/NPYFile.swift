import Foundation

/// A `.npy` file of real numbers whose header has been read.
///
/// Its shape is known before memory is taken for its numbers. It may have any integer or floating
/// type, byte order and layout.
package struct NPYFile {
  /// The shape of the array in NumPy.
  package let shape: Shape
  /// Whether the first axis is contiguous in the file.
  package let isFortranOrder: Bool
  /// The range of the elements if they have 8 bits; else nil.
  package let range: ClosedRange<Double>?
  private let file: FileHandle
  private let start: Int
  private let type: NPYElementType

  /// Reads the header of the file at `path`.
  ///
  /// - Throws: `TensorError` that says what is wrong with the file.
  package init(path: String) throws(TensorError) {
    let length: UInt64
    let head: Data
    do {
      file = try FileHandle(forReadingFrom: URL(filePath: path))
      length = try file.seekToEnd()
      try file.seek(toOffset: 0)
      head = try file.read(upToCount: 1 << 17) ?? Data()
    } catch {
      throw TensorError(
        code: "file", "the file cannot be read", hint: "check its permissions")
    }
    let header = try NPYHeader([UInt8](head))
    guard let type = NPYElementType(header.description) else {
      throw NPY.refusal(
        "it holds elements of type '\(header.description)'",
        hint: "save real numbers, for example a.astype('float32')")
    }
    shape = try header.shape(fitting: Int(length) - header.length, elementSize: type.size)
    (isFortranOrder, start) = (header.isFortranOrder, header.length)
    (self.type, range) = (type, type.byteRange)
  }

  /// Reads the numbers of the file.
  ///
  /// Once `shouldStop` returns true, the rest is left out and the result is meaningless.
  ///
  /// - Throws: `TensorError` when the file cannot be read to its end.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func numbers<Element: Scalar>(
    _: Element.Type = Element.self, shouldStop: () -> Bool = { false }
  ) throws(TensorError) -> Tensor<Element> {
    var isWhole = true
    let stored = Tensor<Element>(
      shape: isFortranOrder ? Shape(shape.extents.reversed()) : shape
    ) { scalars in
      scalars.initialize(repeating: 0)
      isWhole = (try? read(into: scalars, shouldStop)) ?? false
    }
    guard isWhole else {
      throw NPY.refusal("it cannot be read to its end", hint: "save or copy it again")
    }
    return isFortranOrder ? stored.axesReversed(shouldStop) : stored
  }

  /// Reads the numbers in parts, so that the whole file is never in memory beside them.
  private func read<Element: Scalar>(
    into scalars: UnsafeMutableBufferPointer<Element>, _ shouldStop: () -> Bool
  ) throws -> Bool {
    try file.seek(toOffset: UInt64(start))
    var done = 0
    while done < scalars.count, !shouldStop() {
      let wanted = min(scalars.count - done, 1 << 18)
      guard let part = try file.read(upToCount: wanted * type.size),
        part.count == wanted * type.size
      else { return false }
      part.withUnsafeBytes { bytes in
        let target = scalars[done..<done + wanted]
        if type.isOwnFloat, Element.self == Float.self {
          UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(scalars)[
              done * 4..<(done + wanted) * 4]
          ).copyMemory(from: bytes)
        } else {
          for i in target.indices {
            scalars[i] = Element(type.number(bytes, at: (i - done) * type.size))
          }
        }
      }
      done += wanted
    }
    return true
  }
}

/// The header of a `.npy` file.
private struct NPYHeader {
  /// The number of bytes before the data.
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

  /// Returns the shape, after checking that the data hold that many elements.
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
        "its shape needs \(needed) bytes of data, \(available) are there",
        hint: "the file is cut off; save or copy it again")
    }
    return Shape(extents)
  }
}

/// The type of an element in memory.
private struct NPYElementType {
  private let kind: Character
  let size: Int
  private let isBigEndian: Bool

  /// Whether elements are Floats in this machine's byte order.
  var isOwnFloat: Bool { kind == "f" && size == 4 && isBigEndian == (1.bigEndian == 1) }

  /// Reads a description such as `<f4`, `>i2`, `|u1` or `|b1`; nil for other types.
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
  func number(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Double {
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
  /// Returns the tensor with its axes in the opposite order; incomplete if `shouldStop` returns
  /// true.
  fileprivate func axesReversed(_ shouldStop: () -> Bool) -> Tensor {
    let target = Shape(shape.extents.reversed())
    // The strides of the target are in the order of the source's axes.
    var strides: [Int] = []
    var step = 1
    for extent in shape.extents {
      strides.append(step)
      step *= extent
    }
    return Tensor(shape: target) { result in
      result.initialize(repeating: 0)
      var position = [Int](repeating: 0, count: shape.rank)  // of the source
      var place = 0  // in the target
      for (i, value) in scalars.enumerated() {
        if i & 0xFFFFF == 0, shouldStop() { return }
        result[place] = value
        for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
          position[axis] += 1
          place += strides[axis]
          if position[axis] < shape[axis] { break }
          place -= strides[axis] * shape[axis]
          position[axis] = 0
        }
      }
    }
  }
}
