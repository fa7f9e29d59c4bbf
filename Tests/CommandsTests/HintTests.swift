import CommandLanguage
import Commands
import Testing

/// What the prompt says about a line before it runs.
struct HintTests {
  private let session = TestSession()

  private func hint(_ line: String) -> Hint? {
    let completer = Completer(
      specs: commandTable.map(\.spec), topics: helpTopics, variables: session.runner.variables,
      names: { [session] in session.runner.workspace.nameCandidates },
      entries: { [session] in session.runner.workspace.files.entries(of: $0) })
    return session.runner.hinter(completer).hint(of: line)
  }

  @Test func `of a layer is its output, parameters, operations and time of a step`() throws {
    #expect(hint("block channels=16")?.text == "b1.out [N,16,H,W] · 160 parameters")
    try session.run(lines: ["phantom size=64 slices=2", "noise gaussian", "block channels=16"])
    let text = try #require(hint("block channels=16 convs=2")).text
    // 2 convolutions of 16·(16·9 + 1) parameters; 2·16·16·9 operations a pixel.
    #expect(text.hasPrefix("b2.out [4,16,64,64] · 4.6 k parameters · 38 MFLOP a slice · about "))
    #expect(text.contains(/about [\d.]+ m?s a step$/))
    #expect(try session.run("block channels=16 convs=2").lines[0].contains("4640 parameters"))
    let plain = try #require(hint("conv")).text
    #expect(plain.hasPrefix("c1.out [4,1,64,64] · 145 parameters · 1.2 MFLOP a slice"))
  }

  @Test(arguments: [
    ("nosie gaussian", "there is no command \"nosie\"; did you mean \"noise\"?"),
    ("noise gaussian sgma=40", "noise gaussian has no key \"sgma\"; did you mean \"sigma\"?"),
    ("block channels=0", "channels: 0 is out of range; expected a whole number, 1 to 1024"),
    ("view cleen[1]", "there is nothing called 'cleen'; did you mean \"clean\"?"),
    ("view clean[9]", "there is no slice 9; 0 to 3 exist"),
    ("block channels=9", "skip=block joins the block's input, which has 4 channels, with 9"),
    ("load nowhere.dcm", "nowhere.dcm: no such file or folder"),
    ("train", "the last layer b1 has 4 channels"),
    ("view clean[", "\"[\" is not closed"),
  ])
  func `of a wrong line is what is wrong`(line: String, fault: String) throws {
    try session.run(lines: ["phantom size=16 slices=2", "noise gaussian", "block channels=4"])
    let hint = try #require(self.hint(line))
    #expect(hint.isFault && hint.text.contains(fault), "\(hint)")
    #expect(throws: CommandError.self) { try session.run(line) }
  }

  @Test func `of a line that must fail is that of the line`() {
    #expect(hint("fails nosie")?.isFault == true)
  }

  @Test(arguments: [
    ("no", "noise  "), ("noise g", "gaussian"), ("noise gaussian ", "Add normal noise"),
    ("view", "view  Draw a slice"), ("view ", "NAME: "), ("view cl", "clean  [4,1,16,16]"),
    ("view clean[1]", "clean [4,1,16,16]"), ("noise gaussian sigma=", "sigma: a number"),
    ("loss m", "mse"), ("block merge=mul", "multiply  multiply-add"),
    ("phantom size=64 slices=3", "clean [6,1,64,64] · 98 kB"),
    ("train batch=2 epochs=3", "6 steps of 2×16×16 · about "), ("fails view ", "NAME: "),
    ("help HU", "List the commands"), ("panel clean[0] noisy[0]", "clean [4,1,16,16]  noisy ["),
  ])
  func `of an unfinished or good line is what comes next`(line: String, words: String) throws {
    try session.run(lines: ["phantom size=16 slices=2", "noise gaussian", "conv"])
    let hint = try #require(self.hint(line))
    #expect(!hint.isFault && hint.text.contains(words), "\(hint)")
  }

  @Test(arguments: ["", "   ", "# a note", "view \"cl", "block \\"])
  func `of a blank or open line is nothing`(line: String) {
    #expect(hint(line)?.text ?? "" == "")
  }
}
