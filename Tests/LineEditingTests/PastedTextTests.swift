import Foundation
import LineEditing
import Testing

struct `A paste` {
  @Test func `of plain lines is those lines, and the rest stays in the editor`() {
    let paste = PastedText("a\r\nb\tc\u{1B}[31m\rd")
    #expect(paste.lines == ["a", "b c[31m"])
    #expect(paste.rest == "d")
  }

  @Test func `of a transcript is its commands`() {
    let paste = PastedText("#! backflow session 1\n> a \\\n>   b\nout\n\\> no\n> c")
    #expect(paste.lines == ["a \\", "  b"])
    #expect(paste.rest == "c")
  }

  @Test func `of an indented transcript is its commands, too`() {
    let paste = PastedText("> a\n  > b\n\t> c\n  out\n  >\n")
    #expect(paste.lines == ["a", "b", "c", ""])
  }
}

struct `The lines of a history` {
  private let path = FileManager.default.temporaryDirectory
    .appending(path: "backflow-\(UUID().uuidString)/history").path

  @Test func `are walked through by their beginning`() {
    let history = LineHistory(file: nil)
    for line in ["noise a", "view b", "noise c", " noise hidden"] { history.add(line) }
    #expect(history.older(than: "no") == "noise c")
    #expect(history.older(than: "noise c") == "noise a")
    #expect(history.older(than: "noise a") == nil)
    #expect(history.newer(than: "noise a") == "noise c")
    #expect(history.newer(than: "noise c") == "no")
    #expect(history.older(than: "") == "noise c")
  }

  @Test func `are kept for one person alone, and cut when there are too many`() throws {
    defer {
      try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent)
    }
    let file = HistoryFile(path: path)
    file.append("µ first")
    let long = String(repeating: "x", count: 100_000)
    for number in 0..<50 { file.append("\(number) \(long)") }
    #expect(file.lines().last == "49 \(long)")
    #expect(file.lines().count < 50)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }
}
