import Foundation

/// A text that a signal handler can write, since its bytes are allocated beforehand.
package struct HandlerText: @unchecked Sendable {
  // The bytes, which are not changed after init and never freed.
  private let bytes: UnsafeBufferPointer<UInt8>

  /// Keeps `text` for as long as the program runs.
  package init(_ text: String) {
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
    _ = bytes.initialize(from: text.utf8)
    self.bytes = UnsafeBufferPointer(bytes)
  }

  package func write(to descriptor: Int32) {
    let saved = errno
    _ = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
    errno = saved
  }
}
