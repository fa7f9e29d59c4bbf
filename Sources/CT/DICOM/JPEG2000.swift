import COpenJPEG
import Foundation

/// Decodes JPEG 2000 images, which DCMTK cannot: the only place that calls OpenJPEG.
///
/// Source: PS3.5, A.4.4; ISO/IEC 15444-1.
enum JPEG2000 {
  /// Decodes one image and hands its samples, row by row, with their precision and sign to `body`.
  ///
  /// - Throws: `CTError` when the image has another size than the header says, or is damaged. A
  ///   warning of OpenJPEG counts as damage, since it goes on with made-up pixels.
  static func decode(
    _ bytes: [UInt8], rows: Int, columns: Int, name: String,
    _ body: (UnsafeBufferPointer<Int32>, CompressedImage) -> Void
  ) throws(CTError) {
    let complaints = Complaints()
    defer { withExtendedLifetime(complaints) {} }
    var damaged: CTError {
      let detail = complaints.first.map { " (\(printable($0, limit: 120)))" } ?? ""
      return CTError(
        "undecodable", "\(name): the JPEG 2000 image is damaged\(detail).",
        hint: "copy the file again")
    }
    // The data are a bare code stream, as DICOM demands, or a JP2 file, as some writers make.
    let isBare = bytes.starts(with: [0xFF, 0x4F])
    let decoder = opj_create_decompress(isBare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2)
    defer { opj_destroy_codec(decoder) }
    var parameters = opj_dparameters_t()
    opj_set_default_decoder_parameters(&parameters)
    complaints.listen(to: decoder)
    guard let decoder, opj_setup_decoder(decoder, &parameters) == OPJ_TRUE else { throw damaged }

    var image: UnsafeMutablePointer<opj_image_t>?
    defer { opj_image_destroy(image) }
    var wrongSize: String?
    let isDecoded = withStream(over: bytes) { stream in
      guard opj_read_header(stream, decoder, &image) == OPJ_TRUE, let header = image?.pointee else {
        return false
      }
      // The size is checked before memory is taken for the samples.
      let width = Int(header.x1) - Int(header.x0)
      let height = Int(header.y1) - Int(header.y0)
      guard width == columns, height == rows, header.numcomps == 1 else {
        wrongSize = "\(width)×\(height)×\(header.numcomps)"
        return false
      }
      return opj_decode(decoder, stream, image) == OPJ_TRUE
        && opj_end_decompress(decoder, stream) == OPJ_TRUE
    }
    if let wrongSize {
      throw CTError(
        "bad-header",
        "\(name): the JPEG 2000 image is \(wrongSize), the header says \(columns)×\(rows)×1.")
    }
    guard isDecoded, complaints.first == nil, let plane = image?.pointee.comps?.pointee,
      let samples = plane.data, Int(plane.w) == columns, Int(plane.h) == rows,
      (1...32).contains(Int(plane.prec))
    else { throw damaged }
    body(
      UnsafeBufferPointer(start: samples, count: rows * columns),
      CompressedImage(
        rows: rows, columns: columns, samplesPerPixel: 1, precision: Int(plane.prec),
        isSigned: plane.sgnd != 0))
  }

  /// Runs `body` with a stream that reads `bytes` from memory, which OpenJPEG does not provide.
  private static func withStream(
    over bytes: [UInt8], _ body: (UnsafeMutablePointer<opj_stream_t?>?) -> Bool
  ) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var source = Source(buffer: buffer)
      return withUnsafeMutablePointer(to: &source) { source in
        let stream = opj_stream_create(1 << 16, OPJ_TRUE)
        defer { opj_stream_destroy(stream) }
        opj_stream_set_user_data(stream, source, nil)
        opj_stream_set_user_data_length(stream, UInt64(buffer.count))
        opj_stream_set_read_function(stream) { target, count, source in
          Source.at(source)?.pointee.read(target, count) ?? -1
        }
        opj_stream_set_skip_function(stream) { count, source in
          Source.at(source)?.pointee.skip(Int(count)) ?? -1
        }
        opj_stream_set_seek_function(stream) { place, source in
          (Source.at(source)?.pointee.seek(Int(place)) ?? false) ? OPJ_TRUE : OPJ_FALSE
        }
        return body(stream)
      }
    }
  }
}

/// The errors and warnings of OpenJPEG while it decodes.
private final class Complaints {
  private(set) var first: String?

  /// Warnings that do not concern the pixel values: unknown segments are skipped, as the standard
  /// demands, and the others are about habits of old encoders.
  private static let harmless = [
    "Unknown marker", "Psot value", "no tree created", "Despite JP2 BPC",
  ]

  /// Collects the complaints of `decoder`, which must not outlive this object.
  func listen(to decoder: UnsafeMutablePointer<opj_codec_t?>?) {
    let note: opj_msg_callback = { text, context in
      guard let text, let context else { return }
      Unmanaged<Complaints>.fromOpaque(context).takeUnretainedValue().note(String(cString: text))
    }
    let context = Unmanaged.passUnretained(self).toOpaque()
    opj_set_warning_handler(decoder, note, context)
    opj_set_error_handler(decoder, note, context)
  }

  private func note(_ text: String) {
    guard first == nil, !Self.harmless.contains(where: text.contains) else { return }
    first = text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// Bytes in memory, and the number of them that were read.
private struct Source {
  let buffer: UnsafeRawBufferPointer
  var place = 0

  static func at(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Source>? {
    pointer?.assumingMemoryBound(to: Source.self)
  }

  /// Copies up to `count` bytes and returns how many; −1 at the end, as OpenJPEG expects.
  mutating func read(_ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    let length = min(count, buffer.count - place)
    guard length > 0, let target, let base = buffer.baseAddress else { return -1 }
    target.copyMemory(from: base + place, byteCount: length)
    place += length
    return length
  }

  mutating func skip(_ count: Int) -> Int64 {
    guard count >= 0, place < buffer.count else { return -1 }
    let length = min(count, buffer.count - place)
    place += length
    return Int64(length)
  }

  mutating func seek(_ target: Int) -> Bool {
    guard (0...buffer.count).contains(target) else { return false }
    place = target
    return true
  }
}
