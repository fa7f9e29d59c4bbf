import Foundation
import Testing

/// The paths that the program prints, and those that it is given.
struct `A path` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let lines = [
    "phantom size=16 slices=1 save=made", "noise gaussian sigma=40HU", "conv", "train steps=1",
    "save dicom clean d", "save tensor clean t.npy", "save image clean[0] i.png",
    "net save n.safetensors", "checkpoint c", "hist clean file=h.svg", "view noisy[0]",
    "save animation clean a.gif", "export e.md", "session pack p.zip", "session save s",
  ]

  @Test func `printed for a file that was written leads to it from here`() throws {
    let ending = try Program.run([], input: Self.lines.joined(separator: "\n"), in: folder)
    #expect(ending.status == 0, "\(ending.errors)")
    let pattern = #/(?:saved|exported|packed|svg)  (\S+)|\[(?:png|gif) (\S+) /#
    let paths = ending.output.matches(of: pattern).map { String($0.output.1 ?? $0.output.2 ?? "") }
    #expect(paths.count == 13, "\(paths)")
    for path in paths { #expect(folder.exists(path), "\(path)") }
    let record = try folder.read("out/standard-input/s.session")
    #expect(record.contains("\nsaved  d/  ") && record.contains("\n[png noisy-0.png "))
    #expect(!record.contains("out/"))
    #expect(
      try Program.run(["replay", "out/standard-input/s.session"], in: folder).status == 0)
  }

  @Test func `in --json leads to the file`() throws {
    let ending = try Program.run(
      ["--json"], input: Self.lines.joined(separator: "\n"), in: folder)
    #expect(ending.status == 0)
    let all = try JSONLine.all(ending.output)
    let paths = all.flatMap { $0.objects("files").compactMap { $0.text("path") } }
    #expect(paths.count > 13, "the Markdown page has pictures")
    for path in paths + all.compactMap({ $0.result.text("path") }) {
      #expect(path.hasPrefix("/") && FileManager.default.fileExists(atPath: path), "\(path)")
    }
  }

  @Test func `that is the folder of a session's pictures means the session`() throws {
    let lines = [
      "phantom size=16 slices=1", "view clean[0]", "session save first", "replay first",
      "run first", "export z.html session=first",
    ]
    let ending = try folder.run(lines, "--out", "o")
    #expect(ending.status == 0, "\(ending.errors)")
    for name in ["o/first", "o/first/", "o/first.session"] {
      #expect(try Program.run(["replay", name], in: folder).status == 0, "\(name)")
    }
    #expect(try Program.run(["accept", "o/first"], in: folder).status == 0)
    #expect(try Program.run(["export", "o/first", "--html", "x.html"], in: folder).status == 0)
  }

  @Test(.enabled(if: Terminal.isAvailable))
  func `that begins with ~ is below HOME, also where it is completed`() throws {
    // Its home is the folder.
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    try terminal.type("phantom size=16 slices=1\r", until: "\n> ")
    try terminal.type("save tensor clean ~/below-home.npy\r", until: "saved  below-home.npy")
    #expect(folder.exists("below-home.npy"))
    try terminal.type("load ~/below\t", until: "-home.npy")
    try terminal.type("\r", until: "2 slices 16×16")
    #expect(try terminal.leave() == 0)
  }
}
