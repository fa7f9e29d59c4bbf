/// The memory for the values of a series, with a place for each image.
struct PixelDestination {
  /// The values, and whether each is padding, images one after the other.
  let values: UnsafeMutableBufferPointer<Float>, mask: UnsafeMutableBufferPointer<Bool>
  /// The number of pixels of an image.
  let area: Int

  /// The place of image `n`.
  func image(_ n: Int) -> PixelDestination {
    let range = n * area..<(n + 1) * area
    return PixelDestination(
      values: UnsafeMutableBufferPointer(rebasing: values[range]),
      mask: UnsafeMutableBufferPointer(rebasing: mask[range]), area: area)
  }
}

/// Reads the values of images that stand in one file.
///
/// - Parameters:
///   - slices: Images of one file, each with its place in `destination`.
///   - destination: Receives the values.
///   - limits: The memory that decompressing an image may take, and when to stop.
/// - Returns: Whether any of the values is padding.
/// - Throws: `CTError` when the pixel data are shorter than the header says, or damaged.
func readPixels(
  _ slices: [(slice: CTSlice, place: Int)], into destination: PixelDestination,
  limits: ReadingLimits
) throws(CTError) -> Bool {
  guard let first = slices.first?.slice else { return false }
  let format = first.format
  let file = try DICOMFile(path: first.path, name: first.name, limits: limits)
  // The file may have changed since its header was read.
  let stored = try storedLength(of: file, format)
  if stored.isCompressed {
    _ = try CompressedImage.checked(file, format, first.syntax, stored: stored.bytes)
  }
  let frameBytes = destination.area * (format.bitsAllocated / 8)
  // OpenJPEG keeps 32 bits a sample.
  try limits.require(
    first.syntax.isJPEG2000 ? destination.area * 8 : frameBytes,
    for: "\(first.name): the samples of an image", hint: "raise limit.memory")
  if first.syntax.isRLE { try requireCompleteRLE(file, slices) }

  var hasPadding = false
  for (slice, place) in slices {
    guard !limits.shouldStop() else {
      throw CTError("interrupted", "\(slice.name): reading was stopped.")
    }
    var isPadded = false
    if slice.syntax.isJPEG2000 {
      isPadded = try readJPEG2000(file, slice, into: destination.image(place))
    } else {
      try file.withSamples(frame: slice.frame, length: frameBytes) { bytes, kind in
        isPadded = convert(bytes, slice, kind, to: destination.image(place))
      }
    }
    hasPadding = hasPadding || isPadded
  }
  return hasPadding
}

private func readJPEG2000(
  _ file: borrowing DICOMFile, _ slice: CTSlice, into destination: PixelDestination
) throws(CTError) -> Bool {
  let format = slice.format
  var isPadded = false
  try JPEG2000.decode(
    try file.compressed(frame: slice.frame, of: format.frames),
    rows: format.rows, columns: format.columns, name: slice.name
  ) { samples, image in
    isPadded = convertDecoded(samples, image, slice, to: destination)
  }
  return isPadded
}

private func requireCompleteRLE(
  _ file: borrowing DICOMFile, _ slices: [(slice: CTSlice, place: Int)]
) throws(CTError) {
  for (slice, _) in slices {
    let format = slice.format
    let bytes = try file.compressed(frame: slice.frame, of: format.frames)
    guard
      RLEFrame.isComplete(
        bytes, area: format.rows * format.columns, segments: format.bitsAllocated / 8)
    else {
      throw CTError(
        "truncated", "\(slice.name): the run-length encoded image ends early.",
        hint: "copy the file again")
    }
  }
}

/// Returns the length of the pixel data in the file, at least that of the header unless they are
/// compressed.
///
/// - Throws: `CTError` when they are shorter, or missing.
func storedLength(
  of file: borrowing DICOMFile, _ format: PixelFormat
) throws(CTError) -> (bytes: Int, isCompressed: Bool) {
  let stored = try file.storedLength()
  guard stored.isCompressed || stored.bytes >= format.byteCount else {
    let frames = format.frames > 1 ? "\(format.frames) frames of " : ""
    let needed = format.byteCount == .max ? "more than memory" : String(format.byteCount)
    throw CTError(
      "truncated",
      "\(file.name): the pixel data hold \(stored.bytes) bytes; \(frames)"
        + "\(format.columns)×\(format.rows) pixels need \(needed).",
      hint: "copy the file again, or correct its header")
  }
  return stored
}

/// Converts the samples of one image to values; returns true when some are padding.
private func convert(
  _ source: UnsafeRawBufferPointer, _ slice: CTSlice, _ kind: Character,
  to destination: PixelDestination
) -> Bool {
  switch (kind, slice.format.bitsAllocated) {
  case ("f", _): convertReals(source, Float.self, slice.transform, to: destination)
  case ("d", _): convertReals(source, Double.self, slice.transform, to: destination)
  case (_, 8): convertIntegers(source, UInt8.self, slice, to: destination)
  case (_, 16): convertIntegers(source, UInt16.self, slice, to: destination)
  default: convertIntegers(source, UInt32.self, slice, to: destination)
  }
}

private func convertIntegers<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ source: UnsafeRawBufferPointer, _: Sample.Type, _ slice: CTSlice,
  to destination: PixelDestination
) -> Bool {
  let (values, mask) = (destination.values, destination.mask)
  let format = slice.format
  let transform = slice.transform
  let padding = slice.padding ?? Int.max...Int.max
  let size = MemoryLayout<Sample>.size
  var hasPadding = false
  for i in values.indices {
    let raw = source.loadUnaligned(fromByteOffset: i * size, as: Sample.self)
    let stored = format.value(ofBits: UInt32(raw))
    let isPadding = padding.contains(stored)
    values[i] = Float(transform.value(Double(stored)))
    mask[i] = isPadding
    hasPadding = hasPadding || isPadding
  }
  return hasPadding
}

/// Converts samples that OpenJPEG decoded to values.
///
/// They are taken as decoded, also where they need more bits than the header says: folding them would
/// make other values of them. Only where the header says two's complement and the code stream does
/// not, their sign is that of the code stream's bits, as writers mean it.
private func convertDecoded(
  _ source: UnsafeBufferPointer<Int32>, _ image: CompressedImage, _ slice: CTSlice,
  to destination: PixelDestination
) -> Bool {
  let (values, mask) = (destination.values, destination.mask)
  let (format, transform) = (slice.format, slice.transform)
  let padding = slice.padding ?? Int.max...Int.max
  let unused = Int32(32 - image.precision)
  let hasLostSign = format.isSigned && image.isSigned == false
  // Samples may stand above unused low bits, as in data that are not compressed.
  let shift =
    image.precision == format.highBit + 1 ? Int32(format.highBit + 1 - format.bitsStored) : 0
  var hasPadding = false
  for i in values.indices {
    var stored = source[i]
    if hasLostSign { stored = (stored << unused) >> unused }
    stored >>= shift
    values[i] = Float(transform.value(Double(stored)))
    mask[i] = padding.contains(Int(stored))
    hasPadding = hasPadding || mask[i]
  }
  return hasPadding
}

/// Converts samples of Float or Double to values; those that are not finite count as padding.
private func convertReals<Sample: BinaryFloatingPoint & BitwiseCopyable>(
  _ source: UnsafeRawBufferPointer, _: Sample.Type, _ transform: ValueTransform,
  to destination: PixelDestination
) -> Bool {
  let (values, mask) = (destination.values, destination.mask)
  let size = MemoryLayout<Sample>.size
  var hasPadding = false
  for i in values.indices {
    let stored = source.loadUnaligned(fromByteOffset: i * size, as: Sample.self)
    values[i] = Float(transform.value(Double(stored)))
    mask[i] = !values[i].isFinite
    hasPadding = hasPadding || mask[i]
  }
  return hasPadding
}
