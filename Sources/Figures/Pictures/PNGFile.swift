#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension PNG {
  /// Reads a PNG file.
  ///
  /// - Throws: `PictureError` when it cannot be opened, or as ``init(decoding:)`` does; the message
  ///   begins with the path.
  package init(path: String) throws(PictureError) {
    do throws(PictureError) {
      try self.init(decoding: bytes(of: path))
    } catch {
      throw PictureError(error.code, "\(path): \(error.message)", hint: error.hint)
    }
  }
}

func bytes(of path: String) throws(PictureError) -> [UInt8] {
  guard let file = fopen(path, "rb") else { throw readingError() }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&part, 1, part.count, file)
    bytes += part[..<count]
    if count < part.count { break }
  }
  guard ferror(file) == 0 else { throw readingError() }
  return bytes
}

/// The error that the C library just reported.
private func readingError() -> PictureError {
  PictureError(
    .file, "cannot read it: \(String(cString: strerror(errno)))", hint: "check the path")
}
