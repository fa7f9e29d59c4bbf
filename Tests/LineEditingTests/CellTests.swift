import LineEditing
import Testing

struct `A cell` {
  @Test func `holds commands as the prompt takes them`() {
    let cell = "a \\\r\n  b\n# c\n\n\td"
    #expect(
      CellLines.commands(in: cell).map { "\($0.number): \($0.text)" } == [
        "1: a \\\n  b", "3: # c", "4: ", "5:  d",
      ])
    #expect(CellLines.commands(in: "> a\nb\n> c").map(\.text) == ["a", "c"])
    #expect(CellLines.commands(in: "").map(\.text) == [""])
  }

  @Test(arguments: [
    (0, "", "a \\\n  b"), (1, "a", "a \\\n  b"), (6, "a \\\n  ", "a \\\n  b"), (8, "", "c"),
    (9, "c", "c"), (10, "", ""), (99, "", ""),
  ])
  func `has a command at each position`(position: Int, before: String, command: String) {
    let place = CellPlace(in: "a \\\n  b\nc\n", at: position)
    #expect(place.before == before && place.command == command)
  }

  @Test func `counts Unicode scalars, and takes pasted prompts off`() {
    let place = CellPlace(in: "𝄞e\u{301}\n> ab cd", at: 8)
    #expect(place.before == "ab" && place.command == "ab cd")
  }
}
