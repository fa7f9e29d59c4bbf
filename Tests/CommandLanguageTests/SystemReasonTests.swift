import CommandLanguage
import Foundation
import Testing

struct `The reason of the system` {
  /// Calls of Foundation that fail, and the system's words for why.
  static let failures: [(call: @Sendable () throws -> Void, words: String)] = [
    ({ _ = try Data(contentsOf: URL(filePath: "/none")) }, "no such file or directory"),
    ({ _ = try Data(contentsOf: URL(filePath: "/tmp")) }, "is a directory"),
    ({ _ = try FileHandle(forReadingFrom: URL(filePath: "/none")) }, "no such file or directory"),
    (
      { _ = try FileHandle(forReadingFrom: URL(filePath: "/tmp")).read(upToCount: 1) },
      "is a directory"
    ),
    (
      {
        try FileManager.default.createDirectory(
          atPath: "/etc/passwd/x", withIntermediateDirectories: true)
      }, "not a directory"
    ),
    (
      {
        try FileHandle(forWritingTo: URL(filePath: "/dev/full")).write(contentsOf: Data([1]))
      }, "no space left on device"
    ),
    (
      { _ = try FileManager.default.attributesOfItem(atPath: "/none") }, "no such file or directory"
    ),
    ({ throw POSIXError(.EACCES) }, "permission denied"),
  ]

  @Test(arguments: failures.indices) func `is told in its own words`(index: Int) {
    let error = #expect(throws: (any Error).self) { try Self.failures[index].call() }
    guard let error else { return }
    #expect(SystemReason.knows(error))
    #expect(SystemReason.words(error) == Self.failures[index].words)
  }

  @Test func `is no sentence of Foundation where there is none`() {
    let words = SystemReason.words(CocoaError(.coderInvalidValue))
    #expect(words == "the system gave no reason (NSCocoaErrorDomain 4866)", "\(words)")
    #expect(!SystemReason.knows(CommandError(.state, "no")))
  }
}
