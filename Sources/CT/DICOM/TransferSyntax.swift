/// The encoding of a file's bytes.
///
/// Source: PS3.6, Table A-1; PS3.5, section 10 and Annex A.
struct TransferSyntax: Hashable, Sendable {
  let uid: String

  /// The name in the standard; nil for an unknown one.
  var name: String? { Self.known[uid]?.name }

  /// Whether pixel data in this encoding can be decoded here.
  var isDecodable: Bool { Self.known[uid]?.isDecodable ?? false }

  /// Whether decoded values differ from the scanned ones.
  var isLossy: Bool { Self.known[uid]?.isLossy ?? false }

  /// Whether images are compressed one by one; deflated files are compressed as a whole.
  var isCompressed: Bool { uid.hasPrefix("1.2.840.10008.1.2.4.") || isRLE }

  /// Whether images are JPEG 2000, which DCMTK does not decode.
  var isJPEG2000: Bool { uid == "1.2.840.10008.1.2.4.90" || uid == "1.2.840.10008.1.2.4.91" }

  /// Whether images are run-length encoded.
  var isRLE: Bool { uid == "1.2.840.10008.1.2.5" }

  /// Whether numbers of 16 and 32 bits have their high byte first.
  var isBigEndian: Bool { uid == "1.2.840.10008.1.2.2" }

  private struct Facts {
    let name: String
    var isDecodable = false
    var isLossy = false
  }

  private static let known: [String: Facts] = [
    "1.2.840.10008.1.2": Facts(name: "Implicit VR Little Endian", isDecodable: true),
    "1.2.840.10008.1.2.1": Facts(name: "Explicit VR Little Endian", isDecodable: true),
    "1.2.840.10008.1.2.1.99": Facts(
      name: "Deflated Explicit VR Little Endian", isDecodable: true),
    "1.2.840.10008.1.2.2": Facts(name: "Explicit VR Big Endian", isDecodable: true),
    "1.2.840.10008.1.2.4.50": Facts(name: "JPEG Baseline", isDecodable: true, isLossy: true),
    "1.2.840.10008.1.2.4.51": Facts(name: "JPEG Extended", isDecodable: true, isLossy: true),
    "1.2.840.10008.1.2.4.53": Facts(
      name: "JPEG Spectral Selection", isDecodable: true, isLossy: true),
    "1.2.840.10008.1.2.4.55": Facts(
      name: "JPEG Full Progression", isDecodable: true, isLossy: true),
    "1.2.840.10008.1.2.4.57": Facts(name: "JPEG Lossless", isDecodable: true),
    "1.2.840.10008.1.2.4.70": Facts(
      name: "JPEG Lossless, First-Order Prediction", isDecodable: true),
    "1.2.840.10008.1.2.4.80": Facts(name: "JPEG-LS Lossless", isDecodable: true),
    "1.2.840.10008.1.2.4.81": Facts(
      name: "JPEG-LS Near-Lossless", isDecodable: true, isLossy: true),
    "1.2.840.10008.1.2.5": Facts(name: "RLE Lossless", isDecodable: true),
    "1.2.840.10008.1.2.4.90": Facts(name: "JPEG 2000 (lossless)", isDecodable: true),
    "1.2.840.10008.1.2.4.91": Facts(name: "JPEG 2000", isDecodable: true, isLossy: true),
    "1.2.840.10008.1.2.4.92": Facts(name: "JPEG 2000 Part 2 (lossless)"),
    "1.2.840.10008.1.2.4.93": Facts(name: "JPEG 2000 Part 2", isLossy: true),
    "1.2.840.10008.1.2.4.94": Facts(name: "JPIP Referenced"),
    "1.2.840.10008.1.2.4.95": Facts(name: "JPIP Referenced Deflate"),
    "1.2.840.10008.1.2.4.100": Facts(name: "MPEG2 Main Profile", isLossy: true),
    "1.2.840.10008.1.2.4.101": Facts(name: "MPEG2 High Level", isLossy: true),
    "1.2.840.10008.1.2.4.102": Facts(name: "MPEG-4 AVC/H.264", isLossy: true),
    "1.2.840.10008.1.2.4.103": Facts(name: "MPEG-4 AVC/H.264 BD", isLossy: true),
    "1.2.840.10008.1.2.4.107": Facts(name: "HEVC/H.265", isLossy: true),
    "1.2.840.10008.1.2.4.108": Facts(name: "HEVC/H.265 Main 10", isLossy: true),
    "1.2.840.10008.1.2.4.110": Facts(name: "JPEG XL Lossless"),
    "1.2.840.10008.1.2.4.111": Facts(name: "JPEG XL JPEG Recompression", isLossy: true),
    "1.2.840.10008.1.2.4.112": Facts(name: "JPEG XL", isLossy: true),
    "1.2.840.10008.1.2.4.201": Facts(name: "High-Throughput JPEG 2000 (lossless)"),
    "1.2.840.10008.1.2.4.202": Facts(name: "High-Throughput JPEG 2000 RPCL (lossless)"),
    "1.2.840.10008.1.2.4.203": Facts(name: "High-Throughput JPEG 2000", isLossy: true),
    "1.2.840.10008.1.2.8.1": Facts(name: "Deflated Image Frame Compression"),
  ]
}

extension TransferSyntax {
  /// The error of a file in an encoding that cannot be decoded.
  func error(file: String) -> CTError {
    guard !uid.isEmpty else {
      return CTError(
        "no-transfer-syntax", "\(file): the header does not say how the file is encoded.",
        hint: "(0002,0010) Transfer Syntax UID is missing")
    }
    let called = name.map { "\($0), \(uid)" } ?? printable(uid)
    return CTError(
      "unsupported-transfer-syntax",
      "\(file): the image is encoded as \(called), which cannot be decoded here.",
      hint: "convert it to explicit VR little endian")
  }

  /// Finds the transfer syntax of a file: the one in the header or, where that has none, the one in
  /// which the file was read.
  ///
  /// - Throws: `CTError` with the name of the encoding if it cannot be decoded.
  init(decodable dataset: DICOMDataset, of file: borrowing DICOMFile) throws(CTError) {
    uid = dataset.text(.transferSyntaxUID) ?? file.transferSyntax
    guard isDecodable else { throw error(file: file.name) }
  }
}
