import Foundation
import Testing

/// Ctrl-C while a command runs.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `Ctrl-C at the prompt` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// A network with steps of seconds, so that both keys fall into one however busy the machine is.
  private static let slow = [
    "phantom size=256 slices=1", "noise gaussian", "block channels=64 kernel=13 convs=4", "conv",
    "train epochs=1000000 batch=1",
  ]

  /// Presses Ctrl-C twice in a step; answers with the steps before it and what came then.
  private func interruptTwice(
    _ terminal: Terminal, until mark: String
  ) throws -> (steps: Int, answer: String) {
    let shown = try terminal.wait(for: "  loss ")
    try terminal.interrupt(until: "stopping; Ctrl-C again drops the step")
    let answer = try terminal.interrupt(until: mark)
    #expect(answer.contains("dropping the step"))
    let steps = shown.matches(of: /step (\d+)\//).last.flatMap { Int($0.1) }
    return (try #require(steps), answer)
  }

  @Test func `twice drops the step that is computed`() throws {
    let terminal = try Terminal(in: folder)
    for line in Self.slow { try terminal.press("\(line)\r".utf8) }
    let (steps, answer) = try interruptTwice(terminal, until: "'continue' goes on")
    #expect(answer.contains("stopped after step \(steps)"), "\(answer)")
    try terminal.type("stats c1.weight\r", until: "std")
    #expect(try terminal.leave() == 0)
  }

  @Test func `twice in a script drops the step and hands over what is there`() throws {
    try folder.write(Self.slow.joined(separator: "\n") + "\nstats denoised\n", to: "slow.txt")
    let terminal = try Terminal(["run", "slow.txt"], in: folder)
    let (steps, answer) = try interruptTwice(terminal, until: "its state is kept")
    #expect(answer.contains("stopped after step \(steps)"), "\(answer)")
    #expect(!answer.contains("denoised ["), "the next line of the script does not run")
    try terminal.type("stats c1.weight\r", until: "std")
    #expect(try terminal.leave() == 130)
  }

  @Test(arguments: [
    "phantom size=512 slices=150", "baseline median size=31", "gradcheck samples=100000",
  ])
  func `ends a long command that has nothing to keep; all is as before`(line: String) throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    for line in ["phantom size=256 slices=8", "noise gaussian", "block channels=24", "conv"] {
      try terminal.type("\(line)\r", until: "\n> ")
    }
    let before = try terminal.type("data\r", until: "\n> ")
    // What the screen shows last is the command's own line: it runs.
    try terminal.type("\(line)\r", until: "\(line)\n")
    let answer = try terminal.interrupt(until: "error: interrupted; all is as before")
    #expect(!answer.contains("drops the step"), "no training runs")
    try terminal.wait(for: "\n> ", from: terminal.position - 3)
    #expect(try terminal.type("data\r", until: "\n> ") == before)
    #expect(try terminal.leave() == 0)
  }

  @Test func `keys typed while a command runs become the next lines`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    let lines = "phantom size=256 slices=8\rnoise gaussian sigma=4\u{7F}30\rhelp µ\u{1B}bx\rquit\r"
    let shown = try terminal.type(lines, until: "this session is kept")
    #expect(
      shown.contains("16 slices 256×256") && shown.contains(/noisy  rmse (29\.9|30\.0)/), "\(shown)"
    )
    #expect(shown.contains("no help on \"xµ\""), "keys that edit wait, too")
    #expect(try terminal.ending() == 0)
    #expect(terminal.isSane)
  }

  @Test func `before a pasted line drops those behind it`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    try terminal.type(
      "\u{1B}[200~phantom size=512 slices=150\nlet a = 1\nhelp $a\n\u{1B}[201~",
      until: "patient 1 of 2")
    let shown = try terminal.interrupt(until: "2 pasted lines do not run after Ctrl-C")
    #expect(shown.contains("error: interrupted"))
    try terminal.type("help $a\r", until: "error: there is no variable")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: [40, 90] as [UInt16])
  func `meets a progress line that fits the terminal`(columns: UInt16) throws {
    let terminal = try Terminal(in: folder, columns: columns)
    let lines = ["phantom size=32 slices=2", "noise gaussian", "block channels=2", "conv"]
    for line in lines + ["train epochs=1000000"] { try terminal.press("\(line)\r".utf8) }
    // The line is drawn anew again and again.
    try terminal.wait("progress") { terminal.shown.split(separator: "\u{1B}[J").count > 4 }
    let progress = terminal.shown.split(whereSeparator: \.isNewline)
      .filter { $0.hasPrefix("\u{1B}[J") && $0.contains("epoch ") }.map { $0.dropFirst(3) }
    #expect(!progress.isEmpty && progress.allSatisfy { $0.count < Int(columns) }, "\(progress)")
    let drawn = #/^▕[█▏▎▍▌▋▊▉ ]{6}▏ epoch .*  [⠀-⣿]{8}  /#
    let isDrawn = progress.contains { $0.firstMatch(of: drawn) != nil }
    #expect(isDrawn == (columns > 40), "\(progress)")
    try terminal.interrupt(until: "'continue' goes on")
    #expect(try terminal.leave() == 0)
  }

  /// A file of 512 MiB whose numbers are all 0, which takes no room on the disk.
  private func writeZeros() throws {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (128, 1024, 1024), }"
    let padded = header.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0])
    data.append(contentsOf: padded.utf8)
    try folder.write(data, to: "zeros.npy")
    let file = try FileHandle(forWritingTo: folder.url.appending(path: "zeros.npy"))
    try file.truncate(atOffset: 128 + 4 << 27)
    try file.close()
  }

  @Test func `ends what looks at a large stack or writes it, and leaves no half of a file`() throws
  {
    try writeZeros()
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    try terminal.type("load zeros.npy unit=HU\r", until: "\n> ")
    for line in ["save tensor clean x.npy", "hist clean", "stats clean", "save tensor clean y.npy"]
    {
      try terminal.type("\(line)\r", until: "\(line)\n")
      let answer = try terminal.interrupt(until: "error: interrupted; all is as before")
      #expect(!answer.contains("drops the step"), "no training runs")
      try terminal.wait(for: "\n> ", from: terminal.position - 3)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(!left.contains { $0.hasSuffix("x.npy") || $0.hasSuffix("y.npy") }, "\(left)")
    #expect(!left.contains { $0.hasSuffix(".part") || $0.hasSuffix(".png") }, "\(left)")
    #expect(try terminal.leave() == 0)
  }
}
