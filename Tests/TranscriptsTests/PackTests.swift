import Foundation
import Tensors
import TestSupport
import Testing
import Transcripts

struct `A pack` {
  private static let packs = Fixture("packs")
  static let refused: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: path("refused"))) ?? []).sorted()

  private static func path(_ name: String) -> String { packs.folder.appending(path: name).path }

  /// A recorded session with a picture and a ledger.
  private func recorded() throws -> Scratch {
    let scratch = try Scratch()
    try scratch.record(`A replay`.lines)
    try scratch.write("tensors", to: "first.ledger")
    return scratch
  }

  private func packed(_ scratch: Scratch) throws -> String {
    let path = "\(scratch.path)/first.zip"
    try SessionPack(collecting: scratch.paths).write(to: path)
    return path
  }

  @Test func `brings back the session, its pictures, ledger and stamp`() throws {
    let scratch = try recorded()
    let pack = try SessionPack(reading: packed(scratch))
    #expect(pack.name == "first")
    let paths = try pack.unpack(into: "\(scratch.path)/elsewhere")
    #expect(paths.file == "\(scratch.path)/elsewhere/first.session")
    for name in ["first.session", "first.ledger", "first/noisy-3.png"] {
      #expect(try scratch.read("elsewhere/\(name)") == scratch.read(name), "\(name)")
    }
    let stamp = try JSONSerialization.jsonObject(
      with: Data(scratch.read("elsewhere/first.stamp.json").utf8))
    let expected = try SessionFile(path: scratch.paths.file).stamps.map { ($0.key, $0.value) }
    #expect(stamp as? [String: String] == Dictionary(uniqueKeysWithValues: expected))
  }

  @Test func `leaves nothing of an earlier session of its name`() throws {
    let scratch = try recorded()
    let pack = try SessionPack(reading: packed(scratch))
    _ = try pack.unpack(into: "\(scratch.path)/elsewhere")
    for name in ["first.ledger", "first.curves.json", "first/old.png", "first.new"] {
      try scratch.write("of another session", to: "elsewhere/\(name)")
    }
    let paths = try pack.unpack(into: "\(scratch.path)/elsewhere")
    #expect(try scratch.read("elsewhere/first.ledger") == "tensors")
    #expect(
      try scratch.read("elsewhere/first.curves.json") == scratch.read("first.curves.json"))
    #expect(!scratch.exists("elsewhere/first/old.png"))
    #expect(scratch.exists("elsewhere/first.new") && scratch.exists("elsewhere/first/noisy-3.png"))
    #expect(paths.file == "\(scratch.path)/elsewhere/first.session")
  }

  @Test(arguments: ["first/noisy-3.png", "first", "first.ledger", "first.curves.json"])
  func `follows no symbolic link into it`(name: String) throws {
    let scratch = try recorded()
    let place = "\(scratch.path)/\(name)"
    try FileManager.default.moveItem(atPath: place, toPath: "\(scratch.path)/elsewhere")
    try FileManager.default.createSymbolicLink(
      atPath: place, withDestinationPath: "\(scratch.path)/elsewhere")
    #expect {
      try SessionPack(collecting: scratch.paths)
    } throws: { "\($0)".contains("\(name)") && "\($0)".contains("symbolic link") }
    // A replay reads none, either: what the link leads to is not compared.
    try? FileManager.default.removeItem(atPath: scratch.paths.ledger)
    if name == "first" || name.hasSuffix("png") {
      let report = try scratch.replay(
        ToyStudio(folder: scratch.out, pixels: "bbbbbbbbbbbb"))
      #expect(report.differences.first { $0.command == "view" }?.note == nil)
    }
  }

  @Test func `follows no symbolic link when a replay is accepted`() throws {
    let scratch = try Scratch()
    try scratch.record(["view"])
    _ = try scratch.replay(ToyStudio(folder: scratch.out, pixels: "bbbbbbbbbbbb"))
    let picture = "\(scratch.path)/first.new.pictures/noisy-3.png"
    try scratch.write("a secret", to: "secret")
    try FileManager.default.removeItem(atPath: picture)
    try FileManager.default.createSymbolicLink(
      atPath: picture, withDestinationPath: "\(scratch.path)/secret")
    #expect { _ = try Acceptance(scratch.paths).acceptAll() } throws: {
      "\($0)".contains("symbolic link")
    }
    #expect(try scratch.read("first/noisy-3.png") == "aaaaaaaaaaaa")
  }

  @Test func `of the same session has the same bytes`() throws {
    let scratch = try recorded()
    let first = try Data(contentsOf: URL(filePath: packed(scratch)))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: scratch.paths.file)
    let second = try Data(contentsOf: URL(filePath: packed(scratch)))
    #expect(first == second)
  }

  @Test func `is known by its bytes, not by its name`() throws {
    let scratch = try recorded()
    let zip = try packed(scratch)
    let renamed = "\(scratch.path)/renamed.session"
    try FileManager.default.moveItem(atPath: zip, toPath: renamed)
    #expect(SessionPack.isPack(renamed))
    #expect(try SessionPack(at: renamed).name == "first")
    #expect(!SessionPack.isPack(scratch.paths.file))
    #expect(!SessionPack.isPack("\(scratch.path)/nowhere"))
  }

  @Test(arguments: [("good", "toy"), ("stored", "toy"), ("other-letters", "größe 大")])
  func `that another program wrote is read, and written again`(
    _ file: String, _ name: String
  ) throws {
    let scratch = try Scratch()
    let pack = try SessionPack(reading: Self.path("\(file).zip"))
    #expect(pack.name == name)
    #expect(pack.source.hasPrefix("#! backflow session 1\n"))
    try pack.write(to: "\(scratch.path)/again.zip")
    #expect(try SessionPack(reading: "\(scratch.path)/again.zip").source == pack.source)
  }

  @Test func `has bad ones to refuse`() { #expect(Self.refused.count > 10) }

  @Test(arguments: refused)
  func `that holds what no session has is refused`(_ file: String) throws {
    #expect(throws: SessionError.self) {
      try SessionPack(reading: Self.path("refused/\(file)"), sizeLimit: 1 << 20)
    }
  }

  @Test func `that unpacks to more than the limit is refused, and named`() throws {
    #expect {
      try SessionPack(reading: Self.path("refused/bomb.zip"), sizeLimit: 1 << 20)
    } throws: { "\($0)".contains("more than 1 MiB") }
  }

  @Test func `that is damaged is an error or whole`() throws {
    let scratch = try recorded()
    let bytes = Array(try Data(contentsOf: URL(filePath: packed(scratch))))
    let whole = try SessionPack(collecting: scratch.paths)
    var refusals = 0
    for trial in 0..<400 {
      var damaged = bytes
      damage(&damaged, RandomStream(seed: 5, name: "pack\(trial)"))
      let path = "\(scratch.path)/damaged.zip"
      try Data(damaged).write(to: URL(filePath: path))
      do {
        let pack = try SessionPack(reading: path)
        #expect(pack.name != whole.name || pack.source.contains("backflow session"))
      } catch {
        refusals += 1
      }
    }
    #expect(refusals > 200)
  }

  @Test func `cannot be written into a folder that cannot be made`() throws {
    let scratch = try recorded()
    #expect(throws: SessionError.self) {
      try SessionPack(collecting: scratch.paths).write(to: "\(scratch.paths.file)/first.zip")
    }
  }
}
