package import Foundation
package import Tensors

extension NPY {
  /// The numbers of a `.npy` file, read from a file of its own.
  package static func decode(_ data: Data) throws -> Tensor<Double> {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).npy")
    try data.write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try NPYFile(path: url.path).numbers()
  }
}
