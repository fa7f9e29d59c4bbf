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

  /// Writes a PNG file beside `path` and then renames it, so that a reader sees the old file or the
  /// whole new one.
  ///
  /// - Throws: `PictureError` when a step fails; the old file, if any, is untouched then.
  package func write(to path: String) throws(PictureError) {
    let bytes = try encoded()
    let temporary = "\(path).\(getpid()).tmp"
    do throws(PictureError) {
      try store(bytes, at: temporary)
      guard rename(temporary, path) == 0 else { throw systemError("write") }
    } catch {
      unlink(temporary)
      throw PictureError(error.code, "\(path): \(error.message)", hint: error.hint)
    }
  }
}

func bytes(of path: String) throws(PictureError) -> [UInt8] {
  guard let file = fopen(path, "rb") else { throw systemError("read") }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&part, 1, part.count, file)
    bytes += part[..<count]
    if count < part.count { break }
  }
  guard ferror(file) == 0 else { throw systemError("read") }
  return bytes
}

private func store(_ bytes: [UInt8], at path: String) throws(PictureError) {
  guard let file = fopen(path, "wb") else { throw systemError("write") }
  let whole = fwrite(bytes, 1, bytes.count, file) == bytes.count && fflush(file) == 0
  let error = systemError("write")
  guard fclose(file) == 0, whole else { throw error }
}

/// The error that the C library just reported.
private func systemError(_ verb: String) -> PictureError {
  PictureError(
    .file, "cannot \(verb) it: \(String(cString: strerror(errno)))",
    hint: verb == "read" ? "check the path" : "check the folder and the space left")
}
