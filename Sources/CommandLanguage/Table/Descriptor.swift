#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads and writes file descriptors, and repeats calls that were interrupted or must wait.
package enum Descriptor {
  /// A system call that failed, with its reason: `no space left on device`.
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// The failure of the last call.
    init() { description = SystemReason.ofLastCall }
  }

  /// Opens the standard streams that the calling program left closed, each in the wrong direction:
  /// using one is then an error, and no file that is opened later takes its number.
  package static func openStandardStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// All bytes up to the end, or the first `limit` of them.
  package static func read(
    _ descriptor: Int32, atMost limit: Int
  ) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < limit {
      let room = min(1 << 16, limit - bytes.count)
      let count = receive(descriptor, &chunk, room)
      if count < 0, goesOn(descriptor, POLLIN) { continue }
      guard count >= 0 else { throw Failure() }
      guard count > 0 else { break }
      bytes += chunk.prefix(count)
    }
    return bytes
  }

  /// Writes all bytes.
  package static func write(
    _ bytes: some Collection<UInt8>, to descriptor: Int32
  ) throws(Failure) {
    let failure =
      bytes.withContiguousStorageIfAvailable { store(UnsafeRawBufferPointer($0), descriptor) }
      ?? Array(bytes).withUnsafeBytes { store($0, descriptor) }
    if let failure { throw failure }
  }

  private static func store(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32) -> Failure? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = send(UnsafeRawBufferPointer(rebasing: rest), to: descriptor)
      if count < 0, goesOn(descriptor, POLLOUT) { continue }
      guard count > 0 else { return Failure() }
      rest = rest.dropFirst(count)
    }
    return nil
  }

  /// Whether to repeat a call that failed because of a signal, or because the descriptor was not
  /// ready, for which this waits.
  private static func goesOn(_ descriptor: Int32, _ events: Int32) -> Bool {
    if errno == EINTR { return true }
    guard errno == EAGAIN else { return false }
    var source = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return poll(&source, 1, -1) > 0 || errno == EINTR
  }

  private static func receive(_ descriptor: Int32, _ chunk: inout [UInt8], _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, &chunk, count)
    #else
      Darwin.read(descriptor, &chunk, count)
    #endif
  }

  private static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }
}
