import CGIF

/// Animations as GIF files, through giflib.
///
/// The palette is all 256 greys, so that no pixel changes. Labels are a comment of the file.
///
/// Source: CompuServe, Graphics Interchange Format 89a (1990); the looping block is Netscape's.
extension Animation {
  /// The bytes of the GIF file.
  func encodedGIF() throws(PictureError) -> [UInt8] {
    let output = Box()
    var error: Int32 = 0
    let file = EGifOpen(Unmanaged.passUnretained(output).toOpaque(), appendBytes, &error)
    guard let file else { throw broken("cannot be written", error) }
    let palette = (0..<256).map { level in
      let level = GifByteType(level)
      return GifColorType(Red: level, Green: level, Blue: level)
    }
    let map = GifMakeMapObject(256, palette)
    defer { GifFreeMapObject(map) }
    EGifSetGifVersion(file, true)
    var isDone =
      EGifPutScreenDesc(file, Int32(width), Int32(height), 8, 0, map) == GIF_OK
      && putLooping(file) && labelNote.withCString { EGifPutComment(file, $0) == GIF_OK }
    for (index, frame) in frames.enumerated() where isDone {
      isDone = put(frame.picture, delay: delay(of: index), file)
    }
    let reason = file.pointee.Error
    guard EGifCloseFile(file, &error) == GIF_OK, isDone else {
      throw broken("cannot be written", isDone ? error : reason)
    }
    return output.bytes
  }

  /// Writes the block that makes the animation repeat.
  private func putLooping(_ file: UnsafeMutablePointer<GifFileType>) -> Bool {
    EGifPutExtensionLeader(file, Int32(APPLICATION_EXT_FUNC_CODE)) == GIF_OK
      && EGifPutExtensionBlock(file, 11, Array("NETSCAPE2.0".utf8)) == GIF_OK
      && EGifPutExtensionBlock(file, 3, [1, 0, 0]) == GIF_OK
      && EGifPutExtensionTrailer(file) == GIF_OK
  }

  private func put(
    _ picture: Picture, delay: Int, _ file: UnsafeMutablePointer<GifFileType>
  ) -> Bool {
    var control = GraphicsControlBlock(
      DisposalMode: DISPOSE_DO_NOT, UserInputFlag: false, DelayTime: Int32(delay),
      TransparentColor: NO_TRANSPARENT_COLOR)
    var block = [GifByteType](repeating: 0, count: 4)
    _ = EGifGCBToExtension(&control, &block)
    guard EGifPutExtension(file, Int32(GRAPHICS_EXT_FUNC_CODE), 4, block) == GIF_OK,
      EGifPutImageDesc(file, 0, 0, Int32(width), Int32(height), false, nil) == GIF_OK
    else { return false }
    var samples = picture.samples.map { GifByteType(truncatingIfNeeded: $0) }
    return EGifPutLine(file, &samples, Int32(samples.count)) == GIF_OK
  }

  /// Decodes a GIF file.
  ///
  /// - Throws: `PictureError` when it is broken, larger than an animation may be, or has frames that
  ///   are not grey pictures over the whole canvas.
  init(decodingGIF bytes: [UInt8]) throws(PictureError) {
    let input = Box(bytes)
    var error: Int32 = 0
    let file = DGifOpen(Unmanaged.passUnretained(input).toOpaque(), takeBytes, &error)
    guard let file else { throw broken("not a readable GIF", error) }
    defer { _ = DGifCloseFile(file, &error) }
    let (width, height) = (Int(file.pointee.SWidth), Int(file.pointee.SHeight))
    var pictures: [Picture] = []
    var delay = 10
    var note: [UInt8] = []
    var record = UNDEFINED_RECORD_TYPE
    while DGifGetRecordType(file, &record) == GIF_OK {
      switch record {
      case TERMINATE_RECORD_TYPE:
        guard !pictures.isEmpty else { throw broken("not a readable GIF", 0) }
        self.init(
          Self.frames(pictures, note: String(decoding: note, as: UTF8.self)),
          delay: min(max(1, delay), 6000))
        return
      case EXTENSION_RECORD_TYPE:
        let (code, content) = try extensionContent(file)
        if code == COMMENT_EXT_FUNC_CODE { note += content.prefix(1 << 16) }
        if code == GRAPHICS_EXT_FUNC_CODE, content.count == 4, pictures.isEmpty {
          delay = Int(content[1]) | Int(content[2]) << 8
        }
      case IMAGE_DESC_RECORD_TYPE:
        guard Animation.fits(count: pictures.count + 1, width: width, height) else {
          throw unsupported
        }
        pictures.append(try nextPicture(file, width, height))
      default:
        throw broken("not a readable GIF", file.pointee.Error)
      }
    }
    throw broken("not a readable GIF", file.pointee.Error)
  }
}

/// A buffer of bytes that giflib's functions write or read.
private final class Box {
  var bytes: [UInt8]
  var position = 0

  init(_ bytes: [UInt8] = []) { self.bytes = bytes }
}

private func appendBytes(
  _ file: UnsafeMutablePointer<GifFileType>?, _ bytes: UnsafePointer<GifByteType>?, _ count: Int32
) -> Int32 {
  guard let box = box(file) else { return 0 }
  box.bytes += UnsafeBufferPointer(start: bytes, count: Int(count))
  return count
}

private func takeBytes(
  _ file: UnsafeMutablePointer<GifFileType>?, _ bytes: UnsafeMutablePointer<GifByteType>?,
  _ count: Int32
) -> Int32 {
  guard let box = box(file), let bytes else { return 0 }
  let taken = min(Int(count), box.bytes.count - box.position)
  for index in 0..<taken { bytes[index] = box.bytes[box.position + index] }
  box.position += taken
  return Int32(taken)
}

private func box(_ file: UnsafeMutablePointer<GifFileType>?) -> Box? {
  file?.pointee.UserData.map { Unmanaged<Box>.fromOpaque($0).takeUnretainedValue() }
}

/// The code and the contents of the next extension.
private func extensionContent(
  _ file: UnsafeMutablePointer<GifFileType>
) throws(PictureError) -> (code: Int32, content: [UInt8]) {
  var code: Int32 = 0
  var block: UnsafeMutablePointer<GifByteType>?
  var content: [UInt8] = []
  var isWhole = DGifGetExtension(file, &code, &block) == GIF_OK
  // A block begins with its length.
  while isWhole, let bytes = block {
    content += UnsafeBufferPointer(start: bytes + 1, count: Int(bytes[0]))
    isWhole = DGifGetExtensionNext(file, &block) == GIF_OK && content.count < 1 << 20
  }
  guard isWhole else { throw broken("not a readable GIF", file.pointee.Error) }
  return (code, content)
}

/// Reads the next frame, which must cover the whole canvas in greys.
private func nextPicture(
  _ file: UnsafeMutablePointer<GifFileType>, _ width: Int, _ height: Int
) throws(PictureError) -> Picture {
  guard DGifGetImageDesc(file) == GIF_OK else {
    throw broken("not a readable GIF", file.pointee.Error)
  }
  let image = file.pointee.Image
  guard let map = image.ColorMap ?? file.pointee.SColorMap, !image.Interlace,
    image.Left == 0, image.Top == 0, Int(image.Width) == width, Int(image.Height) == height
  else { throw unsupported }
  let colors = UnsafeBufferPointer(start: map.pointee.Colors, count: Int(map.pointee.ColorCount))
  guard colors.allSatisfy({ $0.Red == $0.Green && $0.Green == $0.Blue }) else { throw unsupported }
  var levels = [GifByteType](repeating: 0, count: width * height)
  guard DGifGetLine(file, &levels, Int32(levels.count)) == GIF_OK else {
    throw broken("not a readable GIF", file.pointee.Error)
  }
  guard levels.allSatisfy({ Int($0) < colors.count }) else {
    throw broken("not a readable GIF", D_GIF_ERR_IMAGE_DEFECT)
  }
  return Picture(width: width, height: height, samples: levels.map { UInt16(colors[Int($0)].Red) })
}

private func broken(_ what: String, _ code: Int32) -> PictureError {
  let reason = GifErrorString(code).map { ": \(String(cString: $0).lowercased())" } ?? ""
  return PictureError(.broken, what + reason, hint: "make the picture again")
}

private var unsupported: PictureError {
  PictureError(
    .unsupported, "a GIF with such frames is not read",
    hint:
      "frames are grey pictures of one size, \(Animation.pixelLimit >> 20) million pixels at most")
}
