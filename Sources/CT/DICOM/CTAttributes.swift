import Foundation

/// One attribute of a file, as `tags` lists it.
package struct CTAttribute: Hashable, Sendable {
  /// The tag, such as `(0028,1053)`.
  package let tag: String
  /// The value representation, such as `DS`.
  package let vr: String
  /// The name in the data dictionary, such as `RescaleSlope`.
  package let keyword: String
  /// The value; `(hidden)` when it could identify a person.
  package let value: String
  /// The number of sequences that contain the attribute, one within another.
  package let depth: Int
}

extension CTAttribute {
  /// The attributes of the file at `path` in file order, without what identifies the patient.
  ///
  /// - Throws: `CTError` when the file is not DICOM or cannot be read.
  package static func list(
    _ path: String, limits: ReadingLimits = ReadingLimits()
  ) throws(CTError) -> [CTAttribute] {
    let name = printable((path as NSString).lastPathComponent, limit: 255)
    let file = try DICOMFile(path: path, name: name, limits: limits)
    let dataset = try file.dataset()
    return list(dataset, Secrets(dataset), depth: 0)
  }

  private static func list(
    _ dataset: DICOMDataset, _ secrets: Secrets, depth: Int
  ) -> [CTAttribute] {
    dataset.elements.flatMap { element in
      [CTAttribute(element, secrets, depth: depth)]
        + element.items.flatMap { list($0, secrets, depth: depth + 1) }
    }
  }

  private init(_ element: DICOMElement, _ secrets: Secrets, depth: Int) {
    tag = element.tag.description
    vr = element.vr
    let isPrivate = element.tag.group & 1 == 1
    keyword = isPrivate ? "(private)" : element.keyword
    value =
      if Identification.mayIdentify(element) || secrets.areIn(element.text ?? "") {
        Secrets.hidden
      } else if element.vr == "SQ" {
        "\(element.items.count) \(element.items.count == 1 ? "item" : "items")"
      } else if let text = element.text {
        printable(text.trimmingCharacters(in: .whitespaces))
      } else {
        "(\(element.length == 0xFFFF_FFFF ? "compressed" : "\(element.length) bytes"))"
      }
    self.depth = depth
  }
}

/// Decides which attributes may identify the patient, or the time and place of the scan.
///
/// It is stricter than the list of PS3.15, Table E.1-1: it decides by value representation first,
/// so that attributes of future editions and of private groups are covered.
enum Identification {
  /// Whether the value of `element` is hidden.
  static func mayIdentify(_ element: DICOMElement) -> Bool {
    let tag = element.tag
    guard !(element.text ?? "").isEmpty else { return false }
    if tag.group & 1 == 1 || hiddenGroups.contains(tag.group) || hiddenTags.contains(tag) {
      return true
    }
    if element.vr == "UI" {
      // DICOM's own identifiers name kinds of objects; the series is needed for choosing it.
      let text = element.text ?? ""
      return (tag != .seriesInstanceUID || IdentifierPrivacy.tellsDate(text))
        && !text.hasPrefix("1.2.840.10008.")
    }
    return hiddenRepresentations.contains(element.vr)
  }

  /// Value representations of names, dates, times and ages, free text, addresses and devices.
  private static let hiddenRepresentations: Set<String> = [
    "PN", "DA", "DT", "TM", "AS", "LT", "ST", "UT", "UR", "UC", "AE",
  ]

  /// Groups of patient, study requests, visits, procedures and results.
  private static let hiddenGroups: Set<UInt16> = [0x0010, 0x0032, 0x0038, 0x0040, 0x4008]

  private static let hiddenTags: Set<DICOMTag> = [
    .accessionNumber, .studyID,
    DICOMTag(0x0004_1130), DICOMTag(0x0004_1500),  // file-set identifier, names of files
    DICOMTag(0x0008_0080), DICOMTag(0x0008_0081), DICOMTag(0x0008_1010),  // institution, station
    DICOMTag(0x0008_1030), DICOMTag(0x0008_1040),  // study description, department
    DICOMTag(0x0012_0010), DICOMTag(0x0012_0020), DICOMTag(0x0012_0030), DICOMTag(0x0012_0031),
    DICOMTag(0x0012_0040), DICOMTag(0x0012_0042),  // clinical trial: sponsor, site, subject
    DICOMTag(0x0018_1000), DICOMTag(0x0018_1002), DICOMTag(0x0018_1004),  // serial numbers
    DICOMTag(0x0018_1030),  // protocol name
  ]
}
