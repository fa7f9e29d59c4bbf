import Foundation

/// Why the system refused something, in its own few words.
package enum SystemReason {
  /// The reason behind an error of Foundation: `no space left on device`.
  package static func words(_ error: any Error) -> String {
    let error = error as NSError
    // Foundation keeps the cause as one or the other, which are no casts of each other.
    switch error.userInfo[NSUnderlyingErrorKey] ?? error {
    case let cause as POSIXError: return words(code: cause.code.rawValue)
    case let cause as NSError where cause.domain == NSPOSIXErrorDomain:
      return words(code: Int32(cause.code))
    default: return "the system gave no reason (\(error.domain) \(error.code))"
    }
  }

  /// Whether an error is the system's, told by Foundation.
  package static func knows(_ error: any Error) -> Bool {
    error is CocoaError || error is POSIXError || type(of: error) is NSError.Type
  }

  /// The reason of a call that has just failed.
  package static var ofLastCall: String { words(code: errno) }

  private static func words(code: Int32) -> String {
    // "Bad file descriptor" says nothing to a person.
    if code == EBADF { return "it is closed, or was opened the other way" }
    return String(cString: strerror(code)).lowercased()
  }
}
