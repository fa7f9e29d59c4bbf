/// The exit status of the program.
package enum ExitStatus: Int32, Sendable {
  /// Everything went well.
  case success = 0
  /// A command failed.
  case commandFailed = 1
  /// The program or a session was called the wrong way.
  case wrongUsage = 2
  /// A replay differs from its record.
  case replayDiffers = 3
  /// Input data is missing, unreadable or other than recorded.
  case badInput = 4
  /// A person interrupted the work.
  case interrupted = 130
}
