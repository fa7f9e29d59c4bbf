import Foundation
import Testing

/// Sessions that somebody wrote to do harm.
struct `A hostile session` {
  let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.write("untouched", to: "outside/file.npy")
    try FileManager.default.createDirectory(
      atPath: folder.path("out/script.txt"), withIntermediateDirectories: true)
    for (link, target) in [
      ("out/script.txt/link", folder.path("outside")),
      ("out/script.txt/file.npy", folder.path("outside/file.npy")),
      ("out/script.txt/dangling.npy", folder.path("outside/new.npy")),
      ("out/script.txt/up", ".."),
    ] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path(link), withDestinationPath: target)
    }
  }

  /// Lines that would write elsewhere, read without end, or take more than there is.
  static let lines = [
    "save tensor clean ../a.npy", "save tensor clean /tmp/backflow-hostile.npy",
    "save tensor clean ~/a.npy.npy/../../a.npy", "save tensor clean link/a.npy",
    "save tensor clean file.npy", "save tensor clean dangling.npy", "save tensor clean up/a.npy",
    "save tensor clean x/../../a.npy", "save image clean[0] ../a.png",
    "save image clean[0] link/a.png", "hist clean file=../a.png", "hist clean file=link/a.svg",
    "save dicom clean ../ct", "save dicom clean link", "phantom size=16 slices=1 save=../ct",
    "phantom size=16 slices=1 save=link/ct", "net save ../net.safetensors",
    "net save link/net.safetensors", "checkpoint ../c", "checkpoint link/c", "session save ../s",
    "session save link/s", "session save up/s", "load /dev/zero", "load /dev/random",
    "net load /dev/zero", "restore /dev/zero", "run /dev/zero", "tags /dev/zero", "run script.txt",
    "phantom size=2048 slices=1000 patients=100", "set limit.disk=100GiB",
    "set limit.memory=1e20GiB",
  ]

  /// Everything below a folder, with what it holds.
  private func contents(_ name: String) throws -> [String: Data] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path(name))
    return Dictionary(
      uniqueKeysWithValues: paths.map {
        ($0, FileManager.default.contents(atPath: folder.path("\(name)/\($0)")) ?? Data())
      })
  }

  @Test func `is refused line by line, with nothing written outside`() throws {
    let before = try contents("outside")
    let refused = Self.lines.filter { !$0.contains("limit.memory") }
    let ending = try folder.run(
      ["phantom size=16 slices=1", "conv"] + refused.map { "fails \($0)" } + ["stats clean"])
    #expect(ending.status == 0, "\(ending.errors)")
    #expect(ending.lines.count { $0.hasPrefix("failed: ") } == refused.count)
    #expect(try contents("outside") == before)
    let top = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
    #expect(top == ["out", "outside", "script.txt"])
    #expect(!FileManager.default.fileExists(atPath: "/tmp/backflow-hostile.npy"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("out")) == ["script.txt"])
  }

  @Test func `writes no more than its limit, which it can only lower`() throws {
    let ending = try folder.run(
      [
        "phantom size=64 slices=1", "set limit.disk=40KiB", "save tensor clean[0] a.npy",
        "save tensor clean[0] b.npy", "save tensor clean[0] c.npy", "set limit.disk=50KiB",
        "checkpoint small",
      ], "--keep-going")
    #expect(ending.status == 1 && !ending.crashed)
    #expect(ending.complaints.count == 2, "\(ending.complaints)")
    #expect(ending.complaints.first?.contains("the limit is 40 KiB") == true)
    #expect(ending.complaints.last?.contains("a script cannot raise its limit") == true)
    #expect(folder.exists("out/script.txt/b.npy") && !folder.exists("out/script.txt/c.npy"))
  }

  @Test func `cannot raise the memory it may take above what the machine has to spare`() throws {
    let ending = try folder.run([
      "set limit.memory=1e6GiB", "fails phantom size=2048 slices=1000 patients=100",
    ])
    #expect(ending.status == 0 && ending.output.contains("the limit is "))
  }

  @Test func `that runs itself comes to an end`() throws {
    try folder.write("run a\nrun a\n", to: "a.session")
    let ending = try folder.run(["fails run a", "stats clean"])
    #expect(ending.status == 1 && ending.output.contains("more than 8 times"))
    let lines = String(repeating: "let a = 1\n", count: 3000)
    try folder.write(lines, to: "long.session")
    try folder.write(String(repeating: "run long\n", count: 9), to: "many.session")
    let many = try folder.run(["fails run many"])
    #expect(many.output.contains("more than 10000 lines"), "\(many.output) \(many.errors)")
  }

  /// Texts with codes that clear the screen, set the title, ring, turn the writing, or end a line.
  static let codes = [
    "\u{1B}[2J", "\u{1B}]0;title\u{7}", "\u{9B}31m", "\u{202E}", "a\rb", "\u{7F}", "\u{2028}",
  ]

  @Test(arguments: codes)
  func `cannot steer the terminal, whatever shows its text`(code: String) throws {
    let scripts = [
      "# \(code)\nlet a = \"\(code)\"\nphantom size=16 slices=1 # \(code)\nstats \"\(code)\"\n",
      "\(code)phantom\n", "phantom size=\(code)\n", "load \"\(code)\"\n",
      "fails load \"\(code)\"\n",
      "help \"\(code)\"\n", "#! backflow session \(code)\n> data\n", "#@ \(code)\n> data\n",
      "#! backflow session 1\n#@ data clean: \(code)\n> phantom size=16 slices=1\n",
      "#! backflow session 1\n> phantom size=16 slices=1\nclean \(code)\n",
      "> history\n> let \(code)\n> session save \"\(code)\"\n", "> run \"\(code)\"\n",
      "> apropos \"\(code)\"\n> expect 1 = \"\(code)\"\n", "> save tensor clean \"\(code).npy\"\n",
      "> net fork \"\(code)\"\n> checkpoint \"\(code)\"\n",
    ]
    for (number, script) in scripts.enumerated() {
      try folder.write(script, to: "s\(number).session")
      for arguments in [["run"], ["replay"], ["run", "--keep-going"], ["replay", "--json"]] {
        let ending = try Program.run(
          [arguments[0], "s\(number).session"] + arguments.dropFirst(), in: folder)
        #expect(!ending.crashed)
        for scalar in (ending.output + ending.errors).unicodeScalars where scalar != "\n" {
          let isCode =
            scalar.properties.generalCategory == .control
            || "\u{202E}\u{2028}".unicodeScalars
              .contains(scalar)
          #expect(!isCode, "\(arguments) \(script.debugDescription)")
          if isCode { break }
        }
      }
    }
    let renamed = "\(code.replacing("/", with: "")).session"
    try folder.write("> data\nnothing\n", to: renamed)
    let ending = try Program.run(["replay", renamed], in: folder)
    #expect(!(ending.output + ending.errors).contains(code))
  }

  @Test func `reads no device through links beside it`() throws {
    try folder.write("phantom size=16 slices=1\nview clean[0]\n", to: "p.session")
    for program in ["replay", "accept"] {
      #expect(try Program.run([program, "p.session"], in: folder).status == 0)
    }
    for name in ["p/clean-0.png", "p.ledger"] {
      try FileManager.default.removeItem(atPath: folder.path(name))
      try FileManager.default.createSymbolicLink(
        atPath: folder.path(name), withDestinationPath: "/dev/zero")
    }
    #expect(try Program.run(["replay", "p.session"], in: folder, limit: 60).status == 0)
    let zero = try Program.run(["replay", "/dev/zero"], in: folder, limit: 60)
    #expect(zero.status == 4 && zero.errors.contains("more than 64 MiB"), "\(zero.errors)")
  }

  @Test func `cannot have its pictures accepted into a folder elsewhere`() throws {
    try folder.write("phantom size=16 slices=1\nview clean[0]\n", to: "p.session")
    for program in ["replay", "accept"] {
      #expect(try Program.run([program, "p.session"], in: folder).status == 0)
    }
    try FileManager.default.removeItem(atPath: folder.path("p"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("p"), withDestinationPath: folder.path("outside"))
    let before = try contents("outside")
    let text = try folder.read("p.session")
    try folder.write(text.replacing(#/px:\w+/#, with: "px:000000000000"), to: "p.session")
    #expect(try Program.run(["replay", "p.session"], in: folder).status == 3)
    let ending = try Program.run(["accept", "p.session"], in: folder)
    #expect(ending.status == 4 && ending.errors.contains("symbolic link"))
    #expect(try contents("outside") == before)
  }
}
