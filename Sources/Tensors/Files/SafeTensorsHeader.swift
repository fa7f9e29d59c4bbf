import Foundation

/// The header of a `.safetensors` file, read strictly.
///
/// Deeper nesting than the format has, repeated keys and missing entries are errors, so that every
/// reader gets the same from a file.
struct SafeTensorsHeader {
  private(set) var metadata: [String: String] = [:]
  /// The names, types and shapes, and the offsets where the numbers begin and end.
  private var places:
    [(name: String, type: SafeTensors.ElementType, shape: [Int], start: Int, end: Int)] = []

  private static let metadataKey = "__metadata__"

  /// Reads the JSON of a header, spaces at its end included.
  init(_ bytes: [UInt8]) throws(TensorError) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw SafeTensors.refusal("its header is no UTF-8", hint: "save it again")
    }
    var scanner = HeaderScanner(bytes)
    try scanner.object { (scanner, name) throws(TensorError) in
      if name == Self.metadataKey {
        try scanner.object { (scanner, key) throws(TensorError) in
          metadata[key] = try scanner.string()
        }
      } else {
        try readPlace(name, &scanner)
      }
    }
    try scanner.finish()
  }

  private mutating func readPlace(
    _ name: String, _ scanner: inout HeaderScanner
  ) throws(TensorError) {
    var word: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { (scanner, key) throws(TensorError) in
      switch key {
      case "dtype": word = try scanner.string()
      case "shape": shape = try scanner.integers()
      case "data_offsets": offsets = try scanner.integers()
      default: throw scanner.error("\(SafeTensors.shown(name)) has \(SafeTensors.shown(key))")
      }
    }
    guard let word, let shape, let offsets, offsets.count == 2 else {
      throw scanner.error("\(SafeTensors.shown(name)) lacks dtype, shape or data_offsets")
    }
    guard let type = SafeTensors.ElementType(rawValue: word) else {
      throw SafeTensors.refusal(
        "\(SafeTensors.shown(name)) is of type \(SafeTensors.shown(word))",
        hint: "save it as float32")
    }
    places.append((name, type, shape, offsets[0], offsets[1]))
  }

  /// Returns the tensors in the order of their numbers, after checking that these fill `count`
  /// bytes, one after the other.
  func entries(filling count: Int) throws(TensorError) -> [SafeTensors.Entry] {
    var entries: [SafeTensors.Entry] = []
    var next = 0
    // An empty tensor comes before the one that begins at the same byte.
    for place in places.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      let name = SafeTensors.shown(place.name)
      guard place.start == next, place.end >= place.start, place.end <= count else {
        throw SafeTensors.refusal(
          "\(name) takes bytes \(place.start)..\(place.end) of \(count), expected from \(next)",
          hint: "the file is damaged; save it again")
      }
      guard let size = Self.size(of: place.shape, place.type), size == place.end - place.start
      else {
        throw SafeTensors.refusal(
          "\(name) has \(place.end - place.start) bytes, which are not \(place.type.rawValue) "
            + "\(place.shape.prefix(8))",
          hint: "the file is damaged; save it again")
      }
      entries.append(
        .init(name: place.name, shape: Shape(place.shape), type: place.type, start: place.start))
      next = place.end
    }
    guard next == count else {
      throw SafeTensors.refusal(
        "\(count - next) \(count - next == 1 ? "byte at its end belongs" : "bytes at its end belong") to no tensor",
        hint: "the file is damaged; save it again")
    }
    return entries
  }

  /// The size of a shape in bytes; nil if it or the number of axes is too large.
  private static func size(of extents: [Int], _ type: SafeTensors.ElementType) -> Int? {
    guard extents.count <= 32 else { return nil }
    var size = type.size
    for extent in extents {
      let (product, overflows) = size.multipliedReportingOverflow(by: extent)
      guard !overflows else { return nil }
      size = product
    }
    return size
  }

  // MARK: - Writing

  /// Encodes the JSON for float32 tensors in this order, compact, without the spaces at its end.
  static func encode(_ tensors: [(name: String, shape: Shape)], metadata: [String: String])
    -> [UInt8]
  {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map {
        "\(quoted($0.key)):\(quoted($0.value))"
      }
      members.append("\(quoted(metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for (name, shape) in tensors {
      let end = offset + shape.count * MemoryLayout<Float>.size
      members.append(
        "\(quoted(name)):{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(offset),\(end)]}"
      )
      offset = end
    }
    return Array("{\(members.joined(separator: ","))}".utf8)
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let json = try? encoder.encode(text) else {
      preconditionFailure("Every string can be written as JSON.")
    }
    return String(decoding: json, as: UTF8.self)
  }
}
