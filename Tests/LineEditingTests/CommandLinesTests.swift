import Foundation
import LineEditing
import Testing

struct `Command lines` {
  /// All commands up to the end, after their numbers.
  private func commands(_ source: any LineSource) -> [String] {
    var lines = CommandLines(source)
    var commands: [String] = []
    while case .command(let line) = lines.next() { commands.append("\(line.number): \(line.text)") }
    return commands
  }

  @Test func `go on after a backslash, and keep the number of their first line`() {
    #expect(
      commands(TextLines("a\n\nb \\\n  c \\\n d\n# e \\\nf 'x \\\ny'\ng \\")) == [
        "1: a", "2: ", "3: b \\\n  c \\\n d", "6: # e \\",
        "7: f 'x \\\ny'", "9: g \\",
      ])
  }

  @Test func `have an end, whatever is continued`() {
    let endless = String(repeating: "\\\n", count: 5000)
    #expect(commands(TextLines(endless)).count == 5)
  }

  @Test func `come from a pipe in any pieces`() throws {
    let pipe = Pipe()
    let long = String(repeating: "x", count: 200_000)
    let thread = Thread {
      for piece in ["\u{FEFF}fir", "st\r\nsec", "ond \\\n  more\n", long, "\nlast"] {
        pipe.fileHandleForWriting.write(Data(piece.utf8))
      }
      try? pipe.fileHandleForWriting.close()
    }
    thread.start()
    let input = PlainInput(descriptor: pipe.fileHandleForReading.fileDescriptor)
    #expect(!input.isTerminal)
    #expect(
      commands(input) == [
        "1: first", "2: second \\\n  more", "4: \(long)", "5: last",
      ])
  }

  @Test func `that are no text do no harm`() throws {
    let pipe = Pipe()
    pipe.fileHandleForWriting.write(Data([0x61, 0xFF, 0xFE, 10, 0, 10]))
    try pipe.fileHandleForWriting.close()
    let input = PlainInput(descriptor: pipe.fileHandleForReading.fileDescriptor)
    #expect(commands(input) == ["1: a\u{FFFD}\u{FFFD}", "2: \u{0}"])
  }
}
