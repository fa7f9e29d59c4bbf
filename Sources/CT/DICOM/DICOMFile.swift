import CDCMTK
import Foundation

/// A parsed DICOM file: the only place that calls DCMTK to read.
struct DICOMFile: ~Copyable {
  /// The name of the file in messages.
  let name: String
  private let handle: OpaquePointer
  let limits: ReadingLimits

  /// Parses the file at `path`, with `name` for messages; pixel data stay on disk.
  ///
  /// - Throws: `CTError` when there is no such file, or it is not DICOM, cut off or damaged, or
  ///   `limits` end the reading.
  init(path: String, name: String, limits: ReadingLimits) throws(CTError) {
    try requireDICOM(path, name)
    var status = CDCMTK_OK
    var detail = [CChar](repeating: 0, count: 256)
    let handle = withUnsafePointer(to: limits) { limits in
      var own = cdcmtk_limits(
        bytes: UInt64(clamping: limits.pointee.memory),
        should_stop: { context in
          context?.assumingMemoryBound(to: ReadingLimits.self).pointee.shouldStop() ?? false
        }, context: UnsafeMutableRawPointer(mutating: limits))
      return PathText.withBytes(of: path) {
        cdcmtk_open($0, &own, &status, &detail, detail.count)
      }
    }
    guard let handle else {
      throw Self.error(status, name, detail: text(detail), limits)
    }
    self.name = name
    self.handle = handle
    self.limits = limits
  }

  deinit { cdcmtk_close(handle) }

  /// The attributes of the meta header and of the data set.
  func dataset() throws(CTError) -> DICOMDataset {
    var flat: [FlatElement] = []
    let status = withUnsafeMutablePointer(to: &flat) { list in
      cdcmtk_visit(handle, list) { context, element in
        guard let element, let list = context?.assumingMemoryBound(to: [FlatElement].self) else {
          return
        }
        list.pointee.append(FlatElement(element.pointee))
      }
    }
    guard status == CDCMTK_OK else { throw error(status) }
    return assemble(flat[...], depth: 0)
  }

  /// The length of the pixel data in the file in bytes, and whether they are compressed.
  func storedLength() throws(CTError) -> (bytes: Int, isCompressed: Bool) {
    var length: UInt64 = 0
    var isCompressed = false
    let status = cdcmtk_stored_length(handle, &length, &isCompressed)
    guard status == CDCMTK_OK else { throw error(status) }
    return (Int(clamping: length), isCompressed)
  }

  /// The compressed bytes of one frame.
  ///
  /// - Throws: `CTError` when it is unclear which fragments belong to the frame.
  func compressed(frame: Int, of frames: Int) throws(CTError) -> [UInt8] {
    var bytes: UnsafePointer<UInt8>?
    var length = 0
    var count = 0
    var joined: [UInt8] = []
    var index = frame
    repeat {
      let status = cdcmtk_fragment(handle, index, &bytes, &length, &count)
      guard status == CDCMTK_OK else { throw error(status) }
      // A single frame may be cut into fragments; with several frames, each has one.
      guard frames == 1 || count == frames else {
        throw CTError(
          "undecodable", "\(name): \(frames) frames in \(count) fragments cannot be told apart.",
          hint: "convert it to explicit VR little endian")
      }
      joined += UnsafeBufferPointer(start: bytes, count: length)
      index += 1
    } while frames == 1 && index < count
    return joined
  }

  /// The first bytes of a fragment of compressed pixel data, at most `length`, and the number of
  /// fragments; no bytes when there are fewer fragments.
  func fragmentHead(
    _ index: Int, length: Int
  ) throws(CTError) -> (head: [UInt8], count: Int) {
    var head = [UInt8](repeating: 0, count: length)
    var (read, count) = (0, 0)
    let status = cdcmtk_fragment_head(handle, index, &head, length, &read, &count)
    guard status == CDCMTK_OK || index >= count else { throw error(status) }
    return (Array(head.prefix(read)), count)
  }

  /// Decompresses one frame of `length` bytes and hands its samples to `body`.
  ///
  /// - Parameters:
  ///   - frame: The index of the frame, from 0.
  ///   - length: The number of its bytes, decompressed.
  ///   - body: Takes the bytes in this machine's order, and the kind of number: `i` for integers as
  ///     the header describes them, `f` for Float, `d` for Double.
  /// - Throws: `CTError` when the data cannot be decompressed, or the decoder reports a fault.
  func withSamples(
    frame: Int, length: Int, _ body: (UnsafeRawBufferPointer, Character) -> Void
  ) throws(CTError) {
    guard let number = UInt32(exactly: frame), let size = UInt32(exactly: length) else {
      throw CTError("too-large", "\(name): a frame of \(length) bytes.")
    }
    var kind = CChar(0)
    var detail = [CChar](repeating: 0, count: 256)
    var status = CDCMTK_OK
    withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) { samples in
      status = cdcmtk_frame(
        handle, number, samples.baseAddress, size, &kind, &detail, detail.count)
      guard status == CDCMTK_OK else { return }
      body(
        UnsafeRawBufferPointer(samples), Character(Unicode.Scalar(UInt8(bitPattern: kind))))
    }
    guard status == CDCMTK_OK else { throw error(status, detail: text(detail)) }
  }

  /// The transfer syntax in the header or, where that has none, the one that was read.
  var transferSyntax: String { String(cString: cdcmtk_transfer_syntax(handle)) }

  private func error(_ status: cdcmtk_status, detail: String = "") -> CTError {
    Self.error(status, name, detail: detail, limits)
  }

  private static func error(
    _ status: cdcmtk_status, _ name: String, detail: String, _ limits: ReadingLimits
  ) -> CTError {
    if status == CDCMTK_UNKNOWN_SYNTAX { return TransferSyntax(uid: detail).error(file: name) }
    let detail = detail.isEmpty ? "" : " (\(printable(detail)))"
    switch status {
    case CDCMTK_UNREADABLE:
      return CTError("unreadable", "\(name): cannot be read\(detail).")
    case CDCMTK_TRUNCATED:
      return CTError(
        "truncated", "\(name): the file ends before the data it announces.", hint: "copy it again")
    case CDCMTK_TOO_DEEP:
      return CTError("too-deep", "\(name): sequences are nested too deep to be sound.")
    case CDCMTK_NO_DICTIONARY:
      return CTError(
        "no-dictionary", "DCMTK's data dictionary is not installed.",
        hint: "install libdcmtk17, or unset DCMDICTPATH")
    case CDCMTK_NO_PIXELS:
      return CTError("no-pixel-data", "\(name): a DICOM file without an image.")
    case CDCMTK_UNDECODABLE:
      return CTError(
        "undecodable", "\(name): the pixel data cannot be decompressed\(detail).",
        hint: "the file may be damaged; copy it again")
    case CDCMTK_TOO_LARGE:
      return CTError(
        "too-large",
        "\(name): inflated, the file takes more than the limit of \(limits.memory >> 20) MiB.",
        hint: "raise limit.memory")
    case CDCMTK_STOPPED:
      return CTError("interrupted", "\(name): reading was stopped.")
    case CDCMTK_NO_MEMORY:
      return CTError("no-memory", "\(name): too little memory to read the file.")
    default:
      return CTError("corrupt", "\(name): the file is damaged\(detail).", hint: "copy it again")
    }
  }
}

/// An element of the walk through the file, before the tree is rebuilt.
private struct FlatElement {
  let element: DICOMElement
  let depth: Int
  let item: Int

  init(_ found: cdcmtk_element) {
    let words = found.bytes.map { bytes in
      let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(found.length))
      return (0..<buffer.count / 2).map {
        buffer.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)
      }
    }
    element = DICOMElement(
      tag: DICOMTag(group: found.group, element: found.element), vr: String(cString: found.vr),
      keyword: String(cString: found.keyword), text: found.text.map(decoded), words: words ?? [],
      length: Int(found.length))
    (depth, item) = (Int(found.depth), Int(found.item))
  }
}

/// Rebuilds the tree of items from the walk's order: each sequence is followed by its elements.
private func assemble(_ flat: ArraySlice<FlatElement>, depth: Int) -> DICOMDataset {
  var elements: [DICOMElement] = []
  var i = flat.startIndex
  while i < flat.endIndex {
    var element = flat[i].element
    let end = flat[(i + 1)...].firstIndex { $0.depth <= depth } ?? flat.endIndex
    var start = i + 1
    while start < end {
      let item = flat[start].item
      let next =
        flat[start..<end].firstIndex { $0.depth == depth + 1 && $0.item != item } ?? end
      while element.items.count < item { element.items.append(DICOMDataset(elements: [])) }
      element.items.append(assemble(flat[start..<next], depth: depth + 1))
      start = next
    }
    elements.append(element)
    i = end
  }
  return DICOMDataset(elements: elements)
}

/// The text of a C string in UTF-8, or in Latin-1 when it is not UTF-8.
private func decoded(_ text: UnsafePointer<CChar>) -> String {
  String(validatingCString: text)
    ?? String(
      String.UnicodeScalarView(
        UnsafeBufferPointer(start: text, count: strlen(text))
          .map { Unicode.Scalar(UInt8(bitPattern: $0)) }))
}

/// The text in a buffer that a C function has filled.
private func text(_ buffer: [CChar]) -> String {
  String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
