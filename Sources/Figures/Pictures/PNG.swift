import CPNG
import Tensors

/// A picture and its text chunks, for a PNG file.
///
/// Grey and RGB of 8 and 16 bits are written. Palettes, and samples of fewer than 8 bits, are read
/// as 8 bits; transparency is not read. All of libpng is behind the C target CPNG.
package struct PNG: Hashable, Sendable {
  /// A note in a PNG: a keyword of 1 to 79 Latin letters, and a text.
  package struct Text: Hashable, Sendable {
    package let keyword: String
    package let text: String

    package init(_ keyword: String, _ text: String) {
      precondition(
        (1...79).contains(keyword.utf8.count)
          && keyword.utf8.allSatisfy { (32...126).contains($0) },
        "A PNG keyword has 1 to 79 ASCII characters.")
      self.keyword = keyword
      self.text = text
    }
  }

  package let picture: Picture
  package let texts: [Text]

  package init(_ picture: Picture, texts: [Text] = []) {
    self.picture = picture
    self.texts = texts
  }

  /// The first text with a keyword; nil if there is none.
  package subscript(keyword: String) -> String? {
    texts.first { $0.keyword == keyword }?.text
  }

  /// The version of libpng in use, such as `1.6.39`.
  package static var libraryVersion: String { String(cString: cpng_version()) }
}

// MARK: - Writing

extension PNG {
  /// The bytes of the PNG file; texts in ASCII become tEXt chunks, others iTXt.
  ///
  /// - Throws: `PictureError` when the picture is too large, or its work was abandoned.
  package func encoded() throws(PictureError) -> [UInt8] {
    let format = cpng_format(
      width: UInt32(picture.width), height: UInt32(picture.height),
      channels: Int32(picture.color.samplesPerPixel), depth: Int32(picture.depth.rawValue))
    var bytes: UnsafeMutablePointer<UInt8>?
    var size = 0
    var message = [CChar](repeating: 0, count: Int(CPNG_MESSAGE_SIZE))
    // A large picture takes seconds.
    let isOver: @convention(c) () -> Bool = { Parallelism.isOver }
    let done = withTextChunks { chunks in
      switch picture.depth {
      case .eight:
        let samples = picture.samples.map { UInt8(truncatingIfNeeded: $0) }
        return cpng_encode(
          format, samples, chunks.baseAddress, Int32(chunks.count), isOver, &bytes, &size,
          &message)
      case .sixteen:
        return cpng_encode(
          format, picture.samples, chunks.baseAddress, Int32(chunks.count), isOver, &bytes, &size,
          &message)
      }
    }
    guard done else {
      throw PictureError(
        .size, "a picture of \(picture.summary) cannot become a PNG: \(text(message))",
        hint: "a smaller picture may do")
    }
    defer { cpng_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: size))
  }

  /// Calls `body` with the texts as C structures.
  private func withTextChunks<Result>(
    _ body: (UnsafeBufferPointer<cpng_text>) -> Result
  ) -> Result {
    var strings: [[CChar]] = []
    for text in texts {
      strings.append(cString(text.keyword))
      strings.append(cString(text.text))
    }
    let starts = strings.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    return strings.flatMap { $0 }.withUnsafeBufferPointer { letters in
      let chunks = texts.indices.map { index in
        cpng_text(
          keyword: letters.baseAddress.map { $0 + starts[2 * index] },
          text: letters.baseAddress.map { $0 + starts[2 * index + 1] },
          utf8: !texts[index].text.utf8.allSatisfy { $0 < 128 })
      }
      return chunks.withUnsafeBufferPointer(body)
    }
  }
}

// MARK: - Reading

extension PNG {
  /// Decodes the bytes of a PNG file.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - sampleLimit: The largest number of samples that are read; 256 million by default.
  /// - Throws: `PictureError` when they are no PNG, or one that is broken, transparent or too
  ///   large.
  package init(
    decoding bytes: [UInt8], sampleLimit: Int = largestPicture
  ) throws(PictureError) {
    var format = cpng_format()
    var message = [CChar](repeating: 0, count: Int(CPNG_MESSAGE_SIZE))
    let result: Result<PNG, PictureError> = bytes.withUnsafeBufferPointer { file in
      guard let reader = cpng_open(file.baseAddress, file.count, &format, &message) else {
        return .failure(brokenPNG(message))
      }
      defer { cpng_close(reader) }
      return Result { () throws(PictureError) in try PNG(reader, format, sampleLimit, &message) }
    }
    self = try result.get()
  }

  private init(
    _ reader: OpaquePointer, _ format: cpng_format, _ sampleLimit: Int, _ message: inout [CChar]
  ) throws(PictureError) {
    let (width, height) = (Int(format.width), Int(format.height))
    guard format.channels == 1 || format.channels == 3 else {
      throw PictureError(
        .unsupported, "a PNG with transparency is not read",
        hint: "save it without an alpha channel")
    }
    let color: Picture.Color = format.channels == 1 ? .gray : .rgb
    let count = width * height * color.samplesPerPixel
    guard count <= sampleLimit else {
      throw PictureError(
        .size, "a PNG of \(width)×\(height) is too large to read",
        hint: "at most \(sampleLimit) samples are read")
    }
    let samples: [UInt16]
    let done: Bool
    if format.depth == 16 {
      var words = [UInt16](repeating: 0, count: count)
      done = cpng_read(reader, &words, &message)
      samples = words
    } else {
      var octets = [UInt8](repeating: 0, count: count)
      done = cpng_read(reader, &octets, &message)
      samples = octets.map(UInt16.init)
    }
    guard done else { throw brokenPNG(message) }
    self.init(
      Picture(
        width: width, height: height, color: color, depth: format.depth == 16 ? .sixteen : .eight,
        samples: samples),
      texts: (0..<cpng_text_count(reader)).map { Text(reading: cpng_text_at(reader, $0)) })
  }
}

extension PNG.Text {
  /// A text chunk of a file; its letters are UTF-8 in iTXt and Latin-1 elsewhere.
  fileprivate init(reading chunk: cpng_text) {
    keyword = latin1(chunk.keyword)
    text = chunk.utf8 ? chunk.text.map { String(cString: $0) } ?? "" : latin1(chunk.text)
  }
}

/// The largest number of samples that are read from a file: 256 megapixels of grey.
package let largestPicture = 1 << 28

private func brokenPNG(_ message: [CChar]) -> PictureError {
  PictureError(
    .broken, "not a readable PNG: \(text(message))", hint: "make the picture again")
}

private func text(_ message: [CChar]) -> String {
  String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

private func latin1(_ letters: UnsafePointer<CChar>?) -> String {
  guard let letters else { return "" }
  var result = String.UnicodeScalarView()
  var next = letters
  while next.pointee != 0 {
    result.append(Unicode.Scalar(UInt8(bitPattern: next.pointee)))
    next += 1
  }
  return String(result)
}

private func cString(_ text: String) -> [CChar] {
  text.utf8.filter { $0 != 0 }.map(CChar.init(bitPattern:)) + [0]
}
