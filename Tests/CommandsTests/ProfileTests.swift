import CommandLanguage
import Foundation
import Testing

/// Rows, columns and pixels through all slices as lines.
struct ProfileTests {
  private func session() throws -> TestSession {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=4 patients=1", "noise gaussian sigma=40HU", "block channels=2",
      "conv",
      "train steps=1",
    ])
    return session
  }

  private func numbers(_ result: JSONValue, _ path: String) -> [Double] {
    guard case .array(let values)? = result.value(at: path) else { return [] }
    return values.map { $0.numeric ?? .nan }
  }

  @Test(arguments: [
    ("clean[2,16]", "column", (0..<32).map { "clean[2,16,\($0)]" }),
    ("noisy[2,:,5]", "row", (0..<32).map { "noisy[2,\($0),5]" }),
    ("clean[2,16,10:14]", "column", (10..<14).map { "clean[2,16,\($0)]" }),
    ("clean[:,16,20]", "slice", (0..<4).map { "clean[\($0),16,20]" }),
    ("b1.out[0,1,3]", "column", (0..<32).map { "b1.out[0,1,3,\($0)]" }),
    ("b1.out[0,:,3,4]", "channel", (0..<2).map { "b1.out[0,\($0),3,4]" }),
  ])
  func `a profile has the numbers of its axis`(name: String, axis: String, elements: [String])
    throws
  {
    let session = try session()
    let result = try session.run("plot \(name)").result
    #expect(result["along"] == .string(axis))
    #expect(result.value(at: "profiles.0.name") == .string(name))
    let values = numbers(result, "profiles.0.values")
    try #require(values.count == elements.count)
    for (value, element) in zip(values, elements) {
      try session.run("expect \(element) = \(value) within=0.0001%")
    }
    let first = name.contains("10:14") ? 10.0 : 0
    #expect(numbers(result, "profiles.0.x") == values.indices.map { first + Double($0) })
  }

  @Test func `several share a figure, and their places may be in mm`() throws {
    let session = try session()
    let outcome = try session.run("plot noisy[1,16] denoised[1,16] clean[1,16] along=mm")
    #expect(outcome.pictures.count == 1 && outcome.lines.count == 4)
    #expect(outcome.result["unit"] == .string("mm"))
    let (pixels, places) = (
      try session.run("plot clean[1,16]").result, numbers(outcome.result, "profiles.2.x")
    )
    #expect(numbers(outcome.result, "profiles.2.values") == numbers(pixels, "profiles.0.values"))
    #expect(places[0] == 0 && (200...600).contains(places[31]), "the phantom's chest is that wide")
    #expect(abs(places[31] - 31 * places[1]) < 1e-9)
    let text = try session.run("plot noisy[1,16] clean[1,16] as=ascii").lines
    #expect(text[0] == "Profiles along the column axis")
    #expect(text.contains { $0.contains("noisy[1,16]") } && text.contains { $0.contains("HU") })
  }

  @Test(arguments: [
    ("plot clean[1,16] clean[1,:,16]", "share an axis"),
    ("plot clean[1,16] clean[1]", "rows or columns"),
    ("plot clean[1] along=mm", "belongs to rows and columns"),
    ("plot b1.out[0,1,3] along=mm", "along=pixels"),
    ("plot clean[:,16,20] along=mm", "along=pixels"),
    ("plot clean[1,40]", "0 to 31"),
  ])
  func `what does not fit is explained`(line: String, words: String) throws {
    let session = try session()
    let error = try #require(#expect(throws: CommandError.self) { try session.run(line) })
    #expect(error.summary.contains(words), "\(error.summary)")
  }

  @Test func `planes are drawn as before`() throws {
    let session = try session()
    #expect(try session.run("plot b1.out.grad[0,1]").result["shape"] != nil)
    #expect(try session.run("plot c1.bias").result["shape"] != nil)
  }

  @Test func `indices have whole numbers at their axis`() throws {
    let session = try session()
    let file = session.folder.appending(path: "p.svg")
    try session.run("plot clean[0:3,16,20] file=p.svg")
    #expect(try !String(contentsOf: file, encoding: .utf8).contains(">0.5<"))
    let text = try session.run("plot clean[0:3,16,20] as=text").lines
    #expect(!text.contains { $0.contains("0.5") && !$0.contains("min") }, "\(text)")
  }
}
