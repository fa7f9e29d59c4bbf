import Tensors

/// Reads the values of images that stand in one file.
///
/// - Parameters:
///   - slices: Images of one file, each with the place in the stack where its values go.
///   - stack: Receives the values, images one after the other.
///   - mask: Receives whether a value is padding.
///   - memoryLimit: The bytes that decompressing may take.
/// - Returns: Whether any of the values is padding.
/// - Throws: `CTError` when the pixel data are shorter than the header says, or damaged.
func readPixels(
  _ slices: [(slice: CTSlice, place: Int)],
  into stack: UnsafeMutableBufferPointer<Float>,
  mask: UnsafeMutableBufferPointer<Bool>,
  memoryLimit: Int
) throws(CTError) -> Bool {
  guard let first = slices.first?.slice else { return false }
  let file = try DICOMFile(path: first.path, name: first.name)
  let format = first.format
  let expected = format.byteCount
  try requireLength(file, format)
  guard expected <= memoryLimit else {
    throw CTError(
      "too-large",
      "\(first.name): decompressing takes \(expected) bytes, the limit is"
        + " \(memoryLimit).", hint: "raise limit.memory")
  }
  let area = format.rows * format.columns
  var hasPadding = false
  if first.syntax.isJPEG2000 {
    for (slice, place) in slices {
      let bytes = try file.compressed(frame: slice.frame, of: format.frames)
      let range = place * area..<(place + 1) * area
      try JPEG2000.decode(
        bytes, rows: format.rows, columns: format.columns, name: first.name
      ) { samples in
        let padded = convertIntegers(
          samples, UInt32.self, slice, to: UnsafeMutableBufferPointer(rebasing: stack[range]),
          mask: UnsafeMutableBufferPointer(rebasing: mask[range]))
        hasPadding = hasPadding || padded
      }
    }
    return hasPadding
  }
  if first.syntax.isRLE {
    for (slice, _) in slices {
      let bytes = try file.compressed(frame: slice.frame, of: format.frames)
      guard RLEFrame.isComplete(bytes, area: area, segments: format.bitsAllocated / 8) else {
        throw CTError(
          "truncated", "\(first.name): the run-length encoded image ends early.",
          hint: "copy the file again")
      }
    }
  }
  try file.withSamples { bytes, kind throws(CTError) in
    guard bytes.count >= expected else {
      throw CTError(
        "truncated",
        "\(first.name): decompressing gave \(bytes.count) bytes; expected \(expected).",
        hint: "the file may be damaged; copy it again")
    }
    let frameBytes = area * (format.bitsAllocated / 8)
    for (slice, place) in slices {
      let source = UnsafeRawBufferPointer(
        rebasing: bytes[slice.frame * frameBytes..<(slice.frame + 1) * frameBytes])
      let range = place * area..<(place + 1) * area
      let padded = convert(
        source, slice, kind, to: UnsafeMutableBufferPointer(rebasing: stack[range]),
        mask: UnsafeMutableBufferPointer(rebasing: mask[range]))
      hasPadding = hasPadding || padded
    }
  }
  return hasPadding
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
  to values: UnsafeMutableBufferPointer<Float>, mask: UnsafeMutableBufferPointer<Bool>
) -> Bool {
  switch (kind, slice.format.bitsAllocated) {
  case ("f", _): convertReals(source, Float.self, slice.transform, to: values, mask: mask)
  case ("d", _): convertReals(source, Double.self, slice.transform, to: values, mask: mask)
  case (_, 8): convertIntegers(source, UInt8.self, slice, to: values, mask: mask)
  case (_, 16): convertIntegers(source, UInt16.self, slice, to: values, mask: mask)
  default: convertIntegers(source, UInt32.self, slice, to: values, mask: mask)
  }
}

private func convertIntegers<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ source: UnsafeRawBufferPointer, _: Sample.Type, _ slice: CTSlice,
  to values: UnsafeMutableBufferPointer<Float>, mask: UnsafeMutableBufferPointer<Bool>
) -> Bool {
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
  to values: UnsafeMutableBufferPointer<Float>, mask: UnsafeMutableBufferPointer<Bool>
) -> Bool {
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
