import CommandLanguage
import Fingerprints
import Foundation
import Tensors

/// A file that holds a state as JSON, and the tensors that belong to it.
///
///     backflow checkpoint 1 sha256:⟨64 digits⟩      a line, over all that follows
///     ⟨a .safetensors file whose metadata hold the state⟩
///
/// So a file that was cut off or altered anywhere is known before a number of it is used.
struct CheckpointFile {
  private static let start = "backflow checkpoint 1 sha256:"
  private static let stateKey = "state"

  /// The bytes of a file.
  static func encode(
    _ state: some Encodable, _ tensors: [String: Tensor<Float>]
  ) throws -> Data {
    let encoder = JSONEncoder.ofAnyNumbers
    encoder.outputFormatting.insert(.withoutEscapingSlashes)
    let text = String(decoding: try encoder.encode(state), as: UTF8.self)
    let body = SafeTensors.encode(tensors, metadata: [stateKey: text])
    let digest = body.withUnsafeBytes { SHA256Digest(of: $0) }
    return Data("\(start)\(digest)\n".utf8) + body
  }

  private let state: Data
  private let contents: SafeTensors
  private let entries: [String: SafeTensors.Entry]

  /// Reads the file at `path`; `name` is what errors call it.
  init(path: String, name: String) throws(CommandError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandError(
        .file, "\(name) cannot be read", hint: "it must be a file that you may read",
        status: .badInput)
    }
    try self.init(data, name: name)
  }

  /// Reads the bytes of a file, which errors call `name`.
  init(_ data: Data, name: String) throws(CommandError) {
    let header = Self.start.utf8.count
    let body = data.dropFirst(header + 65)
    guard data.starts(with: Data(Self.start.utf8)), data.count > header + 65 else {
      throw Self.refusal(name, "it does not begin as a checkpoint of this version does")
    }
    let digest = body.withUnsafeBytes { SHA256Digest(of: $0) }
    guard data.dropFirst(header).prefix(65) == Data("\(digest)\n".utf8) else {
      throw Self.refusal(name, "it was cut off or altered after it was written")
    }
    do throws(TensorError) {
      contents = try SafeTensors(decoding: body)
    } catch {
      throw Self.refusal(name, error.message)
    }
    state = Data((contents.metadata[Self.stateKey] ?? "").utf8)
    entries = Dictionary(contents.entries.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The number of numbers in all tensors together.
  var scalarCount: Int { contents.entries.reduce(0) { $0 + $1.shape.count } }

  /// The number of tensors.
  var tensorCount: Int { contents.entries.count }

  /// Decodes the state as `type`; `name` is the file's in errors.
  func decode<State: Decodable>(_ type: State.Type, name: String) throws(CommandError) -> State {
    do {
      return try JSONDecoder.ofAnyNumbers.decode(type, from: state)
    } catch {
      throw Self.refusal(name, "its state is of another kind or version")
    }
  }

  /// A tensor; nil if the file has none of that name.
  func tensor(_ name: String) throws(TensorError) -> Tensor<Float>? {
    guard let entry = entries[name] else { return nil }
    return try contents.floats(entry)
  }

  static func refusal(_ name: String, _ found: String) -> CommandError {
    CommandError(
      "checkpoint", "\(name) is no readable checkpoint: \(found)",
      hint: "take another checkpoint; nothing has changed", status: .badInput)
  }
}
