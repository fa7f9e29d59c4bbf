/// Checked numbers from attribute values, since a header may hold anything.
extension DICOMDataset {
  /// The values of `tag` as finite numbers, or `nil` when it is absent.
  ///
  /// Source: PS3.5, 6.2, VR DS: digits, sign, point and exponent only; no comma, NaN or infinity.
  func reals(_ tag: DICOMTag) -> [Double]? {
    let texts = texts(tag)
    guard !texts.isEmpty else { return nil }
    let numbers = texts.compactMap(decimal)
    return numbers.count == texts.count ? numbers : nil
  }

  /// The first value of `tag` as a finite number, or `nil` when it is absent or not a number.
  func real(_ tag: DICOMTag) -> Double? {
    texts(tag).first.flatMap(decimal)
  }

  /// The first value of `tag` as an integer, or `nil` when it is absent or not an integer.
  func integer(_ tag: DICOMTag) -> Int? {
    texts(tag).first.flatMap { Int($0) }
  }
}

/// The finite number that `text` represents by the rules of VR DS, or `nil`.
func decimal(_ text: String) -> Double? {
  let isNumeric = text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
      UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }
  guard isNumeric, let number = Double(text), number.isFinite else { return nil }
  return number
}
