package import Foundation

/// Writes NumPy's `.npy` files.
///
/// Source: NEP 1, "A simple file format for NumPy arrays", versions 1 to 3.
package enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The bytes of a version 1 file that holds `tensor` as little-endian float32.
  package static func encode(_ tensor: Tensor<Float>) -> Data {
    let extents = tensor.shape.extents.map(String.init)
    let tuple = extents.count == 1 ? "(\(extents[0]),)" : "(\(extents.joined(separator: ", ")))"
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }"
    // The header ends with a newline, so that data begins at a multiple of 64.
    let padding = (64 - (magic.count + 4 + header.utf8.count + 1) % 64) % 64
    header += String(repeating: " ", count: padding) + "\n"
    var data = Data(magic + [1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    tensor.scalars.withUnsafeBytes { data.append(contentsOf: $0) }
    return data
  }

  static func refusal(_ found: String, hint: String) -> TensorError {
    TensorError(code: "npy", "not a readable .npy file: \(found)", hint: hint)
  }
}
