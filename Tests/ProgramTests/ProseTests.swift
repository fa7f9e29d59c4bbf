import Foundation
import Testing

/// What a session says to its reader, beside commands.
struct `The prose of a session` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let lesson = [
    "# A first look", "", "# Two paragraphs,", "# the second of two lines", "let a = 1", "",
    "", "# Then slices", "phantom size=16 slices=1 # small", "stats clean", "# The end", "",
  ]

  /// The lines of a saved session that are no output, header or stamp.
  private func prose(_ name: String) throws -> [String] {
    try folder.read(name).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      .filter { line in
        line.isEmpty || line.hasPrefix("> ")
          || (line.hasPrefix("#") && !line.hasPrefix("#@") && !line.hasPrefix("#!"))
      }
  }

  private static let recorded = lesson.map {
    $0.isEmpty || $0.hasPrefix("#") ? $0 : "> \($0)"
  }

  @Test func `is saved in its place, from a script`() throws {
    #expect(try folder.run(Self.lesson + ["session save new"]).status == 0)
    #expect(try prose("out/script.txt/new.session") == Self.recorded + [""])
    #expect(
      try Program.run(["replay", "out/script.txt/new.session"], in: folder).status == 0)
  }

  @Test func `is saved in its place, from a pipe and from a recorded session again`() throws {
    let text = (Self.lesson + ["session save new"]).joined(separator: "\n") + "\n"
    #expect(try Program.run([], input: text, in: folder).status == 0)
    let first = "out/standard-input/new.session"
    #expect(try prose(first) == Self.recorded + [""])
    let again = try folder.read(first) + "> session save again\n"
    try folder.write(again, to: "again.session")
    #expect(try Program.run(["run", "again.session"], in: folder).status == 0)
    #expect(try folder.read("out/again/again.session") == folder.read(first))
  }

  @Test func `of a file that 'run' runs is shown and kept among its lines`() throws {
    try folder.write(Self.lesson.joined(separator: "\n"), to: "lesson.session")
    let ending = try folder.run(["# Mine", "run lesson", "session save new"])
    #expect(ending.status == 0 && ending.output.contains("\n  # Then slices\n  phantom"))
    let text = try folder.read("out/script.txt/new.session")
    #expect(text.contains("\n# Mine\n> run lesson\n  # A first look\n"), "\(text)")
    #expect(text.contains("\n  # the second of two lines\n  let a = 1\n"))
    #expect(
      try Program.run(["replay", "out/script.txt/new.session"], in: folder).status == 0)
  }

  @Test func `keeps the blank lines inside an output with the output`() throws {
    let text = "> help\nfirst\n\nsecond\n\n# note\n> let a = 1\n> session save new\n"
    try folder.write(text, to: "s.session")
    #expect(try Program.run(["run", "s.session"], in: folder).status == 0)
    #expect(try prose("out/s/new.session") == ["", "# note", "> let a = 1", ""])
  }

  @Test(.enabled(if: Terminal.isAvailable))
  func `is kept when it is typed`() throws {
    let terminal = try Terminal(in: folder)
    try terminal.wait(for: "\n> ")
    for line in ["# Typed", "", "let a = 1", "# After"] {
      try terminal.type("\(line)\r", until: "> ")
    }
    try terminal.type("session save typed\r", until: "saved  typed.session")
    #expect(try terminal.leave() == 0)
    #expect(try prose("typed.session") == ["# Typed", "", "> let a = 1", "# After", ""])
  }
}
