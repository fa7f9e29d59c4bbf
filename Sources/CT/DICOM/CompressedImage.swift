/// The size and depth of a compressed image by its code stream, read from the first bytes.
///
/// Decoders follow the code stream, so it is compared with the header before memory is taken.
///
/// Source: ITU-T T.81, B.2.2 for JPEG; T.87, C.1.1 for JPEG-LS; T.800, A.5.1 for JPEG 2000.
struct CompressedImage: Hashable, Sendable {
  let rows: Int, columns: Int, samplesPerPixel: Int
  /// The bits of a sample.
  let precision: Int
  /// Whether samples are two's complement; nil where code streams do not tell.
  let isSigned: Bool?

  /// Reads the description in `bytes`, the beginning of a fragment; nil when there is none.
  init?(_ bytes: [UInt8]) {
    let size =
      bytes.starts(with: [0xFF, 0xD8]) ? Self.frameHeader(bytes) : Self.imageSize(bytes)
    guard let size else { return nil }
    self = size
  }

  init(rows: Int, columns: Int, samplesPerPixel: Int, precision: Int, isSigned: Bool?) {
    (self.rows, self.columns, self.samplesPerPixel) = (rows, columns, samplesPerPixel)
    (self.precision, self.isSigned) = (precision, isSigned)
  }

  /// Reads the SOF segment of a JPEG or JPEG-LS stream.
  private static func frameHeader(_ bytes: [UInt8]) -> CompressedImage? {
    var place = 2
    while place + 10 <= bytes.count, bytes[place] == 0xFF {
      let marker = bytes[place + 1]
      // Fill bytes may precede a marker.
      if marker == 0xFF {
        place += 1
        continue
      }
      // SOF0 to SOF15 without DHT, JPG and DAC; SOF55 of JPEG-LS.
      let isFrame = (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker)
      if isFrame || marker == 0xF7 {
        return CompressedImage(
          rows: number(bytes, place + 5, 2), columns: number(bytes, place + 7, 2),
          samplesPerPixel: Int(bytes[place + 9]), precision: Int(bytes[place + 4]), isSigned: nil)
      }
      // The scan begins without a frame header before it.
      guard marker != 0xDA, marker != 0xD9 else { return nil }
      place += 2 + number(bytes, place + 2, 2)
    }
    return nil
  }

  /// Reads the SIZ segment of a JPEG 2000 code stream, bare or in a JP2 file.
  private static func imageSize(_ bytes: [UInt8]) -> CompressedImage? {
    let start: [UInt8] = [0xFF, 0x4F, 0xFF, 0x51]
    guard
      let place = bytes.indices.dropLast(42).first(where: { bytes[$0...].starts(with: start) })
    else { return nil }
    func extent(_ offset: Int) -> Int {
      number(bytes, place + offset, 4) - number(bytes, place + offset + 8, 4)
    }
    return CompressedImage(
      rows: extent(12), columns: extent(8), samplesPerPixel: number(bytes, place + 40, 2),
      precision: Int(bytes[place + 42] & 0x7F) + 1, isSigned: bytes[place + 42] & 0x80 != 0)
  }

  private static func number(_ bytes: [UInt8], _ place: Int, _ length: Int) -> Int {
    guard place + length <= bytes.count else { return 0 }
    return bytes[place..<place + length].reduce(0) { $0 << 8 | Int($1) }
  }
}

extension CompressedImage {
  /// The number of bytes of a fragment in which the description is searched, usually and where
  /// writers put long notes before it.
  private static let usualHead = 4096, longestHead = 1 << 20

  /// Compares the compressed images of `file` with its header, before memory is taken.
  ///
  /// - Returns: The description of the first image; `nil` for run-length encoding, which has none.
  /// - Throws: `CTError` when rows, columns, depth or the number of images differ from the header,
  ///   or the data are too short for so many pixels.
  static func checked(
    _ file: borrowing DICOMFile, _ format: PixelFormat, _ syntax: TransferSyntax, stored: Int
  ) throws(CTError) -> CompressedImage? {
    if syntax.isRLE {
      // Two bytes encode at most 128.
      guard stored <= Int.max / 64, stored * 64 >= format.byteCount else {
        throw CTError(
          "truncated",
          "\(file.name): \(stored) run-length encoded bytes cannot hold"
            + " \(format.columns)×\(format.rows) pixels.", hint: "copy the file again")
      }
      return nil
    }
    var first: CompressedImage?
    for frame in 0..<format.frames {
      var (head, count) = try file.fragmentHead(frame, length: usualHead)
      guard count >= format.frames else {
        throw CTError(
          "truncated",
          "\(file.name): \(count) compressed \(count == 1 ? "image" : "images"); the header says"
            + " \(format.frames).", hint: "copy the file again")
      }
      if frame == 0, CompressedImage(head) == nil {
        head =
          format.frames == 1
          ? try file.compressed(frame: 0, of: 1)
          : try file.fragmentHead(frame, length: longestHead).head
      }
      if let image = CompressedImage(head) {
        try image.compare(with: format, syntax, name: file.name)
        first = first ?? image
      } else if first == nil {
        throw CTError(
          "undecodable",
          "\(file.name): the pixel data do not begin as \(syntax.name ?? "an image").",
          hint: "the file may be damaged; copy it again")
      }
      // Other fragments continue the image of the one before.
    }
    return first
  }

  /// - Throws: `CTError` when the header gives another size or depth.
  private func compare(
    with format: PixelFormat, _ syntax: TransferSyntax, name: String
  ) throws(CTError) {
    let kind = syntax.isJPEG2000 ? "JPEG 2000" : "JPEG"
    guard rows == format.rows, columns == format.columns, samplesPerPixel == 1 else {
      throw CTError(
        "bad-header",
        "\(name): the \(kind) image is \(columns)×\(rows)×\(samplesPerPixel), the header says"
          + " \(format.columns)×\(format.rows)×1.",
        hint: "the file contradicts itself: export it again")
    }
    // Samples of 9 to 16 bits take 16, however many of them the header says are used.
    let fits =
      syntax.isJPEG2000
      ? precision <= format.bitsAllocated : (precision <= 8 ? 8 : 16) == format.bitsAllocated
    guard fits, !format.isReal else {
      throw CTError(
        "bad-header",
        "\(name): the \(kind) image has \(precision) bits a sample, the header says"
          + " \(format.bitsAllocated) allocated.",
        hint: "the file contradicts itself: export it again")
    }
  }
}
