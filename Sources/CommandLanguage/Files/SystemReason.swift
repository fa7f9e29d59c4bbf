import Foundation

/// The reason why a system call failed, in a few words.
package enum SystemReason {
  /// The reason behind an error of Foundation: `no space left on device`.
  package static func words(_ error: any Error) -> String {
    let error = error as NSError
    // Foundation keeps the cause as one of two types, which do not convert into each other.
    switch error.userInfo[NSUnderlyingErrorKey] ?? error {
    case let cause as POSIXError: return words(code: cause.code.rawValue)
    case let cause as NSError where cause.domain == NSPOSIXErrorDomain:
      return words(code: Int32(cause.code))
    default: return "the system gave no reason (\(error.domain) \(error.code))"
    }
  }

  /// Whether an error comes from the system, by way of Foundation.
  package static func knows(_ error: any Error) -> Bool {
    error is CocoaError || error is POSIXError || type(of: error) is NSError.Type
  }

  /// The reason of the call that failed last.
  package static var ofLastCall: String { words(code: errno) }

  private static func words(code: Int32) -> String {
    // "Bad file descriptor" would not help a person.
    if code == EBADF { return "it is closed, or was opened the other way" }
    return String(cString: strerror(code)).lowercased()
  }
}
