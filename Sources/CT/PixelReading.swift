/// Where the values of a series go: every image has a place of its own.
struct PixelDestination {
  /// The values and whether they are padding, images one after the other.
  let values: UnsafeMutableBufferPointer<Float>, mask: UnsafeMutableBufferPointer<Bool>
  /// The pixels of an image.
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
///   - memoryLimit: The bytes that decompressing may take.
/// - Returns: Whether any of the values is padding.
/// - Throws: `CTError` when the pixel data are shorter than the header says, or damaged.
func readPixels(
  _ slices: [(slice: CTSlice, place: Int)], into destination: PixelDestination, memoryLimit: Int
) throws(CTError) -> Bool {
  guard let first = slices.first?.slice else { return false }
  let format = first.format
  let file = try DICOMFile(path: first.path, name: first.name)
  try requireLength(file, format)
  guard format.byteCount <= memoryLimit else {
    throw CTError(
      "too-large",
      "\(first.name): decompressing takes \(format.byteCount) bytes; the limit is \(memoryLimit).",
      hint: "raise limit.memory")
  }
  if first.syntax.isJPEG2000 { return try readJPEG2000(file, slices, into: destination) }
  if first.syntax.isRLE { try requireCompleteRLE(file, slices) }

  var hasPadding = false
  try file.withSamples { bytes, kind throws(CTError) in
    guard bytes.count >= format.byteCount else {
      throw CTError(
        "truncated",
        "\(first.name): decompressing gave \(bytes.count) bytes; expected \(format.byteCount).",
        hint: "copy the file again")
    }
    let frameBytes = destination.area * (format.bitsAllocated / 8)
    for (slice, place) in slices {
      let frame = UnsafeRawBufferPointer(
        rebasing: bytes[slice.frame * frameBytes..<(slice.frame + 1) * frameBytes])
      let isPadded = convert(frame, slice, kind, to: destination.image(place))
      hasPadding = hasPadding || isPadded
    }
  }
  return hasPadding
}

private func readJPEG2000(
  _ file: borrowing DICOMFile, _ slices: [(slice: CTSlice, place: Int)],
  into destination: PixelDestination
) throws(CTError) -> Bool {
  var hasPadding = false
  for (slice, place) in slices {
    let format = slice.format
    try JPEG2000.decode(
      try file.compressed(frame: slice.frame, of: format.frames),
      rows: format.rows, columns: format.columns, name: slice.name
    ) { samples in
      let isPadded = convertIntegers(samples, UInt32.self, slice, to: destination.image(place))
      hasPadding = hasPadding || isPadded
    }
  }
  return hasPadding
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

/// Checks that uncompressed pixel data are as long as the header says, before memory is taken.
///
/// - Throws: `CTError` when they are shorter, or missing.
func requireLength(_ file: borrowing DICOMFile, _ format: PixelFormat) throws(CTError) {
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
}

/// Turns the samples of one image to values; true when some are padding.
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

/// Values that are not finite count as padding.
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
