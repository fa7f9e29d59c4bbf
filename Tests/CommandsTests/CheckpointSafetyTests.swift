import CommandLanguage
import Commands
import Fingerprints
import Foundation
import Testing
import Transcripts

/// What a checkpoint may hold, and what a file may do.
struct CheckpointSafetyTests {
  private func error(_ session: TestSession, _ line: String) throws -> CommandError {
    try #require(#expect(throws: CommandError.self) { try session.run(line) })
  }

  /// Lines whose checkpoints earlier versions could not take up again, or took up otherwise.
  @Test(arguments: [
    [
      "phantom size=24 slices=3 patients=2", "noise gaussian sigma=40HU", "conv", "split",
      "train steps=2",
    ],
    ["net preset article-3a", "block channels=2 convs=2"],
    ["phantom size=32 slices=2 save=ct", "window file 2"],
    ["block channels=2", "block channels=3", "block channels=2", "flow standard", "net fork b"],
    [
      "block channels=2", "block channels=2", "block channels=2", "flow dilated as=far", "net new",
      "block channels=2", "block channels=3", "block channels=2", "block channels=4",
    ],
    [
      "phantom size=32 slices=4", "noise gaussian", "conv", "train steps=1 batch=2 patch=8",
      "phantom size=16 slices=1",
    ],
    [
      "phantom size=32 slices=4", "noise gaussian", "conv", "train steps=1 batch=2 patch=8",
      "net fork other", "crop rows=0..7",
    ],
    [
      "phantom size=32 slices=4", "noise gaussian", "conv", "train steps=1 batch=2 patch=8",
      "assign clean[0,0,0] = 5",
    ],
    [
      "phantom size=32 slices=4", "noise gaussian fresh", "crop slices=1..2 rows=3..20",
      "noise uniform",
    ],
    [
      "phantom size=32 slices=4", "noise gaussian", "assign noisy[0,1,1] = 3", "crop columns=0..15",
      "assign noisy[0,1,1] = 4", "assign clean[0,1,1] = 4",
    ],
  ])
  func `a checkpoint brings back what there was`(_ lines: [String]) throws {
    let session = TestSession()
    for line in lines { _ = try? session.run(line) }
    let saved = try session.run("checkpoint kept")
    #expect(saved.warnings == [])
    let restored = TestSession(sessionFolder: session.folder)
    try restored.run("restore kept")
    let (before, after) = (session.runner.workspace.state, restored.runner.workspace.state)
    #expect(before.kept.differences(from: after.kept) == [])
  }

  @Test func `a training that other slices interrupted does not go on with them`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=4", "noise gaussian", "conv", "net fork other",
      "train steps=1 batch=2 patch=8", "net use other", "train steps=1 batch=2 patch=8",
      "phantom size=16 slices=1", "noise gaussian", "net use main",
    ])
    #expect(try error(session, "continue").message == "there is no training to continue")
  }

  @Test func `a checkpoint says what it leaves out, and what cannot be restored now`() throws {
    let session = TestSession()
    try session.run(lines: ["tensor a = 2", "break nan"])
    #expect(
      try session.run("checkpoint small").remarks
        == ["not in a checkpoint: typed numbers, breakpoints"])
    try session.run(lines: ["phantom size=16 slices=2", "save tensor clean a.npy", "load a.npy"])
    try FileManager.default.removeItem(at: session.folder.appending(path: "a.npy"))
    let saved = try session.run("checkpoint lost")
    #expect(saved.warnings.joined().contains("could not be restored now"))
  }

  @Test func `weights that are not finite are said`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=16 slices=2", "noise gaussian", "conv", "optimizer sgd lr=1e30",
      "train steps=4 nan=keep",
    ])
    let warning = "2 of the parameters hold NaN or infinity, the first is c1.weight"
    #expect(try session.run("net save a.safetensors").warnings == [warning])
    #expect(try session.run("checkpoint a").warnings == [warning])
    try session.run(lines: ["net fork b", "net new", "conv"])
    #expect(try session.run("checkpoint b").warnings == ["b: \(warning)"])
  }

  // MARK: - What a file may do

  /// A checkpoint with some of its text replaced, and the digest made anew.
  private func forged(_ path: URL, _ old: String, _ new: String) throws -> Data {
    let data = try Data(contentsOf: path)
    let start = try #require(data.firstIndex(of: UInt8(ascii: "\n"))) + 1
    let count = data[start..<start + 8].enumerated().reduce(0) { $0 + Int($1.1) << (8 * $1.0) }
    let header = String(decoding: data[(start + 8)..<(start + 8 + count)], as: UTF8.self)
    let changed = header.replacing(old, with: new)
    #expect(changed != header)
    var body = Data((0..<8).map { UInt8(truncatingIfNeeded: changed.utf8.count >> (8 * $0)) })
    body += Data(changed.utf8) + data[(start + 8 + count)...]
    let digest = body.withUnsafeBytes { SHA256Digest(of: $0) }
    return Data("backflow checkpoint 1 sha256:\(digest)\n".utf8) + body
  }

  @Test(arguments: ["phantom", "noise"])
  func `a checkpoint from elsewhere writes nothing, at a person's prompt either`(
    _ place: String
  ) throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=16 slices=1 patients=1", "noise gaussian sigma=40HU", "conv", "checkpoint good",
    ])
    let outside = FileManager.default.temporaryDirectory.appending(
      path: "evil-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: outside) }
    let data = try forged(
      session.folder.appending(path: "good.checkpoint"),
      place == "phantom" ? "patients=1 seed=1" : "noise gaussian sigma=40HU",
      place == "phantom"
        ? "patients=1 seed=1 save=\(outside.path)" : "phantom size=16 save=\(outside.path)")
    let forged = session.folder.appending(path: "evil.checkpoint")
    try data.write(to: forged)
    let runner = CommandRunner.session(files: Files(person: session.folder))
    let error = try #require(runner.run("restore \(forged.path)", line: 1)?.error)
    #expect(error.message.contains("must not make others be written"), "\(error.message)")
    #expect(!FileManager.default.fileExists(atPath: outside.path))
    #expect(
      try runner.workspace.state.kept == Workspace(files: Files(person: session.folder)).state.kept)
    // A person's own lines go on as before.
    #expect(runner.run("phantom size=16 slices=1 save=\(outside.path)", line: 2)?.error == nil)
  }

  @Test(.enabled(if: SharedFaults.escape != nil))
  func `the checkpoint that was found in the field writes nothing at home`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "home-\(UUID().uuidString)")
    let runner = CommandRunner.session(files: Files(person: folder))
    let path = try #require(SharedFaults.escape)
    let home = FileManager.default.homeDirectoryForCurrentUser.appending(path: "evilhome").path
    let before = try? FileManager.default.attributesOfItem(atPath: home)[.modificationDate] as? Date
    #expect(runner.run("restore \(path)", line: 1)?.error != nil)
    let after = try? FileManager.default.attributesOfItem(atPath: home)[.modificationDate] as? Date
    #expect(after == before)
  }

  @Test func `a session file that a person runs writes as a script may`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)")
    let outside = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString)")
    defer {
      try? FileManager.default.removeItem(at: folder)
      try? FileManager.default.removeItem(at: outside)
    }
    let runner = CommandRunner.session(files: Files(person: folder))
    var lines = ["phantom size=16 slices=1", "save tensor clean \(outside.path)/a.npy"]
    runner.readSession = { _ in
      try SessionFile(text: lines.joined(separator: "\n"), name: "it").asLines(called: "it")
    }
    let error = try #require(runner.run("run it", line: 1)?.error)
    #expect(error.message.contains("a script writes below its output folder only"))
    lines = ["phantom size=16 slices=1", "save tensor clean a.npy", "set limit.disk=1GiB"]
    #expect(runner.run("run it", line: 2)?.error == nil)
    #expect(FileManager.default.fileExists(atPath: folder.appending(path: "a.npy").path))
    #expect(!runner.workspace.files.isConfined)
    // What the file lowered stays; the person may raise it again.
    #expect(runner.run("set limit.disk=none", line: 3)?.error == nil)
    #expect(runner.run("save tensor clean \(outside.path)/b.npy", line: 4)?.error == nil)
  }

  // MARK: - Limits

  @Test func `limits can be taken off, and are not cut silently`() throws {
    let session = TestSession()
    try session.run("set limit.memory=1MiB limit.seconds=5")
    #expect(try error(session, "phantom size=512 slices=4").code == .limit)
    try session.run("set limit.memory=none limit.seconds=off")
    try session.run("phantom size=512 slices=1 patients=1")
    #expect(
      try session.run("set").lines.contains { $0.contains("limit.seconds") && $0.contains("none") })
    #expect(
      try error(session, "set limit.memory=0.3B").message.contains("no whole number of bytes"))
    #expect(try error(session, "set limit.memory=0").hint?.contains("none") == true)
    #expect(try error(session, "set limit.disk=none").message == "a script cannot raise its limit")
    let remarks = try session.run("set limit.memory=100000GiB").remarks
    #expect(remarks.joined().contains("four fifths of this machine's memory hold"))
    let before = session.runner.workspace.state
    try session.run(lines: ["set limit.disk=40KiB", "undo"])
    #expect(session.runner.workspace.state == before)
  }
}

/// Small inputs that broke earlier versions, where they lie beside the checkout.
private enum SharedFaults {
  static let escape: String? = {
    var url = URL(filePath: #filePath)
    while url.path != "/",
      !FileManager.default.fileExists(atPath: url.appending(path: "Package.swift").path)
    {
      url.deleteLastPathComponent()
    }
    let path = url.deletingLastPathComponent()
      .appending(path: "shared/faults/sessions/restore-escape.checkpoint").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()
}
