package import CommandLanguage
import Fingerprints
import Foundation

/// A message of the protocol as it travels: identities, `<IDS|MSG>`, the signature, header, parent's
/// header, metadata, content, and buffers, a frame each.
///
/// Source: Jupyter's messaging protocol 5.3, "The wire protocol",
/// https://jupyter-client.readthedocs.io/en/stable/messaging.html.
package struct WireMessage: Sendable {
  /// The reason why frames are no message.
  package enum Fault: Error, Hashable, Sendable {
    case tooShort, notSigned, wrongSignature, repeated, notJSON, noHeader
  }

  /// The frames before the delimiter: the client to which a reply goes, or a topic.
  package var identities: [[UInt8]] = []
  /// The header as it came, which replies name as their parent's.
  package let rawHeader: [UInt8]
  package let header: JSONValue
  package let parentHeader: JSONValue
  package let metadata: JSONValue
  package let content: JSONValue

  /// The kind of message: `execute_request`.
  package var type: String { Self.text(header["msg_type"]) ?? "" }

  static let delimiter = Array("<IDS|MSG>".utf8)

  /// Reads frames, whose signature must be that of `signer` and must not have come before.
  ///
  /// - Throws: `Fault` when they are no message of a client that knows the key.
  package init(
    _ frames: [[UInt8]], _ signer: MessageSigner, _ seen: inout SeenSignatures
  ) throws(Fault) {
    guard let start = frames.firstIndex(of: Self.delimiter), frames.count >= start + 6 else {
      throw .tooShort
    }
    identities = Array(frames[..<start])
    let parts = Array(frames[(start + 2)..<(start + 6)])
    try signer.check(frames[start + 1], of: parts, &seen)
    func json(_ bytes: [UInt8]) throws(Fault) -> JSONValue {
      guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)),
        case .object = value
      else { throw .notJSON }
      return value
    }
    rawHeader = parts[0]
    header = try json(parts[0])
    parentHeader = try json(parts[1])
    metadata = try json(parts[2])
    content = try json(parts[3])
    guard Self.text(header["msg_type"]) != nil, Self.text(header["msg_id"]) != nil else {
      throw .noHeader
    }
  }

  /// Returns the frames of a new message.
  ///
  /// - Parameters:
  ///   - header: Its header.
  ///   - parent: The header of the request that it answers, as it came; `{}` for none.
  ///   - content: Its content.
  ///   - metadata: Its metadata.
  ///   - identities: The frames before the delimiter.
  ///   - signer: Signs it.
  /// - Returns: The frames.
  package static func frames(
    header: JSONValue, parent: [UInt8], content: JSONValue, metadata: JSONValue = [:],
    to identities: [[UInt8]], _ signer: MessageSigner
  ) -> [[UInt8]] {
    let parts = [
      Array(header.text.utf8), parent, Array(metadata.text.utf8), Array(content.text.utf8),
    ]
    return identities + [delimiter, signer.signature(of: parts)] + parts
  }

  private static func text(_ value: JSONValue?) -> String? {
    if case .string(let text)? = value { text } else { nil }
  }
}

/// Signs messages, and checks the signatures of others.
package struct MessageSigner: Sendable {
  private let hmac: HMACSHA256?

  /// Signs with `key`; an empty key gives no signatures and takes all messages.
  package init(key: [UInt8]) { hmac = key.isEmpty ? nil : HMACSHA256(key: key) }

  package func signature(of parts: [[UInt8]]) -> [UInt8] { hmac?.code(of: parts) ?? [] }

  /// Throws unless `signature` is that of the parts and is new.
  fileprivate func check(
    _ signature: [UInt8], of parts: [[UInt8]], _ seen: inout SeenSignatures
  ) throws(WireMessage.Fault) {
    guard let hmac else { return }
    guard !signature.isEmpty else { throw .notSigned }
    guard HMACSHA256.areEqual(signature, hmac.code(of: parts)) else { throw .wrongSignature }
    guard seen.add(signature) else { throw .repeated }
  }
}

/// The signatures that came, so that a message that is sent again is not taken again.
package struct SeenSignatures: Sendable {
  private var signatures: Set<[UInt8]> = []
  /// The same in the order of their arrival; the oldest are forgotten.
  private var order: [[UInt8]] = []
  private static let memory = 1 << 16

  package init() {}

  /// Adds a signature; returns false when it was there.
  fileprivate mutating func add(_ signature: [UInt8]) -> Bool {
    guard signatures.insert(signature).inserted else { return false }
    order.append(signature)
    if order.count > Self.memory {
      for old in order.prefix(Self.memory / 2) { signatures.remove(old) }
      order.removeFirst(Self.memory / 2)
    }
    return true
  }
}
