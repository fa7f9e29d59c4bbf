/// The layout of an image's samples in its pixel data.
///
/// Source: PS3.3, C.7.6.3 Image Pixel Module; PS3.5, 8.1.1.
package struct PixelFormat: Hashable, Sendable {
  /// The rows and columns of a frame, and the number of frames; all at least 1.
  package let rows: Int, columns: Int, frames: Int
  /// The number of bits that a sample takes, 8, 16, 32 or 64; the number that hold its value; and
  /// the highest of these.
  package let bitsAllocated: Int, bitsStored: Int, highBit: Int
  /// Whether values are two's complement.
  package let isSigned: Bool
  /// Whether values are Float or Double rather than integers.
  package let isReal: Bool
  /// `MONOCHROME1` (low values are bright) or `MONOCHROME2`; it affects pictures, not values.
  package let photometricInterpretation: String

  /// The size of all frames in bytes, not compressed.
  var byteCount: Int {
    // At most 65535·65535·4·(2³¹−1) < 2⁶³·4: may overflow, then the image is too large anyway.
    let (area, areaOverflow) = (rows * columns).multipliedReportingOverflow(by: frames)
    let (bytes, overflow) = area.multipliedReportingOverflow(by: bitsAllocated / 8)
    return areaOverflow || overflow ? .max : bytes
  }

  /// Reads and checks the description in `dataset`.
  ///
  /// - Throws: `CTError` for color, for no image, and for a description that contradicts itself.
  init(_ dataset: DICOMDataset, name: String) throws(CTError) {
    let isFloat = dataset[.floatPixelData] != nil
    let isDouble = dataset[.doubleFloatPixelData] != nil
    guard dataset[.pixelData] != nil || isFloat || isDouble else {
      throw CTError("no-pixel-data", "\(name): a DICOM file without an image.")
    }
    let photometric = dataset.text(.photometricInterpretation) ?? "MONOCHROME2"
    let samples = dataset.integer(.samplesPerPixel) ?? 1
    guard ["MONOCHROME1", "MONOCHROME2"].contains(photometric) else {
      throw CTError(
        "not-grey", "\(name): a colour image (\(printable(photometric))); expected a grey one.",
        hint: "load a CT slice")
    }
    guard samples == 1 else {
      throw CTError(
        "bad-header", "\(name): \(samples) samples a pixel in a grey image; expected 1.")
    }

    func size(_ tag: DICOMTag, _ what: String) throws(CTError) -> Int {
      guard let number = dataset.integer(tag), number > 0 else {
        let found = dataset.text(tag).map { "is \"\(printable($0))\"" } ?? "is missing"
        throw CTError("bad-header", "\(name): \(what) \(tag) \(found); expected a number above 0.")
      }
      return number
    }
    rows = try size(.rows, "Rows")
    columns = try size(.columns, "Columns")
    frames =
      dataset.text(.numberOfFrames) == nil ? 1 : try size(.numberOfFrames, "Number of Frames")
    photometricInterpretation = photometric
    isReal = isFloat || isDouble
    guard !isReal else {
      bitsAllocated = isFloat ? 32 : 64
      bitsStored = bitsAllocated
      highBit = bitsAllocated - 1
      isSigned = true
      return
    }

    let allocated = try size(.bitsAllocated, "Bits Allocated")
    let stored = dataset.text(.bitsStored) == nil ? allocated : try size(.bitsStored, "Bits Stored")
    let high = dataset.integer(.highBit) ?? stored - 1
    guard [8, 16, 32].contains(allocated) else {
      throw CTError(
        "unsupported-bits",
        "\(name): samples of \(allocated) \(allocated == 1 ? "bit" : "bits"); expected 8, 16 or 32.",
        hint: allocated == 1 ? "this is a mask, no CT slice" : "convert it")
    }
    guard stored <= allocated, high < allocated, high >= stored - 1 else {
      throw CTError(
        "bad-header",
        "\(name): bits stored \(stored), high bit \(high) do not fit \(allocated) bits allocated.")
    }
    bitsAllocated = allocated
    bitsStored = stored
    highBit = high
    isSigned = dataset.integer(.pixelRepresentation) == 1
  }
}

extension PixelFormat {
  /// The value of a sample: the stored bits, extended by their sign.
  @inline(__always)
  func value(ofBits raw: UInt32) -> Int {
    let shifted = raw >> UInt32(highBit + 1 - bitsStored)
    return folded(Int(shifted))
  }

  /// `number` reduced to the bits stored, and extended by its sign.
  ///
  /// Padding values are sometimes written with the wrong sign (63536 for −2000); folding corrects
  /// them.
  @inline(__always)
  func folded(_ number: Int) -> Int {
    let low = number & (1 << bitsStored - 1)
    return isSigned && low >> (bitsStored - 1) == 1 ? low - 1 << bitsStored : low
  }
}
