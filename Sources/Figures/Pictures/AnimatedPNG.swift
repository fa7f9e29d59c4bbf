/// Animations as PNG files, whose first frame other programs show.
///
/// Every frame is a whole picture that libpng compressed; its data goes into fdAT chunks.
///
/// Source: W3C, Portable Network Graphics (third edition, 2025), section 11.3.6.
extension Animation {
  private static let labelKeyword = "Frames"

  /// The bytes of the animated PNG file.
  func encodedPNG() throws(PictureError) -> [UInt8] {
    var file: [PNGChunks.Chunk] = []
    var sequence: UInt32 = 0
    func next() -> [UInt8] {
      defer { sequence += 1 }
      return sequence.bigEndianBytes
    }
    for (index, frame) in frames.enumerated() {
      let texts = index == 0 ? [PNG.Text(Self.labelKeyword, labelNote)] : []
      let still = try PNGChunks(decoding: try PNG(frame.picture, texts: texts).encoded()).chunks
      if index == 0 {
        file += still.prefix { $0.type != "IDAT" }
        file.append(.init(type: "acTL", data: UInt32(frames.count).bigEndianBytes + [0, 0, 0, 0]))
      }
      file.append(.init(type: "fcTL", data: next() + control(of: index)))
      for chunk in still where chunk.type == "IDAT" {
        file.append(
          index == 0 ? chunk : .init(type: "fdAT", data: next() + chunk.data))
      }
    }
    return PNGChunks(file + [.init(type: "IEND", data: [])]).encoded
  }

  /// The contents of an fcTL chunk: a frame covers the whole canvas, has a delay, and replaces the
  /// last.
  private func control(of index: Int) -> [UInt8] {
    UInt32(width).bigEndianBytes + UInt32(height).bigEndianBytes + [UInt8](repeating: 0, count: 8)
      + UInt16(delay(of: index)).bigEndianBytes + UInt16(100).bigEndianBytes + [0, 0]
  }

  /// Decodes an animated PNG file; nil for a PNG that is not animated.
  ///
  /// - Throws: `PictureError` when it is broken, larger than an animation may be, or has frames that
  ///   are not grey pictures over the whole canvas.
  init?(decodingPNG bytes: [UInt8]) throws(PictureError) {
    let chunks = try PNGChunks(decoding: bytes).chunks
    guard let header = chunks.first, header.type == "IHDR", header.data.count == 13 else {
      throw PNGChunks.broken("it has no header")
    }
    guard let animation = chunks.first(where: { $0.type == "acTL" }) else { return nil }
    let (width, height) = (header.data.number32(at: 0), header.data.number32(at: 4))
    let controls = chunks.filter { $0.type == "fcTL" }
    guard animation.data.count == 8, controls.allSatisfy({ $0.data.count == 26 }),
      controls.count == Int(animation.data.number32(at: 0))
    else { throw PNGChunks.broken("its frames are not as many as it says") }
    guard Animation.fits(count: controls.count, width: Int(width), Int(height)),
      header.data[8] == 8, header.data[9] == 0,
      controls.allSatisfy({
        $0.data.number32(at: 4) == width && $0.data.number32(at: 8) == height
      })
    else {
      throw PictureError(
        .unsupported, "an animated PNG with such frames is not read",
        hint:
          "frames are 8-bit grey pictures of one size, \(Animation.pixelLimit >> 20) million pixels at most"
      )
    }
    var pictures: [Picture] = []
    for data in Self.frameData(chunks) {
      let still = PNGChunks(
        [header, .init(type: "IDAT", data: data), .init(type: "IEND", data: [])])
      pictures.append(try PNG(decoding: still.encoded).picture)
    }
    guard pictures.count == controls.count else { throw PNGChunks.broken("a frame has no data") }
    let (part, whole) = (
      controls[0].data.number32(at: 20) >> 16, controls[0].data.number32(at: 20) & 0xFFFF
    )
    self.init(
      Self.frames(pictures, note: try PNG(decoding: bytes)[Self.labelKeyword]),
      delay: min(max(1, Int(part) * 100 / Int(whole == 0 ? 100 : whole)), 6000))
  }

  /// The compressed data of each frame, in order.
  private static func frameData(_ chunks: [PNGChunks.Chunk]) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    for chunk in chunks {
      switch chunk.type {
      case "fcTL": frames.append([])
      case "IDAT" where !frames.isEmpty: frames[frames.count - 1] += chunk.data
      case "fdAT" where !frames.isEmpty: frames[frames.count - 1] += chunk.data.dropFirst(4)
      default: continue
      }
    }
    return frames.filter { !$0.isEmpty }
  }
}
