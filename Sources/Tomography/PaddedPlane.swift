import CKernels

/// Numbers in rows with zeros around them, as the kernels read them: one column before each row, two
/// behind it, one row behind the last; and room to read on.
struct PaddedPlane {
  /// The rows and columns of the numbers as they lie here.
  let rows: Int, columns: Int
  /// Whether rows and columns are exchanged.
  let isTurned: Bool
  private(set) var values: [Float]

  var stride: Int { columns + 3 }

  /// Zeros for an image of `rows` and `columns`.
  init(rows: Int, columns: Int, isTurned: Bool) {
    (self.rows, self.columns) = isTurned ? (columns, rows) : (rows, columns)
    self.isTurned = isTurned
    values = Array(repeating: 0, count: (self.rows + 1) * (self.columns + 3) + 32)
  }

  init(_ image: [Float], rows: Int, columns: Int, isTurned: Bool) {
    self.init(rows: rows, columns: columns, isTurned: isTurned)
    let stride = stride
    values.withUnsafeMutableBufferPointer { values in
      image.withUnsafeBufferPointer { image in
        for row in 0..<rows {
          for column in 0..<columns {
            values[isTurned ? column * stride + row + 1 : row * stride + column + 1] =
              image[row * columns + column]
          }
        }
      }
    }
  }

  /// Returns the numbers without the zeros, as the image has them.
  func unpadded() -> [Float] {
    let (width, height) = isTurned ? (rows, columns) : (columns, rows)
    return [Float](unsafeUninitializedCapacity: width * height) { result, count in
      values.withUnsafeBufferPointer { values in
        for row in 0..<height {
          for column in 0..<width {
            result[row * width + column] =
              values[isTurned ? column * stride + row + 1 : row * stride + column + 1]
          }
        }
      }
      count = width * height
    }
  }

  /// Returns the sum with another plane of the same image.
  func adding(_ other: PaddedPlane) -> [Float] {
    var sum = unpadded()
    for (place, value) in other.unpadded().enumerated() { sum[place] += value }
    return sum
  }

  func withPlane(_ body: (UnsafePointer<ck_plane>) -> Void) {
    values.withUnsafeBufferPointer { values in
      guard let start = values.baseAddress else { return }
      // `project` reads alone.
      var plane = ck_plane(
        values: UnsafeMutablePointer(mutating: start), rows: rows, columns: columns, stride: stride)
      withUnsafePointer(to: &plane, body)
    }
  }

  mutating func withMutablePlane(_ body: (UnsafePointer<ck_plane>) -> Void) {
    let (rows, columns, stride) = (rows, columns, stride)
    values.withUnsafeMutableBufferPointer { values in
      guard let start = values.baseAddress else { return }
      var plane = ck_plane(values: start, rows: rows, columns: columns, stride: stride)
      withUnsafePointer(to: &plane, body)
    }
  }
}
