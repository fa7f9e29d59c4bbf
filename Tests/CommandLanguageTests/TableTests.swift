import CommandLanguage
import TestSupport
import Testing

struct `The table` {
  @Test func `keeps its rules`() {
    #expect(CommandTable.faults(in: ToyTable.specs) == [])
  }

  @Test func `has its faults named`() {
    let bad = CommandSpec(
      "Bad", family: .rest, summary: String(repeating: "x", count: 73),
      parameters: [
        .word("a", .path, "one", default: .absent("")), .word("b", .path, ""),
        .key("n", .integer(), "count", default: .value("many")), .key("n", .integer(), "again"),
        .rest("end", "the end"), .assigned("value", "another end"),
      ],
      examples: ["nothing"], seeAlso: ["nobody"])
    let faults = CommandTable.faults(in: [bad, bad]).joined(separator: "\n")
    for word in [
      "twice", "lower case", "72 columns", "nobody", "one name", "required after the optional",
      "end of the line", "has no help", "default is wrong", "example",
    ] {
      #expect(faults.contains(word), "\(word)")
    }
  }

  @Test func `is the whole of help`() throws {
    let runner = ToyTable.runner()
    let all = try #require(runner.run("help", line: 1)?.outcome).lines
    for spec in ToyTable.specs {
      #expect(all.contains { $0.contains(spec.name) && $0.contains(spec.summary) })
    }
    let page = try #require(runner.run("HELP noise gaussian", line: 1)?.outcome).lines
    #expect(page[0] == "noise gaussian  Add Gaussian noise.")
    #expect(
      page[1]
        == "  noise gaussian [sigma=40HU] [fraction=NUMBER] [fixed|fresh] [seed=N]")
    #expect(
      page.contains { $0.contains("sigma") && $0.contains("HU") && $0.contains("default 40HU") })
    #expect(page.contains("example   noise gaussian sigma=40HU"))
    #expect(runner.run("help noise", line: 1)?.outcome?.lines.count == 2)
    #expect(runner.run("help data", line: 1)?.outcome?.lines.first == "data")
  }

  @Test func `is the whole of the reference`() {
    let page = Reference.markdown(ToyTable.specs)
    for spec in ToyTable.specs {
      #expect(page.contains("### \(spec.name)\n\n\(spec.summary)"))
      #expect(page.contains("    \(spec.syntax)\n"))
      #expect(page.contains("    \(spec.examples[0].line)"))
    }
    #expect(page.hasPrefix("# Commands\n") && page.hasSuffix("\n") && !page.hasSuffix("\n\n"))
    #expect(page.contains("full or range:N"))
    #expect(page.contains("[shuffle=yes|no] [convention=full|range:N]"))
  }
}
