import CommandLanguage
import Foundation
import Testing

/// Regions of slices and profiles along lines.
struct RegionTests {
  private func session() throws -> TestSession {
    let session = TestSession()
    try session.run(lines: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"])
    return session
  }

  @Test func `a region has the statistics of its pixels and its contrast`() throws {
    let session = try session()
    let outcome = try session.run(
      "roi noisy[1, 10:20, 8:24] clean[0, 3:9, 3:9] against=noisy[0, 0:4, 0:32]")
    let result = outcome.result
    for (row, name) in [(0, "noisy[1, 10:20, 8:24]"), (1, "clean[0, 3:9, 3:9]")] {
      for (key, field) in [("mean", "mean"), ("sd", "std"), ("min", "min"), ("max", "max")] {
        let expected = try session.number("stats \(name)", field)
        #expect(result.value(at: "rows.\(row).\(key)")?.numeric == expected)
      }
    }
    #expect(result.value(at: "rows.0.pixels")?.numeric == 160)
    let background = "noisy[0, 0:4, 0:32]"
    let contrast =
      abs(
        try session.number("stats noisy[1, 10:20, 8:24]", "mean")
          - session.number("stats \(background)", "mean"))
      / (try session.number("stats \(background)", "std"))
    #expect(abs((result["cnr"]?.numeric ?? 0) - contrast) < 1e-9)
    #expect(try session.run("roi noisy[1, 10:20, 8:24]").result["cnr"] == .null)
  }

  @Test func `a region is drawn on the slice`() throws {
    let session = try session()
    let plain = try session.run("view noisy[1]").pictures
    let marked = try session.run("view noisy[1] roi=4:12,8:20").pictures
    #expect(marked.first?.line.contains("32x32 rgb8") == true && plain.count == 1)
    #expect(
      try session.run("view noisy[1] roi=noisy[1,4:12,8:20]").pictures.first?.fingerprint
        == marked.first?.fingerprint)
    for wrong in ["4:40,8:20", "4:12", "12:4,8:20", "a:b,1:2"] {
      let error = try #require(
        #expect(throws: CommandError.self) { try session.run("view noisy[1] roi=\(wrong)") })
      #expect(error.summary.contains("rectangle"))
    }
  }

  @Test func `a line has the values between its ends`() throws {
    let session = try session()
    let outcome = try session.run("plot profile clean[1, 5,3 : 5,23] noisy")
    let result = outcome.result
    #expect(outcome.pictures.count == 1 && result["unit"] == .string("mm"))
    for column in 3...23 {
      let expected = try session.number("stats clean[1, 5, \(column):\(column + 1)]", "mean")
      let found = result.value(at: "profiles.0.values.\(column - 3)")?.numeric
      #expect(found == expected)
    }
    #expect(result.value(at: "profiles.0.x.20")?.numeric == 20 * 360 / 32.0)
    #expect(result.value(at: "profiles.1.name") == .string("noisy[1, 5,3 : 5,23]"))
    // Three rows and four columns down: five pixels, and the middle lies between pixels.
    let oblique = try session.run("plot profile clean[0, 4,4 : 7,8]").result
    #expect(oblique.value(at: "profiles.0.values.5")?.numeric != nil)
    #expect(oblique.value(at: "profiles.0.values.6") == nil)
  }

  @Test func `a line goes through typed images and those of another network, too`() throws {
    let session = try session()
    try session.run("tensor x = clean[1]")
    let result = try session.run("plot profile clean[1, 5,3 : 5,23] x[0, 5,3 : 5,23]").result
    #expect(result["unit"] == .string("pixels"))
    for index in 0...20 {
      let values = (0...1).map { result.value(at: "profiles.\($0).values.\(index)")?.numeric }
      #expect(values[0] != nil && values[0] == values[1])
    }
    try session.run("conv")
    try session.run("net fork second")
    #expect(
      try session.run("plot profile second/denoised[1, 5,3 : 5,23]").result["unit"] == .string("mm")
    )
  }

  @Test(arguments: [
    ("plot profile c1.bias[0, 0,0 : 1,1]", "rows and columns"),
    ("plot profile clean[1, 5,3]", "two points"), ("plot profile cleen[1, 5,3 : 5,9]", "clean"),
    ("plot profile clean[1, 5,3 : 5,99]", "leaves"), ("plot profile noisy", "no line"),
    ("roi c1.weight[0,0]", "region"), ("roi noisy[5, 1:2, 1:2]", "slice"),
  ])
  func `what does not fit is explained`(line: String, words: String) throws {
    let session = try session()
    try session.run("conv")
    let error = try #require(#expect(throws: CommandError.self) { try session.run(line) })
    #expect("\(error.summary) \(error.hint ?? "")".contains(words), "\(error.summary)")
  }
}

/// Pictures of parts of slices and of whole stacks, and curves as a table.
struct ExportTests {
  @Test func `a panel takes parts of slices and enlarges them`() throws {
    let session = TestSession()
    try session.run(lines: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"])
    let small = try session.run("panel noisy[1,4:20,4:20] clean[1,4:20,4:20] zoom=4").pictures
    let large = try session.run("panel noisy[1,4:20,4:20] clean[1,4:20,4:20] zoom=16").pictures
    #expect(small.count == 1 && large.count == 1 && small[0].line != large[0].line)
    let error = try #require(
      #expect(throws: CommandError.self) { try session.run("panel noisy[1] clean[1,4:20,4:20]") })
    #expect(error.summary.contains("16×16"))
  }

  @Test func `a stack becomes numbered pictures`() throws {
    let session = TestSession()
    try session.run("phantom size=32 slices=3 patients=1")
    let outcome = try session.run("save image clean s.png window=lung")
    #expect(outcome.files.map(\.path) == ["s-0000.png", "s-0001.png", "s-0002.png"])
    let single = try session.run("save image clean[2] one.png window=lung")
    #expect(single.files.count == 1)
    let bytes = { (name: String) in
      try Data(contentsOf: session.folder.appending(path: name))
    }
    #expect(try bytes("s-0002.png") == bytes("one.png"))
    #expect(
      try session.run("save image clean[1:3] part.png bits=16").files.map(\.path)
        == ["part-0001.png", "part-0002.png"])
  }

  @Test func `curves are a table with a row for each point`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=2", "noise gaussian sigma=40HU", "conv", "train epochs=3 batch=1",
    ])
    let result = try session.run("save curves c.csv").result
    let text = try String(
      contentsOf: session.folder.appending(path: "c.csv"), encoding: .utf8)
    let rows = text.split(separator: "\n")
    #expect(rows[0] == "run,network,setting,curve,epochs,value,low,high")
    #expect(result["points"] == .integer(rows.count - 1))
    for row in rows.dropFirst() {
      // The setting holds a comma, so it is quoted.
      let fields = row.replacing("\"standard, adam\"", with: "setting").split(
        separator: ",", omittingEmptySubsequences: false)
      #expect(fields.count == 8 && Double(fields[5]) != nil, "\(row)")
    }
    #expect(rows.contains { $0.contains(",loss,") } && rows.contains { $0.contains(",psnr,") })
  }
}
