import CommandLanguage
import Commands
import Testing

/// What commands give back, in the rows of a terminal.
struct `On a screen` {
  private static let widths = [40, 60, 80, 132]

  /// Says which rows are too wide or break a word; words are compared whatever their order, since
  /// cells of a table go on beside each other.
  private func faults(_ outcome: Outcome, columns: Int) -> [String] {
    let rows = outcome.screen(columns: columns).flatMap(\.rows)
    // Words that are wider than a row are broken between their choices.
    func words(_ lines: [String]) -> [String] {
      lines.flatMap { $0.split { $0 == " " || $0 == "|" } }.map(String.init).sorted()
    }
    let wide = rows.filter { VisibleText.columns(of: $0) > columns }
    let isWhole = words(rows) == words(outcome.typedLines.map(\.shown))
    return wide + (isWhole ? [] : ["words are broken or lost: \(rows)"])
  }

  @Test(arguments: widths)
  func `every page of help fits, and can be typed`(columns: Int) throws {
    let session = TestSession()
    for spec in commandTable.map(\.spec) {
      let page = try session.run("help \(spec.name)")
      #expect(faults(page, columns: columns).isEmpty, "\(faults(page, columns: columns))")
      let shown = page.typedLines.map(\.shown)
      for example in spec.examples {
        #expect(shown.contains { $0.contains(example.line) }, "\(example.line)")
      }
    }
    for line in ["help", "help ideas", "help HU", "apropos a"] {
      #expect(faults(try session.run(line), columns: columns).isEmpty)
    }
  }

  @Test(arguments: widths)
  func `tables fit as long as their words do`(columns: Int) throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=2", "noise gaussian sigma=60HU", "block channels=2 act=tanh",
      "block channels=2 act=tanh merge=multiply", "conv", "break c1.out max > 3",
      "forward noisy[1]", "step",
    ])
    for line in ["net show", "where", "breaks", "data", "explain b1.conv1.z[0,0,5,5]"] {
      #expect(faults(try session.run(line), columns: columns).isEmpty, "\(line)")
    }
  }

  @Test func `cells of words go on under themselves, and numbers stay in their columns`() throws {
    let table = OutputTable(
      [.words("layer"), .words("line"), .numbers("parameters")],
      rows: [
        ["b1", "block channels=2 kernel=3 act=tanh", "20"], ["c1", "conv channels=1", "1234"],
      ])
    #expect(
      table.rows(columns: 40) == [
        "layer  line                 parameters",
        "b1     block channels=2             20",
        "         kernel=3 act=tanh", "c1     conv channels=1            1234",
      ])
    #expect(table.rows(columns: 60) == table.lines.map(\.rendered))
  }
}
