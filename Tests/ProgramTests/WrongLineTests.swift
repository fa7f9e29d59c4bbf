import Foundation
import Testing

struct `A wrong line` {
  @Test(arguments: WrongLine.all)
  func `is answered with a caret, cause and cure, and changes nothing`(wrong: WrongLine) throws {
    let folder = try Folder()
    try Self.damage(folder)
    let state = ["stats clean", "stats noisy", "stats c1.weight.grad", "view clean[1]", "net show"]
    let ending = try folder.run(
      WrongLine.setup + [wrong.line] + state, "--keep-going")
    #expect(!ending.crashed)
    #expect(ending.status == wrong.status)
    let lines = ending.errors.split(separator: "\n").map(String.init)
    #expect(
      lines.count == 3, "the line, its caret, and one sentence: \(lines.map { $0.prefix(200) })")
    let place = "script.txt:\(WrongLine.setup.count + 1): error: "
    #expect(lines.last?.hasPrefix(place) == true)
    #expect(lines.last?.contains(wrong.answer) == true, "\(lines.last?.prefix(400) ?? "")")
    #expect(lines.count < 3 || lines[1].contains(/^ *\^~*$/), "\(lines[1].suffix(100))")
    #expect(!ending.errors.contains("\u{1B}") && !ending.errors.contains("\u{7}"))
    // All that stood before still stands, and looks as it did.
    let undisturbed = try folder.run(WrongLine.setup + state)
    #expect(undisturbed.status == 0)
    #expect(
      ending.lines.suffix(9).map(Self.withoutTimes)
        == undisturbed.lines.suffix(9).map(Self.withoutTimes))
  }

  @Test(arguments: WrongLine.keysAndValues.prefix(8) + WrongLine.files.prefix(4))
  func `has a code, a message and a hint in --json`(wrong: WrongLine) throws {
    let folder = try Folder()
    try Self.damage(folder)
    let ending = try folder.run(WrongLine.setup + [wrong.line], "--json")
    #expect(ending.status == wrong.status)
    let last = try #require(try JSONLine.all(ending.output).last)
    #expect(last["error"].keys == ["code", "message", "hint"])
    #expect(last["error"].text("code")?.isEmpty == false)
  }

  @Test(arguments: [
    ("train", "build one"), ("evaluate", "build one"), ("gradcheck", "build one"),
    ("denoise", "build one"), ("remove", "no layers"), ("net show", "no layers"),
    ("stats c1.weight", "no layers"), ("continue", "no training"),
  ])
  func `says what is missing before there is a network`(line: String, answer: String) throws {
    let folder = try Folder()
    let ending = try folder.run(["phantom size=16 slices=1", "noise gaussian", line])
    #expect(ending.status == 1 && !ending.crashed)
    #expect(ending.complaints.first?.contains(answer) == true, "\(ending.errors)")
  }

  @Test(arguments: [
    ("train", "phantom"), ("evaluate", "phantom"), ("noise gaussian", "phantom"),
    ("split", "phantom"), ("data", "phantom"), ("crop", "phantom"), ("stats clean", "phantom"),
    ("view noisy[0]", "phantom"), ("baseline median", "phantom"), ("panel clean[0]", "phantom"),
    ("stats b1.out", "train"), ("stats c1.weight.m", "train"),
  ])
  func `says what is missing before there are data`(line: String, answer: String) throws {
    let folder = try Folder()
    let ending = try folder.run(["block channels=2", "conv", line])
    #expect(ending.status == 1 && !ending.crashed)
    #expect(ending.complaints.first?.contains(answer) == true, "\(ending.errors)")
  }

  @Test func `about channels that do not fit offers what does`() throws {
    let folder = try Folder()
    let ending = try folder.run(["conv channels=2", "block channels=3 skip=block"])
    #expect(ending.status == 1)
    #expect(ending.complaints.first?.contains("channels=2, or skip=project") == true)
    #expect(ending.errors.contains("^"))
  }

  @Test func `asks for a last layer of one channel`() throws {
    let folder = try Folder()
    for line in ["train", "evaluate", "gradcheck"] {
      let ending = try folder.run(
        ["phantom size=16 slices=1", "noise gaussian", "block channels=4", line])
      #expect(ending.status == 1)
      #expect(ending.complaints.first?.contains("add 'conv channels=1'") == true)
    }
  }

  @Test func `of half a million bytes that mean nothing never ends the program`() throws {
    let folder = try Folder()
    // A fixed sequence of bytes (a linear congruence), cut at line feeds.
    var state: UInt64 = 1
    let bytes = (0..<500_000).map { _ -> UInt8 in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
    try folder.write(Data(bytes.map { $0 < 0x80 ? $0 : 0x20 + $0 % 0x5F }), to: "noise.txt")
    let ending = try Program.run(["run", "noise.txt", "--keep-going"], in: folder)
    #expect(!ending.crashed)
    #expect(ending.status == 1)
  }

  private static func withoutTimes(_ line: String) -> String {
    line.replacing(/<[^>]*>/, with: "<>")
  }

  /// Puts damaged files into the folder that scripts read from.
  private static func damage(_ folder: Folder) throws {
    func array(_ header: String, _ values: Int) -> Data {
      let text = header.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
      return Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, 118, 0]) + Data(text.utf8)
        + Data(count: values)
    }
    try folder.write(Data([0x93]) + Data("NUMPY\u{1}\u{0}garbage".utf8), to: "damaged.npy")
    func header(_ type: String, _ shape: String) -> String {
      "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }"
    }
    try folder.write(array(header("<f4", "2, 8, 8"), 100), to: "short.npy")
    try folder.write(
      array(header("<f4", "4294967296, 4294967296, 4294967296"), 100), to: "huge.npy")
    try folder.write(array(header("<U8", "2, 2"), 128), to: "words.npy")
    try folder.write(
      Data(count: 128) + Data("DICM".utf8) + Data([2, 0, 0, 0, 85]), to: "damaged.dcm")
    try folder.write("no DICOM at all", to: "text.dcm")
    try FileManager.default.createDirectory(
      atPath: folder.path("empty"), withIntermediateDirectories: true)
  }
}
