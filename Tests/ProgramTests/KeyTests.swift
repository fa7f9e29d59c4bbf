import Foundation
import Testing

/// The keys of the prompt, in each locale and width.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `Keys at the prompt` {
  struct Place: CustomTestStringConvertible, Sendable {
    let locale: String
    let columns: UInt16
    var testDescription: String { "\(locale), \(columns) columns" }
  }

  static let places = ["C.UTF-8", "C"].flatMap { locale in
    [80, 40].map { Place(locale: locale, columns: $0) }
  }

  static let phantom = "2 slices 16×16"

  let folder: Folder

  init() throws { folder = try Folder() }

  private func terminal(_ place: Place) throws -> Terminal {
    let terminal = try Terminal(
      in: folder, columns: place.columns, environment: ["LC_ALL": place.locale, "LANG": ""])
    try terminal.wait(for: "\n> ")
    return terminal
  }

  @Test(arguments: places)
  func `complete commands, keys, values and quoted paths`(_ place: Place) throws {
    try folder.write("", to: "my 'odd' = #1 µ folder/x.npy")
    let terminal = try terminal(place)
    try terminal.type("pha\tsi\t16 sli\t1\r", until: Self.phantom)
    try terminal.type("noise g\tsi\t30 fi\t\r", until: "rmse")
    try terminal.type("loss l\t\r", until: "\n> ")
    try terminal.type("load my\t\t\r", until: "x.npy")
    try terminal.type("sta\tcl\t\r", until: "std")
    #expect(!terminal.shown.contains("there is no"))
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: places)
  func `list what may come next within the width`(_ place: Place) throws {
    let terminal = try terminal(place)
    let list = try terminal.type("noise ?", until: "> noise ").split(separator: "\n")
    let rows = list.filter { $0.hasPrefix("  ") }
    #expect(rows.count == 3 && rows.allSatisfy { $0.count < Int(place.columns) }, "\(rows)")
    try terminal.type("g\t?", until: "sigma=")
    try terminal.interrupt(until: "\n> ")
    let text = try terminal.type("let a = \"why?\"\r", until: "\n> ")
    #expect(!text.contains("  "), "nothing is listed in quotes")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: places)
  func `edit any letters`(_ place: Place) throws {
    let terminal = try terminal(place)
    try terminal.type("let a = 'µ漢é'x\u{7F}\u{2}ü漢\u{7F}\r", until: "\n> ")
    try terminal.type("help $a\r", until: "no help on \"µ漢éü\"")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: places)
  func `go on over several lines`(_ place: Place) throws {
    let terminal = try terminal(place)
    try terminal.type("phantom \\\r", until: "\n> ")
    try terminal.type("si\t16 \\\r", until: "\n> ")
    try terminal.type("slices=1\r", until: Self.phantom)
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: places)
  func `clear the line at Ctrl-C and leave at Ctrl-D`(_ place: Place) throws {
    let terminal = try terminal(place)
    let long = String(repeating: "nonsense ", count: 12)
    try terminal.type(long + "\u{3}", until: "^C\n> ")
    try terminal.type("phantom size=16 slices=1\r", until: Self.phantom)
    #expect(!terminal.shown.contains("there is no command"))
    #expect(try terminal.leave() == 0)
    #expect(terminal.isSane)
  }

  @Test(arguments: places)
  func `take the commands of a pasted transcript, or all pasted lines`(_ place: Place) throws {
    let terminal = try terminal(place)
    let transcript =
      "# Notes\n> phantom size=16 \\\n>   slices=1\nclean  9 slices\n> noise gaussian\n"
    try terminal.type("\u{1B}[200~\(transcript)\u{1B}[201~", until: "rmse")
    #expect(terminal.shown.contains(Self.phantom) && !terminal.shown.contains("9 slices"))
    try terminal.type(
      "\u{1B}[200~let a = 1\nlet b = ${a}\u{1B}[201~5\r", until: "\n> ")
    try terminal.type("help $b\r", until: "no help on \"15\"")
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: places)
  func `find earlier lines`(_ place: Place) throws {
    let terminal = try terminal(place)
    try terminal.type("phantom size=16 slices=1\r", until: Self.phantom)
    try terminal.type("stats clean\r", until: "std")
    try terminal.type(" let secret = 1\r", until: "\n> ")
    try terminal.type("pha\u{1B}[A\r", until: Self.phantom)
    try terminal.type("\u{12}ats\r", until: "std")
    let found = try terminal.type("history phantom\r", until: "\n> ")
    #expect(found.contains("1  phantom size=16 slices=1"))
    #expect(try terminal.leave() == 0)
    let again = try self.terminal(place)
    let earlier = try again.type("history clean\r", until: "\n> ")
    #expect(earlier.contains("-  stats clean"))
    #expect(try again.leave() == 0)
    #expect(!(try folder.read("state/backflow/history").contains("secret")))
    let mode = try FileManager.default.attributesOfItem(
      atPath: folder.path("state/backflow/history"))[.posixPermissions]
    #expect(mode as? Int == 0o600)
  }

  @Test(arguments: places)
  func `survive a resize in the middle of a line`(_ place: Place) throws {
    let terminal = try terminal(place)
    let start = "phantom   size=16      " + String(repeating: " ", count: 40)
    try terminal.type(start + "sli", until: "sli")
    terminal.resize(columns: 120 - place.columns)
    try terminal.wait(for: "\u{1B}[J")
    try terminal.type("ces=1\r", until: Self.phantom)
    let rows = try terminal.type("noise ?", until: "> noise ").split(separator: "\n")
    #expect(rows.filter { $0.hasPrefix("  ") }.allSatisfy { $0.count < 120 - Int(place.columns) })
    #expect(try terminal.type("\u{3}", until: "^C").isEmpty == false)
    #expect(try terminal.leave() == 0)
  }

  @Test(arguments: places)
  func `are those of vi when .editrc says so`(_ place: Place) throws {
    try folder.write("backflow:bind -v\n", to: ".editrc")
    let terminal = try terminal(place)
    try terminal.type("phantom size=16 slices=2\u{1B}", until: "slices=2")
    usleep(200_000)
    try terminal.type("xa1\r", until: Self.phantom)
    try terminal.type("pha\u{1B}[A\r", until: Self.phantom)
    try terminal.type("sta\tclean\r", until: "std")
    #expect(try terminal.leave() == 0)
  }

  @Test func `do without an editor where the terminal cannot`() throws {
    let terminal = try Terminal(in: folder, environment: ["TERM": "dumb"])
    try terminal.wait(for: "\n> ")
    try terminal.type("phantom size=16 slices=1\r", until: Self.phantom)
    #expect(!terminal.shown.contains("\u{1B}"))
    #expect(try terminal.leave() == 0)
  }
}
