import Foundation

/// One attribute of a file with its value.
struct DICOMElement: Sendable {
  let tag: DICOMTag
  /// The value representation, such as `DS`.
  let vr: String
  /// The name in the data dictionary, such as `RescaleSlope`.
  let keyword: String
  /// The values as text, separated by backslashes; `nil` for bulk data and sequences.
  let text: String?
  /// The 16-bit entries of a lookup table.
  let words: [UInt16]
  /// The length of the value in the file, in bytes.
  let length: Int
  /// The items of a sequence.
  var items: [DICOMDataset] = []
}

/// The attributes of a file or of one item of a sequence, in file order.
struct DICOMDataset: Sendable {
  let elements: [DICOMElement]

  /// The attribute called `tag`, if it is present.
  subscript(tag: DICOMTag) -> DICOMElement? {
    elements.first { $0.tag == tag }
  }

  /// The value of `tag` without padding, or `nil` when it is absent or empty.
  func text(_ tag: DICOMTag) -> String? {
    guard let text = self[tag]?.text else { return nil }
    let trimmed = trimmed(text)
    return trimmed.isEmpty ? nil : trimmed
  }

  /// The values of `tag`, each without padding; empty when it is absent.
  func texts(_ tag: DICOMTag) -> [String] {
    guard let text = text(tag) else { return [] }
    return text.split(separator: "\\", omittingEmptySubsequences: false).map { trimmed(String($0)) }
  }

  /// The items of the sequence `tag`; empty when it is absent.
  func items(_ tag: DICOMTag) -> [DICOMDataset] {
    self[tag]?.items ?? []
  }

  /// Removes the spaces and NULs that pad values to even length (PS3.5, 6.2).
  private func trimmed(_ text: String) -> String {
    text.trimmingCharacters(in: Self.padding)
  }

  private static let padding = CharacterSet.whitespaces.union(CharacterSet(charactersIn: "\0"))
}

/// Returns `text` fit for a terminal: control characters replaced, at most `limit` characters.
///
/// A hostile file must not be able to send escape codes through an error message.
func printable(_ text: String, limit: Int = 64) -> String {
  let clean = String(
    text.unicodeScalars.map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: "?"
      default: Character(scalar)
      }
    })
  return clean.count > limit ? clean.prefix(limit - 1) + "…" : clean
}
