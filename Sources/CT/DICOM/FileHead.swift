import Foundation

/// Checks, before DCMTK sees the file, that it is a regular file that looks like DICOM.
///
/// DCMTK guesses an encoding for any file. So a file without the mark must begin like a data set.
///
/// Source: PS3.10, 7.1: a preamble of 128 bytes, then `DICM`. Older exporters write the data set
/// alone, or the meta header without a preamble.
///
/// - Throws: `CTError` when there is no such file, it cannot be read, or it is no regular DICOM
///   file.
func requireDICOM(_ path: String, _ name: String) throws(CTError) {
  var status = stat()
  guard PathText.withBytes(of: path, { stat($0, &status) }) == 0 else {
    throw errno == ENOENT
      ? CTError("not-found", "\(name): no such file.", hint: "check the path")
      : CTError(
        "unreadable", "\(name): cannot be opened (\(String(cString: strerror(errno)))).",
        hint: "check its permissions")
  }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw status.st_mode & S_IFMT == S_IFDIR
      ? CTError("not-dicom", "\(name): a folder, not a file.", hint: "name a file in it")
      : CTError(
        "not-dicom", "\(name): a device, a pipe or a socket, not a file.", hint: "name a file")
  }
  let file = PathText.withBytes(of: path) { open($0, O_RDONLY | O_CLOEXEC) }
  guard file >= 0 else {
    throw CTError(
      "unreadable", "\(name): cannot be opened for reading.", hint: "check its permissions")
  }
  defer { close(file) }
  var head = [UInt8](repeating: 0, count: 132)
  let count = max(0, pread(file, &head, head.count, 0))
  head.removeLast(head.count - count)
  let size = Int(status.st_size)
  if head.count == 132, head.suffix(4).elementsEqual("DICM".utf8) {
    guard size > 132 else {
      throw CTError(
        "truncated", "\(name): the file ends after the DICM mark.", hint: "copy it again")
    }
    return
  }
  guard beginsAsDataSet(head, size: size) else {
    let found =
      head.isEmpty
      ? "the file is empty"
      : "no DICM mark after 128 bytes, no DICOM attribute at its beginning"
    throw CTError(
      "not-dicom", "\(name): not a DICOM file (\(found)).", hint: "name a DICOM file or folder")
  }
}

/// Whether `head` begins with an attribute of the meta header, of a directory, or of the first group
/// of a data set, in one of the three encodings.
private func beginsAsDataSet(_ head: [UInt8], size: Int) -> Bool {
  guard head.count >= 12 else { return false }
  func word(_ place: Int, isBig: Bool) -> Int {
    isBig
      ? Int(head[place]) << 8 | Int(head[place + 1])
      : Int(head[place + 1]) << 8 | Int(head[place])
  }
  return [false, true].contains { isBig in
    let (group, element) = (word(0, isBig: isBig), word(2, isBig: isBig))
    // The lowest elements of these groups; the retired (0008,0001) is in the oldest files.
    guard [2, 4, 8].contains(group), element <= 0x1500 else { return false }
    let isExplicit = head[4..<6].allSatisfy { (0x41...0x5A).contains($0) }
    if isExplicit { return word(6, isBig: isBig) <= size - 8 }
    let length = word(4, isBig: false) | word(6, isBig: false) << 16
    return !isBig && length <= size - 8
  }
}
