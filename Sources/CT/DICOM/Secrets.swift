import Foundation

/// The names, numbers and dates in a file that identify its patient and must not appear in output.
///
/// People write them into descriptions, names of windows and kernels, and devices write dates into
/// identifiers. So every text of a file is searched for them.
struct Secrets: Sendable {
  /// Names and numbers as a whole: their letters and digits, in lower case.
  private var wholes: Set<String> = []
  /// Words of names.
  private var words: Set<String> = []
  /// Dates in all usual orders, digits only.
  private var dates: Set<String> = []

  /// The text that replaces one with a secret.
  static let hidden = "(hidden)"

  /// Words of names that identify no person: they occur in the names of phantoms and of people
  /// whose names were removed (`Lung_Dx-A0164`), and in ordinary descriptions.
  private static let plainWords: Set<String> = [
    "phantom", "patient", "anonymous", "anonymized", "anonymised", "anon", "unknown", "none",
    "lung", "chest", "thorax", "abdomen", "head",
  ]

  /// Finds the secrets of a data set and of the items in it.
  init(_ dataset: DICOMDataset) {
    for element in dataset.elements { note(element) }
  }

  private mutating func note(_ element: DICOMElement) {
    for item in element.items {
      for inner in item.elements { note(inner) }
    }
    guard let text = element.text, !text.isEmpty else { return }
    switch element.vr {
    case "PN":
      noteWhole(text)
      for word in Self.words(of: text) where word.count > 2 && !Self.plainWords.contains(word) {
        words.insert(word)
      }
    case "DA", "DT":
      for value in text.split(separator: "\\") { noteDate(String(value.prefix(8))) }
    default:
      if Self.numbers.contains(element.tag) { noteWhole(text) }
    }
  }

  private mutating func noteWhole(_ text: String) {
    for value in text.split(separator: "\\") {
      let whole = Self.words(of: String(value)).joined()
      if whole.count > 2, !Self.plainWords.contains(whole) { wholes.insert(whole) }
    }
  }

  /// Adds the usual orders of a date of the form 20190304.
  private mutating func noteDate(_ text: String) {
    guard text.count == 8, text.allSatisfy(\.isWholeNumber) else { return }
    let (year, month, day) = (text.prefix(4), text.dropFirst(4).prefix(2), text.suffix(2))
    dates.formUnion([text, "\(day)\(month)\(year)", "\(month)\(day)\(year)"])
  }

  /// The attributes with numbers of the patient and of the examination.
  private static let numbers: Set<DICOMTag> = [
    .patientID, .accessionNumber, DICOMTag(0x0010_1000), DICOMTag(0x0010_1005),
    DICOMTag(0x0010_1040), DICOMTag(0x0010_2154), DICOMTag(0x0038_0010),
  ]

  /// Whether `text` holds a secret; case, accents and marks between its parts do not matter.
  func areIn(_ text: String) -> Bool {
    let parts = Self.words(of: text)
    guard !parts.isEmpty else { return false }
    if parts.contains(where: words.contains) { return true }
    let joined = parts.joined()
    // Short secrets count only as whole words, or every "123" would be one.
    if wholes.contains(where: { $0.count > 4 ? joined.contains($0) : parts.contains($0) }) {
      return true
    }
    return dates.contains(where: joined.contains)
  }

  /// Returns `text` fit for a message, or ``hidden`` when it holds a secret.
  func shown(_ text: String) -> String {
    areIn(text) ? Self.hidden : printable(text)
  }

  /// The words of a text, in lower case without accents.
  private static func words(of text: String) -> [String] {
    let plain = text.folding(
      options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
    return plain.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }
}

/// Replaces identifiers that would tell a date in outputs.
enum IdentifierPrivacy {
  /// The identifier, or another made from it when it contains a date.
  ///
  /// Devices build identifiers from the time of the scan. The new one is always the same for the
  /// same identifier, so that files still refer to each other.
  static func plain(_ uid: String) -> String {
    tellsDate(uid) ? DICOMIdentifier.make(of: "identifier of a source\n\(uid)") : uid
  }

  /// Whether eight digits in a row could be a date between 1900 and 2099.
  ///
  /// Identifiers made of a UUID are numbers without meaning (PS3.5, B.2).
  static func tellsDate(_ uid: String) -> Bool {
    if uid.hasPrefix("2.25."), uid.utf8.count > 30 { return false }
    return uid.split(separator: ".").contains { part in
      let digits = part.utf8.map { Int($0) - 48 }
      return digits.indices.dropLast(7).contains { start in
        func number(_ from: Int, _ count: Int) -> Int {
          digits[start + from..<start + from + count].reduce(0) { $0 * 10 + $1 }
        }
        return (1900...2099).contains(number(0, 4)) && (1...12).contains(number(4, 2))
          && (1...31).contains(number(6, 2))
      }
    }
  }
}
