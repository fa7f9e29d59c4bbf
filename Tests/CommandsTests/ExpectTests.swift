import CommandLanguage
import Testing

/// What `expect` says of numbers that are not as they should be.
struct ExpectTests {
  private static let setup = [
    "phantom size=32 slices=2", "noise gaussian sigma=40HU", "conv", "let word = abc",
    "stats clean",
  ]

  private func failure(_ line: String) throws -> CommandError {
    let session = TestSession()
    try session.run(lines: Self.setup)
    return try #require(#expect(throws: CommandError.self) { try session.run(line) })
  }

  @Test func `a difference is told, and what would allow it does`() throws {
    let error = try failure("expect 0.1+0.2 = 0.3")
    #expect(error.message.contains("they differ by 5.55e-17"), "\(error.message)")
    #expect(error.message.hasPrefix("expected 0.30000000000000004 = 0.3"), "\(error.message)")
    let session = TestSession()
    for (left, right) in [("0.1+0.2", "0.3"), ("7", "5"), ("-3", "2.5"), ("1e-9", "3e-9")] {
      let hint = try #require(
        #expect(throws: CommandError.self) { try session.run("expect \(left) = \(right)") }?.hint)
      let within = try #require(hint.firstMatch(of: /within=\S+%/)?.output)
      try session.run("expect \(left) = \(right) \(within)")
    }
  }

  @Test(arguments: [
    ("expect 2 < 1", "they differ by 1.00, 100 % of the right side"),
    ("expect 1 < 1", "write <= if they may be equal"), ("expect 1 != 1", "they are equal"),
    ("expect 1 = 0", "compare with a number that is finite and not 0"),
    ("expect 1 = 1/0", "compare with a number"),
    ("expect 0/0 = 1", "the left side is NaN"), ("expect 1 > 0/0", "the right side is NaN"),
    ("expect 0/0 = 0/0", "both sides are NaN"),
  ])
  func `every case has words of its own`(line: String, words: String) throws {
    let error = try failure(line)
    #expect(error.code == .expectation)
    #expect(error.summary.contains(words), "\(error.summary)")
  }

  @Test(arguments: [
    "expect 1 =", "expect 1", "expect = 1", "expect 1 == 1", "expect (1 = 1", "expect 1 1 = 2",
    "expect word = 1", "expect clena.max > 1", "expect stats.foo > 1", "expect baseline.psnr > 1",
    "expect clean > 1", "expect 3furlong = 1", "expect 1 + = 2", "expect @ = 1",
    "expect c1.weight = 1",
    "expect 2 = 1", "expect 0/0 < 1", "expect 1 = 1 within=-1", "expect clean[9].max > 1",
    "expect denoised.psnr > 1",
  ])
  func `every error has a cure`(line: String) throws {
    let error = try failure(line)
    #expect(error.hint?.isEmpty == false, "\(line): \(error.message)")
  }

  @Test func `a field that a result lacks is answered with those it has`() throws {
    let error = try failure("expect stats.maximum > 1")
    #expect(error.message.contains("the last result of stats has no number called maximum"))
    #expect(error.hint?.contains("stats.max") == true)
  }

  @Test func `NaN that is different, as it should be, is still named`() throws {
    let session = TestSession()
    #expect(try session.run("expect 0/0 != 1").warnings.count == 1)
    #expect(try session.run("expect 2 != 1").warnings.isEmpty)
  }
}
