import Foundation

/// Why the system refused something, in its own few words.
package enum SystemReason {
  /// The reason behind an error of Foundation: `no space left on device`.
  package static func words(_ error: any Error) -> String {
    let error = error as NSError
    let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
    guard cause.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
    return words(code: Int32(cause.code))
  }

  /// The reason of a call that has just failed.
  package static var ofLastCall: String { words(code: errno) }

  private static func words(code: Int32) -> String {
    // "Bad file descriptor" says nothing to a person.
    if code == EBADF { return "it is closed, or was opened the other way" }
    return String(cString: strerror(code)).lowercased()
  }
}
