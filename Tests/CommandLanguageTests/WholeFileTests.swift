import CommandLanguage
import Foundation
import Testing

/// Files that are written together.
struct `Whole files` {
  private let folder: String

  init() throws {
    folder =
      FileManager.default.temporaryDirectory.appending(path: "whole-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { "\(folder)/\(name)" }

  private func read(_ name: String) -> String? {
    FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
  }

  private func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path(name)))
  }

  private var everything: [String] {
    get throws { try FileManager.default.subpathsOfDirectory(atPath: folder).sorted() }
  }

  @Test func `come into place together, in folders that are made for them`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write("old", to: "b")
    try write("goes", to: "c")
    let files = WholeFiles()
    try files.add(Data("1".utf8), as: path("new/deep/a"))
    try files.add(Data("2".utf8), as: path("b"))
    files.remove(path("c"))
    files.remove(path("never there"))
    #expect(read("b") == "old" && read("new/deep/a") == nil && read("c") == "goes")
    try files.commit()
    #expect(read("new/deep/a") == "1" && read("b") == "2")
    #expect(try everything == ["b", "new", "new/deep", "new/deep/a"])
  }

  @Test func `are none when one cannot come into place`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write("old", to: "a")
    try write("stays", to: "c")
    // A file cannot take the place of a folder.
    try FileManager.default.createDirectory(
      atPath: path("b/inside"), withIntermediateDirectories: true)
    let files = WholeFiles()
    try files.add(Data("1".utf8), as: path("a"))
    try files.add(Data("2".utf8), as: path("made/x"))
    files.remove(path("c"))
    try files.add(Data("3".utf8), as: path("b"))
    #expect(throws: WholeFile.Failure.self) { try files.commit() }
    #expect(read("a") == "old" && read("c") == "stays" && read("made/x") == nil)
  }

  @Test func `leave nothing when they are given up`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      let files = WholeFiles()
      try files.add(Data("1".utf8), as: path("made/deep/a"))
      #expect(try !everything.isEmpty)
    }
    #expect(try everything.isEmpty)
  }

  @Test func `take away what killed writes left, and nothing that is in use or of others`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in [".backflow-1-1.part", ".backflow-1-2.part"] {
      try FileManager.default.createDirectory(
        atPath: path(name), withIntermediateDirectories: true)
      try write("half", to: "\(name)/1")
    }
    let others = ["movie.001.part", "a.npy.part", "thesis.npy.1x.part", "x.part"]
    for name in others + ["a.npy.4711.part"] { try write("half", to: name) }
    let used = open(path(".backflow-1-2.part"), O_RDONLY | O_DIRECTORY)
    try #require(used >= 0 && flock(used, LOCK_EX | LOCK_NB) == 0)
    defer { close(used) }
    try WholeFile.write(Data("1".utf8), to: path("b"))
    #expect(
      try everything == ([".backflow-1-2.part", ".backflow-1-2.part/1", "b"] + others).sorted())
  }

  @Test func `say what failed in the system's words`() throws {
    let failure = #expect(throws: WholeFile.Failure.self) {
      try WholeFile.write(Data(), to: "/proc/none/a")
    }
    #expect(failure?.path == "/proc/none/a" && failure?.description.contains("/") == false)
  }

  @Test func `that a command writes leave nothing when it is asked to stop`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let interruption = Interruption()
    interruption.request()
    try Interruption.$ofCommand.withValue(interruption) {
      #expect(throws: WholeFile.Failure.self) {
        try WholeFile.write(Data(count: 40 << 20), to: path("large"))
      }
    }
    #expect(try everything == [])
    try WholeFile.write(Data(count: 40 << 20), to: path("large"))
    #expect(try everything == ["large"])
  }
}
