import Foundation
import Testing

struct `A script` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test func `stops before the line of --to`() throws {
    let lines = ["phantom size=16 slices=1", "# two", "stats clean", "stats cleen"]
    let ending = try folder.run(lines, "--to", "4")
    #expect(ending.status == 0)
    #expect(ending.output.contains("> stats clean\n"))
    #expect(!ending.output.contains("cleen"))
  }

  @Test func `counts the lines of a continued command`() throws {
    let ending = try folder.run(["phantom size=16 \\", "  slices=1", "stats cleen"])
    #expect(ending.status == 1)
    #expect(ending.complaints.first?.hasPrefix("script.txt:3:") == true)
  }

  @Test func `takes values from outside in place of its own`() throws {
    let lines = ["let side = 16", "phantom size=$side slices=1"]
    #expect(try folder.run(lines).output.contains("16×16"))
    #expect(try folder.run(lines, "--let", "side=32").output.contains("32×32"))
    let ending = try folder.run(lines, "--let", "sied=32")
    #expect(ending.status == 0)
    #expect(ending.errors.contains("warning: --let sied="))
  }

  @Test func `writes below out and its name, or where --out says`() throws {
    let lines = ["phantom size=16 slices=1", "view clean[0]"]
    #expect(try folder.run(lines).status == 0)
    #expect(folder.exists("out/script.txt/clean-0.png"))
    #expect(try folder.run(lines, "--out", "elsewhere/deep").status == 0)
    #expect(folder.exists("elsewhere/deep/clean-0.png"))
    #expect(!folder.exists("clean-0.png"))
  }

  @Test func `reads from its output folder, its own folder and the working directory`() throws {
    try folder.write("save tensor clean a.npy\n", to: "sub/make.txt")
    let lines = ["phantom size=16 slices=1", "save tensor clean a.npy", "load a.npy"]
    #expect(try folder.run(lines, "--out", "sub").status == 0)
    try folder.write("load a.npy\n", to: "sub/read.txt")
    #expect(try Program.run(["run", "sub/read.txt"], in: folder).status == 0)
    #expect(try folder.run(["load sub/a.npy"]).status == 0)
  }

  @Test(arguments: [
    "save tensor clean ../x.npy", "save tensor clean sub/../../x.npy",
    "save tensor clean /tmp/x.npy",
    "save tensor clean ~/x.npy", "save image clean[0] ../x.png", "save image clean[0] link/x.png",
    "save tensor clean link/x.npy", "save tensor clean dangling/x.npy", "session save ../x",
    "session save link/x", "phantom size=16 slices=1 save=../x",
    "phantom size=16 slices=1 save=link",
    "phantom size=16 slices=1 save=/tmp/x-of-a-script",
  ])
  func `never writes outside its output folder`(line: String) throws {
    let outside = try Folder()
    for (link, target) in [("link", outside.url.path), ("dangling", outside.path("later"))] {
      try FileManager.default.createDirectory(
        atPath: folder.path("o"), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder.path("o/\(link)"), withDestinationPath: target)
    }
    let ending = try folder.run(["phantom size=16 slices=1", line], "--out", "o")
    #expect(ending.status == 1, "\(ending.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.url.path).isEmpty)
    #expect(!folder.exists("x.npy") && !folder.exists("x.png") && !folder.exists("x.session"))
    #expect(!FileManager.default.fileExists(atPath: "/tmp/x-of-a-script"))
  }

  @Test func `whose commands come from standard input shows neither prompt nor codes`() throws {
    let ending = try Program.run([], input: "phantom size=16 slices=1\nstats clean\n", in: folder)
    #expect(ending.status == 0)
    #expect(ending.lines.count == 2)
    #expect(ending.output.hasPrefix("clean  2 slices 16×16"))
    #expect(!(ending.output + ending.errors).contains("\u{1B}"))
    #expect(!ending.output.contains("> "))
  }

  @Test func `from standard input may be a transcript, of which only commands run`() throws {
    let text = """
      #! backflow session 1
      #@ backflow: 0.0.1
      > phantom size=16 slices=1
      stats nowhere
      > stats clean

      quit
      """
    let ending = try Program.run([], input: text, in: folder)
    #expect(ending.status == 0)
    #expect(ending.errors == "")
    #expect(ending.lines.count == 2)
  }

  @Test func `may come through a pipe that has a name`() throws {
    let ending = try Program.run(
      ["run", "/dev/stdin", "--out", "o"], input: "phantom size=16 slices=1\nstats clean\n",
      in: folder)
    #expect(ending.status == 0 && ending.lines.count == 4, "\(ending.errors)")
  }

  @Test func `from standard input stops at a wrong line`() throws {
    let ending = try Program.run(
      [], input: "phantom size=16 slices=1\nstats cleen\nstats clean\n", in: folder)
    #expect(ending.status == 1)
    #expect(ending.lines.count == 1)
    #expect(ending.complaints.first?.hasPrefix("standard input:2: error: ") == true)
  }

  @Test func `may end at quit, or hold nothing`() throws {
    #expect(try folder.run(["phantom size=16 slices=1", "quit", "stats cleen"]).status == 0)
    for text in ["", "\n\n", "# only a comment", "\u{FEFF}# marked"] {
      let ending = try Program.run([], input: text, in: folder)
      #expect(ending.status == 0 && ending.output == "" && ending.errors == "")
    }
  }

  @Test func `with other line ends runs the same`() throws {
    let ending = try Program.run(
      [], input: "\u{FEFF}phantom size=16 slices=1\r\nstats clean", in: folder)
    #expect(ending.status == 0)
    #expect(ending.lines.count == 2)
  }

  @Test func `that saves DICOM gives the same slices when another process loads it`() throws {
    let made = try folder.run(
      ["phantom size=32 slices=3 patients=2 save=ct", "stats clean"], "--json", "--out", "o")
    let read = try folder.run(["load o/ct", "stats clean"], "--json")
    let plain = try folder.run(["phantom size=32 slices=3 patients=2", "stats clean"], "--json")
    let digests = try [made, read, plain].map {
      try JSONLine.all($0.output).last?.result.text("sha256")
    }
    #expect(digests[0]?.count == 64)
    #expect(Set(digests).count == 1)
  }

  @Test func `prints < as it is, which only a session file escapes`() throws {
    let lines = ["help break", "expect 1 < 2", "session save s"]
    let file = try folder.run(lines, "--out", "o")
    let pipe = try Program.run(
      ["--out", "p"], input: lines.joined(separator: "\n"), in: folder)
    for ending in [file, pipe] {
      #expect(ending.status == 0 && ending.output.contains("ok  1.00000 < 2.00000\n"))
      #expect(!ending.output.contains("\\<"), "\(ending.output)")
    }
    #expect(try folder.read("o/s.session").contains("ok  1.00000 \\< 2.00000\n"))
    #expect(try Program.run(["replay", "o/s.session"], in: folder).status == 0)
  }

  @Test func `shows no comment as a command, and keeps an indented one`() throws {
    let ending = try folder.run(
      ["phantom size=16 slices=1", "  # two", "stats clean", "session save s"], "--out", "o")
    #expect(ending.status == 0 && !ending.output.contains("two"), "\(ending.output)")
    #expect(try folder.read("o/s.session").contains("\n# two\n> stats clean\n"))
  }

  @Test func `says how long it is when --to is behind its end`() throws {
    let lines = ["phantom size=16 slices=1", "stats clean"]
    let ending = try folder.run(lines, "--to", "99")
    #expect(ending.status == 0)
    #expect(
      ending.errors == "warning: --to 99: the session has 2 commands in 2 lines; all of them run\n")
    #expect(try folder.run(lines, "--to", "3").errors == "", "line 3 is where it ends")
  }
}
