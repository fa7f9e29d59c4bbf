import CDCMTK

/// A DICOM file that is being built: the only place that calls DCMTK to write.
struct DICOMComposer: ~Copyable {
  private let handle: OpaquePointer

  /// - Throws: `CTError` when memory runs out.
  init() throws(CTError) {
    guard let handle = cdcmtk_create() else {
      throw CTError("no-memory", "too little memory to write a DICOM file.")
    }
    self.handle = handle
  }

  deinit { cdcmtk_close(handle) }

  /// Sets an attribute; several values are separated by backslashes.
  func put(_ tag: DICOMTag, _ text: String) throws(CTError) {
    guard cdcmtk_put(handle, tag.group, tag.element, text) == CDCMTK_OK else {
      throw CTError("unwritable", "\(tag) cannot be \"\(printable(text))\".")
    }
  }

  /// Sets an attribute in the first item of the sequence that `path` ends in.
  func put(_ path: [DICOMTag], _ tag: DICOMTag, _ text: String) throws(CTError) {
    let place = path.map { "\($0)[0]." }.joined() + tag.description
    guard cdcmtk_put_path(handle, "\(place)=\(text)") == CDCMTK_OK else {
      throw CTError("unwritable", "\(place) cannot be \"\(printable(text))\".")
    }
  }

  /// Sets the image: 16-bit samples, row by row.
  func put(samples: [UInt16]) throws(CTError) {
    guard cdcmtk_put_samples(handle, samples, samples.count) == CDCMTK_OK else {
      throw CTError("no-memory", "too little memory to write a DICOM file.")
    }
  }

  /// Writes the file to `path` in explicit VR little endian, replacing an older file.
  func save(to path: String, called name: String) throws(CTError) {
    var detail = [CChar](repeating: 0, count: 256)
    guard cdcmtk_save(handle, path, &detail, detail.count) == CDCMTK_OK else {
      let text = String(
        decoding: detail.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw CTError(
        "unwritable", "\(printable(name, limit: 4096)): cannot be written (\(printable(text))).",
        hint: "check the folder's permissions and the free space")
    }
  }
}
