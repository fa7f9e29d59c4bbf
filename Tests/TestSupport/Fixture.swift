package import Foundation
package import Tensors

/// Reference values from `Tests/Fixtures`, computed by `make_fixtures.py`.
package struct Fixture: CustomStringConvertible, Sendable {
  /// The folder that holds the fixture.
  package let folder: URL

  /// The fixture at `path` below `Tests/Fixtures`.
  package init(_ path: String) {
    folder = Self.root.appending(path: path)
  }

  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

  package var description: String { folder.lastPathComponent }

  /// The fixtures that are the folders within `path`, by name.
  package static func folders(in path: String) -> [Fixture] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: root.appending(path: path).path)
    return (names ?? []).filter { !$0.contains(".") }.sorted().map { Fixture("\(path)/\($0)") }
  }

  package func data(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appending(path: name))
  }

  /// The tensor in `<name>.npy`.
  package func tensor(_ name: String) throws -> Tensor<Double> {
    try NPY.decode(data(name + ".npy"))
  }

  /// The value in a JSON file.
  package func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: data(name))
  }
}
