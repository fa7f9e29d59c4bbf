import Testing

@Suite(.enabled(if: Terminal.isAvailable))
struct `The prompt at a terminal` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test func `greets, answers, and leaves at Ctrl-D with 0`() throws {
    let terminal = try Terminal(in: folder)
    let greeting = try terminal.wait(for: "\n> ")
    #expect(greeting.contains("'help' lists all commands"))
    let answer = try terminal.type("stats cleen\n", until: "\n> ")
    #expect(answer.contains("      ^~~~~\nerror: "))
    try terminal.type("phantom size=16 slices=1\n", until: "2 slices 16×16")
    #expect(try terminal.leave() == 0)
  }

  @Test func `greets with three lines that work`() throws {
    let terminal = try Terminal(in: folder)
    let greeting = try terminal.wait(for: "\n> ")
    let lines = greeting.split(separator: "\n").filter { $0.hasPrefix("  ") }.map {
      $0.dropFirst(2)
    }
    #expect(lines.count == 3, "\(greeting)")
    for line in lines {
      let answer = try terminal.type("\(line)\r", until: "\n> ")
      #expect(!answer.contains("error"), "\(answer)")
    }
    #expect(terminal.shown.contains("[png noisy-3.png 256x256 gray8"))
    #expect(try terminal.leave() == 0)
  }

  @Test func `drops the line at Ctrl-C and goes on`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    try terminal.interrupt(until: "\n> ")
    try terminal.type("phantom size=16 slices=1\n", until: "2 slices 16×16")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: [
    "train epochs=1000000", "train steps=100000000 batch=1", "train time=1h epochs=1000000",
  ])
  func `keeps a training that Ctrl-C stopped, and its record replays`(line: String) throws {
    let terminal = try Terminal(in: folder)
    for line in ["phantom size=32 slices=2", "noise gaussian", "block channels=2", "conv"] {
      try terminal.type(line + "\n", until: "\n> ")
    }
    try terminal.type(line + "\n", until: "  loss ")
    let answer = try terminal.interrupt(until: "'continue' goes on")
    let steps = try #require(answer.firstMatch(of: /stopped after step (\d+)/)?.1)
    try terminal.type("stats c1.weight\n", until: "std")
    try terminal.type("continue steps=2\n", until: "2 steps")
    try terminal.type("stats denoised\n", until: "std")
    try terminal.type("session save kept\n", until: "saved  kept.session")
    #expect(try terminal.leave() == 0)
    let record = try folder.read("kept.session")
    #expect(record.contains(" steps=\(steps)  # stopped by hand\n"), "\(record)")
    let replay = try Program.run(["replay", "kept.session"], in: folder)
    #expect(replay.status == 0, "\(replay.output)")
  }

  @Test func `takes over where --to stopped`() throws {
    try folder.write("phantom size=16 slices=1\nstats cleen\n", to: "a.txt")
    let terminal = try Terminal(["run", "a.txt", "--to", "2"], in: folder)
    try terminal.wait(for: "HU -")
    try terminal.type("stats clean\n", until: "clean [2,1,16,16]")
    #expect(try terminal.leave() == 0)
  }

  @Test func `writes where a person says`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.type("phantom size=16 slices=1\n", until: "2 slices 16×16")
    try terminal.type("save tensor clean sub/../a.npy\n", until: "saved")
    try terminal.type("view clean[0]\n", until: "[png clean-0.png 16x16")
    #expect(try terminal.leave() == 0)
    #expect(folder.exists("a.npy") && folder.exists("clean-0.png"))
  }

  @Test func `records two loads of different data so that both replay`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.type("phantom size=16 slices=1\n", until: "2 slices 16×16")
    try terminal.type("phantom size=32 slices=1\n", until: "2 slices 32×32")
    try terminal.type("session save two\n", until: "saved  two.session")
    #expect(try terminal.leave() == 0)
    #expect(try Program.run(["replay", "two.session"], in: folder).status == 0)
  }
}
