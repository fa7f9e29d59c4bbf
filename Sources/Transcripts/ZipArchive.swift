import CArchive
import Foundation

/// The files of a zip archive, read and written by libarchive.
struct ZipArchive {
  /// The path of each file within the archive, and its bytes.
  let files: [(path: String, bytes: [UInt8])]

  init(files: [(path: String, bytes: [UInt8])]) { self.files = files }

  /// Runs `body` in a locale with UTF-8 on this thread, since the library converts names by the
  /// locale, which may be ASCII.
  private static func withUTF8Names<Result>(
    _ body: () throws(SessionError) -> Result
  ) throws(SessionError) -> Result {
    let own = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
    let former = own.flatMap { uselocale($0) }
    defer {
      if let former { uselocale(former) }
      if let own { freelocale(own) }
    }
    return try body()
  }
}

// MARK: - Reading

extension ZipArchive {
  /// Reads the files of an archive into memory.
  ///
  /// - Throws: `SessionError` when it is no zip archive or a damaged one, holds a link, a device or
  ///   two files of one path, or more than the limits allow. A compressed file counts with its
  ///   uncompressed size.
  init(_ path: String, sizeLimit: Int, countLimit: Int) throws(SessionError) {
    files = try Self.withUTF8Names { () throws(SessionError) in
      try Self.files(of: path, sizeLimit: sizeLimit, countLimit: countLimit)
    }
  }

  private static func files(
    of path: String, sizeLimit: Int, countLimit: Int
  ) throws(SessionError) -> [(path: String, bytes: [UInt8])] {
    let archive = archive_read_new()
    defer { archive_read_free(archive) }
    archive_read_support_format_zip(archive)
    guard archive_read_open_filename(archive, path, 1 << 16) == ARCHIVE_OK else {
      throw Self.failure(archive, path, "cannot be read as a pack")
    }
    var files: [(path: String, bytes: [UInt8])] = []
    var paths: Set<String> = []
    var room = sizeLimit
    var entry: OpaquePointer?
    while true {
      let status = archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF { break }
      guard status == ARCHIVE_OK else {
        throw Self.failure(archive, path, "is no pack, or a damaged one")
      }
      guard let name = archive_entry_pathname_utf8(entry).map({ String(cString: $0) }) else {
        throw SessionError(path, "holds a file whose name is not UTF-8")
      }
      let type = archive_entry_filetype(entry)
      if type == carchive_folder, archive_entry_hardlink(entry) == nil { continue }
      guard type == carchive_regular, archive_entry_hardlink(entry) == nil,
        archive_entry_symlink(entry) == nil
      else { throw SessionError(path, "holds a link or a device, which no pack does") }
      guard paths.insert(name).inserted else {
        throw SessionError(path, "holds two files of one name")
      }
      guard files.count < countLimit else {
        throw SessionError(path, "holds more than \(countLimit) files")
      }
      let bytes = try Self.contents(archive, path, room: room, sizeLimit: sizeLimit)
      room -= bytes.count
      files.append((name, bytes))
    }
    return files
  }

  private static func contents(
    _ archive: OpaquePointer?, _ path: String, room: Int, sizeLimit: Int
  ) throws(SessionError) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = archive_read_data(archive, &part, part.count)
      guard count >= 0 else {
        throw failure(archive, path, "is damaged, or locked with a password")
      }
      if count == 0 { return bytes }
      bytes += part[..<count]
      guard bytes.count <= room else {
        throw SessionError(path, "holds more than \(sizeLimit >> 20) MiB, the limit of a pack")
      }
    }
  }
}

// MARK: - Writing

extension ZipArchive {
  /// Returns the bytes of the archive; `name` is its name in errors.
  ///
  /// The same files make the same bytes: no time and no owner is written.
  func encoded(_ name: String) throws(SessionError) -> Data {
    try Self.withUTF8Names { () throws(SessionError) in try bytes(name) }
  }

  private func bytes(_ name: String) throws(SessionError) -> Data {
    let output = Output()
    let archive = archive_write_new()
    defer { archive_write_free(archive) }
    archive_write_set_format_zip(archive)
    archive_write_set_bytes_in_last_block(archive, 1)
    guard archive_write_set_options(archive, "hdrcharset=UTF-8") == ARCHIVE_OK,
      archive_write_open(
        archive, Unmanaged.passUnretained(output).toOpaque(), nil, appendBytes, nil) == ARCHIVE_OK
    else { throw Self.failure(archive, name, "cannot be packed") }
    for file in files {
      let entry = archive_entry_new()
      defer { archive_entry_free(entry) }
      archive_entry_set_pathname_utf8(entry, file.path)
      archive_entry_set_size(entry, la_int64_t(file.bytes.count))
      archive_entry_set_filetype(entry, carchive_regular)
      archive_entry_set_perm(entry, 0o644)
      guard archive_write_header(archive, entry) == ARCHIVE_OK,
        archive_write_data(archive, file.bytes, file.bytes.count) == file.bytes.count
      else { throw Self.failure(archive, name, "cannot be packed") }
    }
    guard archive_write_close(archive) == ARCHIVE_OK else {
      throw Self.failure(archive, name, "cannot be packed")
    }
    return output.data
  }

  fileprivate final class Output {
    var data = Data()
  }

  private static func failure(
    _ archive: OpaquePointer?, _ path: String, _ what: String
  ) -> SessionError {
    let reason = archive_error_string(archive).map { String(cString: $0) }
    return SessionError(path, what + (reason.map { ": \($0)" } ?? ""))
  }
}

/// Appends the bytes that libarchive writes to a buffer.
private func appendBytes(
  _ archive: OpaquePointer?, _ output: UnsafeMutableRawPointer?, _ bytes: UnsafeRawPointer?,
  _ count: Int
) -> la_ssize_t {
  guard let output, let bytes else { return -1 }
  Unmanaged<ZipArchive.Output>.fromOpaque(output).takeUnretainedValue().data
    .append(bytes.assumingMemoryBound(to: UInt8.self), count: count)
  return count
}
