import Foundation
import FoundationXML

/// An HTML page as libxml2 reads it, strictly.
struct Page {
  let document: XMLDocument

  /// Reads a page, which is well-formed XML too: anything that is not escaped would show.
  init(_ html: String) throws {
    document = try XMLDocument(xmlString: html)
  }

  /// The elements of a kind that an XPath finds.
  func elements(_ path: String) throws -> [XMLElement] {
    try document.nodes(forXPath: path).compactMap { $0 as? XMLElement }
  }

  /// The values of attributes that an XPath finds.
  func values(_ path: String) throws -> [String] {
    try document.nodes(forXPath: path).compactMap(\.stringValue)
  }

  /// The bytes of a data URI.
  static func data(_ uri: String) -> Data? {
    uri.split(separator: ",").last.flatMap { Data(base64Encoded: String($0)) }
  }
}
