import CommandLanguage
import Testing

struct `A line that is wider than the terminal` {
  @Test(arguments: [20, 40, 80])
  func `is broken at spaces alone`(columns: Int) {
    let words = (0..<60).map { String(repeating: "µ", count: 1 + $0 % 9) }
    let rows = TextWrapping.rows(of: words.joined(separator: " "), columns: columns)
    #expect(rows.count > 1 && rows.allSatisfy { VisibleText.columns(of: $0) <= columns })
    #expect(rows.flatMap { $0.split(separator: " ") }.map(String.init) == words)
  }

  @Test func `goes on under the last column of its table`() {
    let row = "  path  PATH  a file or folder, read from the output folder first"
    #expect(
      TextWrapping.rows(of: row, columns: 40) == [
        "  path  PATH  a file or folder, read", "              from the output folder",
        "              first",
      ])
    let text = "    an indented line of words that goes on"
    #expect(
      TextWrapping.rows(of: text, columns: 24) == [
        "    an indented line of", "      words that goes on",
      ])
  }

  @Test func `is broken between choices that are wider than a row together`() {
    #expect(
      TextWrapping.rows(of: "take NAME|FILE|FOLDER now", columns: 12) == [
        "take NAME|", "FILE|FOLDER", "now",
      ])
    #expect(TextWrapping.rows(of: "take a|b or c", columns: 8) == ["take a|b", "or c"])
  }

  @Test func `keeps what fits, spaces and all, and words that nothing could break`() {
    let line = "a   b     c"
    #expect(TextWrapping.rows(of: line, columns: 11) == [line])
    let path = "/" + String(repeating: "x", count: 50)
    #expect(
      TextWrapping.rows(of: "saved  \(path) twice", columns: 30) == [
        "saved", "       \(path)", "       twice",
      ])
    #expect(TextWrapping.rows(of: "", columns: 30) == [""])
  }
}

struct `The echo of a line that is wider than the terminal` {
  private func echo(_ line: String, columns: Int) throws -> [String] {
    let error = try #require(ToyTable.runner().run(line, line: 1)?.error)
    return error.rendered(columns: columns)
  }

  @Test(arguments: [8, 20, 40, 80])
  func `shows the part around the caret`(columns: Int) throws {
    let before = String(repeating: "漢ab", count: 100)
    let after = String(repeating: "cd ", count: 100)
    let spaces = String(repeating: " ", count: 100)
    let lines = try echo("noise gaussian\(spaces)'\(before)' \(after)", columns: columns)
    #expect(lines.count == 3)
    #expect(lines.prefix(2).allSatisfy { VisibleText.columns(of: $0) <= columns }, "\(lines)")
    #expect(lines[0].hasPrefix("…") && lines[0].hasSuffix("…"))
    let place = VisibleText.columns(of: lines[1].prefix { $0 == " " })
    var column = 0
    let marked = lines[0].drop { character in
      defer { column += VisibleText.columns(of: CollectionOfOne(character)) }
      return column < place
    }
    #expect(marked.hasPrefix("'漢"), "\(lines)")
  }

  @Test func `is the whole line where that fits`() throws {
    #expect(try echo("  sgima 漢", columns: 20).prefix(2) == ["  sgima 漢", "  ^~~~~"])
    let exact = try echo("noise gaussian sgima=3", columns: 22)
    #expect(exact.prefix(2) == ["noise gaussian sgima=3", "               ^~~~~"])
  }

  @Test func `is short also where no terminal is, and so is the message`() throws {
    let error = try #require(
      ToyTable.runner().run(String(repeating: "x", count: 1_000_000), line: 1)?.error)
    #expect(error.rendered.allSatisfy { $0.count < 5000 })
  }
}
