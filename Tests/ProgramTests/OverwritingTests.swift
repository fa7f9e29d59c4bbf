import Figures
import Foundation
import Testing

/// Files that are where a command is to write.
@Suite(.serialized)
struct `A file that is there` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let data = [
    "phantom size=32 slices=2", "noise gaussian sigma=40HU", "block channels=2", "conv",
    "train steps=2",
  ]

  /// Everything below a folder, with what it holds.
  private func contents(_ name: String) throws -> [String: Data] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path(name))
    return Dictionary(
      uniqueKeysWithValues: paths.filter { !$0.hasSuffix(".backflow-files") }.map {
        ($0, FileManager.default.contents(atPath: folder.path("\(name)/\($0)")) ?? Data())
      })
  }

  /// Every command that writes, and the files it would write.
  static let writers: [(line: String, files: [String])] = [
    ("save tensor clean[0] a.npy", ["a.npy"]), ("save image clean[0] a.png", ["a.png"]),
    ("save animation clean a.gif", ["a.gif"]), ("net save a.safetensors", ["a.safetensors"]),
    ("checkpoint a", ["a.checkpoint"]), ("hist clean file=a.png", ["a.png"]),
    ("plot loss file=a.svg", ["a.svg"]), ("save dicom clean ct", ["ct/clean-series1-0001.dcm"]),
    ("phantom size=16 slices=1 save=ct", ["ct/PHANTOM-1-0001.dcm"]),
    ("export a.html", ["a.html"]), ("export a.md", ["a.md", "a.pictures/1-clean-0.png"]),
    ("session pack a.zip", ["a.zip"]),
    ("session save a", ["a.session", "a.ledger", "a.curves.json", "a/clean-0.png"]),
  ]

  @Test(arguments: writers.indices)
  func `and was not written by the session stays, unless replace=yes says otherwise`(
    index: Int
  ) throws {
    let (line, files) = Self.writers[index]
    let start = Self.data + ["view clean[0]"]
    // The names as the command gives them.
    #expect(try folder.run(start + [line], "--out", "probe").status == 0)
    let written = try contents("probe").keys.filter {
      !$0.hasSuffix("/clean-0.png") || $0 != "clean-0.png"
    }
    for file in files where !written.contains(file) && !file.hasPrefix("ct/") {
      Issue.record("\(line) writes \(written.sorted()), not \(file)")
    }
    let targets = written.filter {
      $0 != "clean-0.png" && $0.contains(".") && !$0.hasSuffix(".pictures")
    }
    for target in targets {
      let out = "out-\(target.replacing("/", with: "-"))"
      try folder.write("of somebody else", to: "\(out)/\(target)")
      let refused = try folder.run(start + [line], "--out", out)
      #expect(refused.status == 1 && !refused.crashed)
      #expect(refused.complaints.last?.contains("did not write it") == true, "\(refused.errors)")
      #expect(refused.complaints.last?.contains("replace=yes") == true)
      let left = try contents(out).filter { !$0.value.isEmpty && $0.key != "clean-0.png" }
      #expect(left == [target: Data("of somebody else".utf8)], "all or nothing: \(left.keys)")
      // The pictures of others are not even replaced then.
      guard !target.contains("/clean-0.png") || !line.hasPrefix("session") else { continue }
      let told = try folder.run(start + ["\(line) replace=yes"], "--out", out)
      #expect(told.status == 0, "\(told.errors)")
      #expect(try Data("of somebody else".utf8) != contents(out)[target])
    }
  }

  @Test
  func `and was written by an earlier run of a script is written again, while it is as it was`()
    throws
  {
    let lines =
      Self.data + [
        "view clean[0]", "save tensor clean[0] a.npy", "save image clean[0] b.png",
        "save animation clean c.gif", "net save d.safetensors", "checkpoint e",
        "hist clean[0] file=f.png", "plot loss file=g.svg", "save dicom clean h", "export i.md",
        "session pack j.zip", "blink clean[0] clean[1]", "phantom size=16 slices=1 save=k",
      ]
    for _ in 0..<2 { #expect(try folder.run(lines).status == 0) }
    #expect(try folder.run(lines.map { $0.replacing("clean[0]", with: "clean[1]") }).status == 0)
    try folder.write("changed by hand", to: "out/script.txt/a.npy")
    let ending = try folder.run(lines)
    #expect(
      ending.status == 1 && ending.errors.contains("a.npy is there, and this session did not"))
    #expect(try folder.read("out/script.txt/a.npy") == "changed by hand")
  }

  @Test func `and is a session stays as it was, with its pictures, until the new one is whole`()
    throws
  {
    let first = ["# Mine", "phantom size=64 slices=1", "view clean[0]", "session save lesson"]
    #expect(try folder.run(first, "--out", "o").status == 0)
    try folder.write("of somebody else", to: "o/lesson/other.png")
    let before = try contents("o").filter { $0.key.hasPrefix("lesson") }
    let second = ["phantom size=64 slices=1 seed=2", "view clean[0]", "view clean[1]"]
    let refused = try folder.run(second + ["session save lesson"], "--out", "o")
    #expect(refused.status == 1 && refused.errors.contains("replace=yes"), "\(refused.errors)")
    #expect(try contents("o").filter { $0.key.hasPrefix("lesson") } == before)
    // A disk that takes the pictures but not the session.
    let long = (0..<3000).map { "let a\($0) = \($0)" }
    try folder.write(
      (second + long + ["session save lesson replace=yes"]).joined(separator: "\n"), to: "long.txt")
    let full = try Program.run(
      ["-c", "ulimit -f 8; exec \"$0\" run long.txt --out o", Program.path],
      program: "/bin/bash", in: folder)
    #expect(full.status == 1 && full.errors.contains("cannot be written: file too"))
    #expect(try contents("o").filter { $0.key.hasPrefix("lesson") } == before)
    #expect(try Program.run(["replay", "o/lesson.session"], in: folder).status == 0)
    let told = try folder.run(second + ["session save lesson replace=yes"], "--out", "o")
    #expect(told.status == 0, "\(told.errors)")
    #expect(try folder.read("o/lesson.session").contains("seed=2"))
    #expect(try folder.read("o/lesson/other.png") == "of somebody else")
    #expect(try Program.run(["replay", "o/lesson.session"], in: folder).status == 0)
  }

  @Test func `and holds the pictures of others keeps them even under replace=yes`() throws {
    try folder.write("of somebody else", to: "o/lesson/clean-0.png")
    let ending = try folder.run(
      ["phantom size=16 slices=1", "view clean[0]", "session save lesson replace=yes"], "--out", "o"
    )
    #expect(ending.status == 1 && ending.errors.contains("lesson/clean-0.png is there"))
    #expect(try folder.read("o/lesson/clean-0.png") == "of somebody else")
    #expect(!folder.exists("o/lesson.session"))
  }

  @Test func `and shows another picture of the session keeps its name, so that the record is true`()
    throws
  {
    let lines = [
      "phantom size=16 slices=1", "save image clean[0] i.png", "save image clean[0] i.png",
      "save image clean[1] i.png", "session save s",
    ]
    let refused = try folder.run(lines, "--keep-going")
    #expect(refused.status == 1 && refused.errors.contains("i.png is a picture of this session"))
    #expect(try Program.run(["replay", "out/script.txt/s.session"], in: folder).status == 0)
    let told = lines.map { $0 == lines[3] ? $0 + " replace=yes" : $0 }
    #expect(try folder.run(told, "--out", "o").status == 0)
    let replay = try Program.run(["replay", "o/s.session"], in: folder)
    #expect(replay.status == 0, "\(replay.output)")
    // An automatic name gives way to one that was typed.
    let mixed = ["phantom size=16 slices=1", "save image clean[1] clean-0.png", "view clean[0]"]
    let ending = try folder.run(mixed + ["session save m"], "--out", "o")
    #expect(
      ending.status == 0 && ending.output.contains("[png o/clean-0-2.png"), "\(ending.output)")
    #expect(try Program.run(["replay", "o/m.session"], in: folder).status == 0)
  }

  @Test func `and is a page of 'backflow export' is written again while it is as it was`() throws {
    #expect(
      try folder.run(["phantom size=16 slices=1", "view clean[0]", "session save s"], "--out", "o")
        .status == 0)
    func export(_ options: String...) throws -> Program.Ending {
      try Program.run(
        ["-c", "XDG_STATE_HOME=$PWD/state exec \"$0\" export o/s.session \"$@\"", Program.path]
          + ["--html", "s.html", "--markdown", "s.md", "--pack", "s.zip"] + options,
        program: "/bin/bash", in: folder)
    }
    for _ in 0..<2 { #expect(try export().status == 0) }
    try folder.write("a changed page", to: "s.md")
    let pack = try Data(contentsOf: URL(filePath: folder.path("s.zip")))
    let refused = try export("--notebook", "s.ipynb")
    #expect(refused.status == 1 && refused.errors.contains("s.md is there"), "\(refused.errors)")
    #expect(refused.errors.contains("--replace"))
    #expect(try folder.read("s.md") == "a changed page" && !folder.exists("s.ipynb"))
    #expect(try export("--notebook", "s.ipynb", "--replace").status == 0)
    #expect(try folder.read("s.md") != "a changed page" && folder.exists("s.ipynb"))
    #expect(try Data(contentsOf: URL(filePath: folder.path("s.zip"))) == pack)
  }

  @Test func `and belongs to several series is replaced by all of the new or by none`() throws {
    let small = ["phantom size=32 slices=1 patients=2", "save dicom clean ct"]
    #expect(try folder.run(small, "--out", "o").status == 0)
    let before = try contents("o/ct")
    #expect(before.count == 2)
    // The disk takes the first block of a file, and no more.
    let more = [
      "load o/ct", "save dicom clean ct description=other",
      "phantom size=64 slices=1 patients=2 save=ct", "phantom size=64 slices=1 save=new",
    ]
    try folder.write(more.joined(separator: "\n"), to: "more.txt")
    let full = try Program.run(
      [
        "-c", "(ulimit -f 2; exec \"$0\" run more.txt --out o --keep-going 2>&1) | cat",
        Program.path,
      ],
      program: "/bin/bash", in: folder)
    let complaints = full.lines.filter { $0.contains("error: ") }
    #expect(complaints.count == 3, "\(full.output)")
    for complaint in complaints {
      #expect(complaint.contains("cannot be written (file too large)"), "\(complaint)")
      #expect(!complaint.contains(".backflow-") && !complaint.contains(".part"))
    }
    #expect(try contents("o/ct") == before && !folder.exists("o/new"))
  }

  @Test(.enabled(if: Terminal.isAvailable))
  func `is asked about at the prompt, where Enter replaces it`() throws {
    for name in ["a.npy", "b.npy"] { try folder.write("of somebody else", to: name) }
    try folder.write("of somebody else", to: "clean-0.png")
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    try terminal.type("phantom size=16 slices=1\r", until: "2 slices 16×16")
    for name in ["a.npy", "b.npy"] {
      try terminal.type(
        "save tensor clean[0] \(name)\r", until: "> save tensor clean[0] \(name) replace=yes")
      if name == "a.npy" {
        try terminal.type("\r", until: "saved  a.npy")
      } else {
        try terminal.type("\u{3}", until: "\n> ")
      }
    }
    try terminal.type("view clean[0]\r", until: "[png clean-0-2.png 16x16")
    try terminal.type("session save s\r", until: "saved  s.session")
    #expect(try terminal.leave() == 0)
    #expect(try folder.read("a.npy") != "of somebody else")
    #expect(try folder.read("b.npy") == "of somebody else")
    #expect(try folder.read("clean-0.png") == "of somebody else")
    #expect(try folder.read("s.session").contains("[png clean-0.png 16x16"))
    #expect(try Program.run(["replay", "s.session"], in: folder).status == 0)
  }
}
