package import Foundation

/// Reads and writes JSON values; objects keep the order of their keys, numbers that are not finite
/// are strings.
extension JSONValue: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      let members = try container.decode([String: JSONValue].self)
      self = .object(members.sorted { $0.key < $1.key }.map { Member($0.key, $0.value) })
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let elements): try container.encode(elements)
    case .object(let members):
      try container.encode(Dictionary(members.map { ($0.key, $0.value) }) { $1 })
    }
  }
}

/// The words for numbers that JSON cannot hold.
private let notFinite = (infinity: "inf", negative: "-inf", nan: "nan")

extension JSONEncoder {
  /// An encoder that sorts keys and writes numbers that are not finite as strings.
  package static var ofAnyNumbers: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: notFinite.infinity, negativeInfinity: notFinite.negative,
      nan: notFinite.nan)
    return encoder
  }
}

extension JSONDecoder {
  /// A decoder that reads numbers that are not finite from strings.
  package static var ofAnyNumbers: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: notFinite.infinity, negativeInfinity: notFinite.negative,
      nan: notFinite.nan)
    return decoder
  }
}
