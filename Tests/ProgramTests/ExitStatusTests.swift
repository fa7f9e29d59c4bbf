import Foundation
import Testing

struct `The exit status` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test func `is 0 when all commands work`() throws {
    let ending = try folder.run(["phantom size=16 slices=1", "# a comment", "", "stats clean"])
    #expect(ending.status == 0)
    #expect(ending.errors == "")
  }

  @Test func `is 1 at the first command that fails, which file and line name`() throws {
    let ending = try folder.run(["phantom size=16 slices=1", "", "stats cleen", "stats clean"])
    #expect(ending.status == 1)
    #expect(ending.complaints.count == 1)
    #expect(ending.complaints.first?.hasPrefix("script.txt:3: error: ") == true)
    #expect(!ending.output.contains("min"), "the next command must not run")
  }

  @Test func `is the first failure's when the rest runs too`() throws {
    let lines = ["stats clean", "load nowhere", "phantom size=16 slices=1", "stats clean"]
    let ending = try folder.run(lines, "--keep-going")
    #expect(ending.status == 1)
    #expect(ending.complaints.map { $0.prefix(13) } == ["script.txt:1:", "script.txt:2:"])
    #expect(ending.output.contains("clean [2,1,16,16]"))
  }

  @Test(arguments: [
    ["--bogus"], ["paint"], ["run"], ["run", "a", "b"], ["replay"], ["run", "x", "--to", "soon"],
    ["run", "x", "--to", "0"], ["replay", "x", "--to", "-3"], ["run", "x", "--threads", "0"],
    ["run", "x", "--let", "a"], ["accept", "x", "y"],
    ["bench", "--size", "0"], ["bench", "--size", "65536", "--channels", "65536"],
    ["reference", "--json"],
  ])
  func `is 2 for wrong usage`(arguments: [String]) throws {
    let ending = try Program.run(arguments, in: folder)
    #expect(ending.status == 2)
    #expect(ending.output == "")
    #expect(ending.errors.hasPrefix("Error: "))
  }

  @Test(arguments: [["--help"], ["--version"], ["help"], ["help", "run"], ["run", "--help"]])
  func `is 0 for help`(arguments: [String]) throws {
    let ending = try Program.run(arguments, in: folder)
    #expect(ending.status == 0)
    #expect(!ending.output.isEmpty && ending.errors == "")
  }

  @Test(arguments: [
    "reference", "reference --man", "--help", "--version", "help run", "bench --size 8 --steps 1",
    "--generate-completion-script bash",
  ])
  func `is 1 where standard output is full`(arguments: String) throws {
    let ending = try Program.run(
      ["-c", "\"$0\" \(arguments) > /dev/full", Program.path], program: "/bin/bash", in: folder)
    #expect(ending.status == 1 && !ending.crashed, "\(ending.errors)")
    #expect(ending.errors.contains("no space left on device"))
  }

  @Test func `is 130 for a measurement that Ctrl-C ends`() throws {
    let running = try Program.Running(
      ["bench", "--over", "size=8,512", "--steps", "200"], in: folder)
    try running.waitUntilBusy(after: #""size":8"#)
    running.interrupt()
    let ending = try running.ending(within: 30)
    #expect(ending.status == 130 && !ending.crashed && ending.errors == "")
  }

  @Test func `is 2 for a value that must come from outside and does not`() throws {
    let lines = ["let data", "load $data"]
    #expect(try folder.run(lines).status == 2)
    let ending = try folder.run(lines, "--let", "data=phantom")
    #expect(ending.status == 0)
    #expect(ending.output.contains("32 slices 256×256"))
  }

  @Test(arguments: ["load nowhere", "series nowhere", "tags nowhere.dcm", "load script.txt"])
  func `is 4 for data that are missing or unreadable`(line: String) throws {
    #expect(try folder.run([line]).status == 4)
  }

  @Test(arguments: ["run", "replay", "accept"], ["nowhere.session", ".", "..", "/", ""])
  func `is 4 for a session that cannot be read`(command: String, file: String) throws {
    let ending = try Program.run([command, file], in: folder)
    #expect(ending.status == 4)
    #expect(ending.errors.hasPrefix("error: "))
    #expect(ending.output == "")
  }

  @Test func `is 4 for a session that is not text`() throws {
    try folder.write("phantom\n".data(using: .utf16)!, to: "wide.session")
    let ending = try Program.run(["run", "wide.session"], in: folder)
    #expect(ending.status == 4)
    #expect(ending.errors.contains("wide.session:1: is not UTF-8"))
  }

  @Test(arguments: ["run", "replay"])
  func `is 130 after an interrupt, which keeps the steps made`(command: String) throws {
    let lines = [
      "phantom size=64 slices=2", "noise gaussian sigma=40HU", "block channels=8", "conv",
      "train steps=1000000", "evaluate",
    ]
    try folder.write(lines.joined(separator: "\n"), to: "long.session")
    let running = try Program.Running([command, "long.session", "--json"], in: folder)
    try running.waitUntilBusy(after: #""command":"conv""#)
    running.interrupt()
    let ending = try running.ending(within: 120)
    #expect(ending.status == 130)
    let all = try JSONLine.all(ending.output)
    let train = try #require(all.first { $0.text("command") == "train steps=1000000" })
    let steps = try #require(train.result.number("steps"))
    #expect(steps >= 1 && steps < 1_000_000)
    #expect(train.result.text("stopped") == "interrupt")
    #expect(!all.contains { $0.text("command") == "evaluate" })
  }
}
