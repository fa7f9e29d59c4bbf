import CDCMTK
import Foundation

/// A parsed DICOM file: the only place that calls DCMTK to read.
struct DICOMFile: ~Copyable {
  /// What messages call the file.
  let name: String
  private let handle: OpaquePointer

  /// Parses the file at `path`, which messages call `name`; pixel data stay on disk.
  ///
  /// - Throws: `CTError` when there is no such file, or it is not DICOM, cut off or damaged.
  init(path: String, name: String) throws(CTError) {
    try Self.requireDICOM(path, name)
    var status = CDCMTK_OK
    var detail = [CChar](repeating: 0, count: 256)
    guard let handle = cdcmtk_open(path, &status, &detail, detail.count) else {
      throw Self.error(status, name, detail: text(detail))
    }
    self.name = name
    self.handle = handle
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
    guard status == CDCMTK_OK else { throw Self.error(status, name, detail: "") }
    return assemble(flat[...], depth: 0)
  }

  /// The length of the pixel data as they stand in the file, and whether they are compressed.
  func storedLength() throws(CTError) -> (bytes: Int, isCompressed: Bool) {
    var length: UInt64 = 0
    var isCompressed = false
    let status = cdcmtk_stored_length(handle, &length, &isCompressed)
    guard status == CDCMTK_OK else { throw Self.error(status, name, detail: "") }
    return (Int(clamping: length), isCompressed)
  }

  /// The compressed bytes of one frame.
  ///
  /// - Throws: `CTError` when it cannot be told which fragments belong to the frame.
  func compressed(frame: Int, of frames: Int) throws(CTError) -> [UInt8] {
    var bytes: UnsafePointer<UInt8>?
    var length = 0
    var count = 0
    var joined: [UInt8] = []
    var index = frame
    repeat {
      let status = cdcmtk_fragment(handle, index, &bytes, &length, &count)
      guard status == CDCMTK_OK else { throw Self.error(status, name, detail: "") }
      // One frame may be cut into fragments; of several frames each has one.
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

  /// Decompresses all frames and hands their samples to `body`.
  ///
  /// - Parameter body: Takes the bytes in this machine's order, and the kind of number: `i` for
  ///   integers as the header describes them, `f` for Float, `d` for Double.
  /// - Throws: `CTError` when the data cannot be decompressed, or what `body` throws.
  func withSamples(
    _ body: (UnsafeRawBufferPointer, Character) throws(CTError) -> Void
  ) throws(CTError) {
    var samples = cdcmtk_samples()
    var detail = [CChar](repeating: 0, count: 256)
    let status = cdcmtk_decode(handle, &samples, &detail, detail.count)
    guard status == CDCMTK_OK else { throw Self.error(status, name, detail: text(detail)) }
    try body(
      UnsafeRawBufferPointer(start: samples.samples, count: samples.length),
      Character(Unicode.Scalar(UInt8(bitPattern: samples.kind))))
  }

  /// Checks, before DCMTK sees the file, that it is a regular file that says it is DICOM.
  ///
  /// Source: PS3.10, 7.1: a preamble of 128 bytes, then `DICM`.
  private static func requireDICOM(_ path: String, _ name: String) throws(CTError) {
    let attributes: [FileAttributeKey: Any]
    do {
      attributes = try FileManager.default.attributesOfItem(
        atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
    } catch {
      throw CTError("not-found", "\(name): no such file.", hint: "check the path")
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else {
      throw CTError("not-dicom", "\(name): not a regular file.")
    }
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw CTError(
        "unreadable", "\(name): cannot be opened for reading.", hint: "check its permissions")
    }
    let head = (try? file.read(upToCount: 132)) ?? Data()
    guard head.count == 132, head.suffix(4).elementsEqual("DICM".utf8) else {
      let found = head.isEmpty ? "the file is empty" : "no DICM mark after 128 bytes"
      throw CTError(
        "not-dicom", "\(name): not a DICOM file (\(found)).", hint: "name a DICOM file or folder")
    }
    guard let end = try? file.seekToEnd(), end > 132 else {
      throw CTError(
        "truncated", "\(name): the file ends after the DICM mark.", hint: "copy it again")
    }
  }

  private static func error(_ status: cdcmtk_status, _ name: String, detail: String) -> CTError {
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
    case CDCMTK_NO_MEMORY:
      return CTError("no-memory", "\(name): too little memory to read the file.")
    default:
      return CTError("corrupt", "\(name): the file is damaged\(detail).", hint: "copy it again")
    }
  }
}

/// An element as the walk shows it, before the tree is rebuilt.
private struct FlatElement {
  let tag: DICOMTag
  let vr: String
  let keyword: String
  let text: String?
  let words: [UInt16]
  let length: Int
  let depth: Int
  let item: Int

  init(_ element: cdcmtk_element) {
    tag = DICOMTag(group: element.group, element: element.element)
    vr = String(cString: element.vr)
    keyword = String(cString: element.keyword)
    text = element.text.map(decoded)
    words =
      element.bytes.map { bytes in
        let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(element.length))
        return (0..<buffer.count / 2).map {
          buffer.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)
        }
      } ?? []
    length = Int(element.length)
    depth = Int(element.depth)
    item = Int(element.item)
  }
}

/// Rebuilds the tree of items from the walk's order: each sequence is followed by its elements.
private func assemble(_ flat: ArraySlice<FlatElement>, depth: Int) -> DICOMDataset {
  var elements: [DICOMElement] = []
  var i = flat.startIndex
  while i < flat.endIndex {
    let own = flat[i]
    let end = flat[(i + 1)...].firstIndex { $0.depth <= depth } ?? flat.endIndex
    var items: [DICOMDataset] = []
    var start = i + 1
    while start < end {
      let item = flat[start].item
      let next =
        flat[start..<end].firstIndex { $0.depth == depth + 1 && $0.item != item } ?? end
      while items.count < item { items.append(DICOMDataset(elements: [])) }
      items.append(assemble(flat[start..<next], depth: depth + 1))
      start = next
    }
    elements.append(
      DICOMElement(
        tag: own.tag, vr: own.vr, keyword: own.keyword, text: own.text, words: own.words,
        length: own.length, items: items))
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
