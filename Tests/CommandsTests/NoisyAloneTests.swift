import CommandLanguage
import Commands
import Foundation
import Testing

/// Noisy slices without clean ones, and pairs of both.
struct NoisyAloneTests {
  /// A folder with clean and noisy series of two patients, and a network that was trained on them.
  private static func trained() throws -> TestSession {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=5 save=full", "noise gaussian sigma=40HU",
      "save dicom noisy quarter", "save tensor noisy quarter.npy", "save tensor clean full.npy",
      "conv channels=2", "conv", "train steps=2", "net save net.safetensors",
    ])
    return session
  }

  private func error(_ session: TestSession, _ line: String) throws -> CommandError {
    try #require(#expect(throws: CommandError.self) { try session.run(line) })
  }

  /// The value behind an attribute of a file.
  private func tag(_ session: TestSession, _ file: String, _ word: String) throws -> String {
    guard case .array(let all)? = try session.run("tags \(file) \(word)").result["tags"],
      let found = all.first(where: { $0["keyword"] == .string(word) }),
      case .string(let value)? = found["value"]
    else { return "" }
    return value
  }

  /// Whether a file below a session's folder holds a text; `tags` hides free texts.
  private func holds(_ session: TestSession, _ file: String, _ text: String) throws -> Bool {
    try Data(contentsOf: session.folder.appending(path: file)).range(of: Data(text.utf8)) != nil
  }

  @Test func `are denoised, shown and saved, and judged by nothing`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    let loaded = try session.run("load quarter series=all as=noisy")
    #expect(loaded.lines.contains { $0.hasPrefix("noisy  10 slices 32×32 · 2 patients · HU") })
    #expect(loaded.lines.last == "no clean slices: they can be denoised, not judged or trained on")
    try session.run("net load net.safetensors")
    let denoised = try session.run("denoise")
    #expect(denoised.lines.count == 1 && !denoised.lines[0].contains("psnr"))
    for line in [
      "save dicom denoised out", "save dicom noisy copy", "panel noisy[0] denoised[0]",
      "view noisy[1]", "view denoised[1]", "show noisy[0,3:5,3:5]", "stats denoised",
      "window lung", "window file", "data", "hist noisy", "plot noisy[0]", "net show",
      "plot denoised[0,16] noisy[0,16]", "plot noisy[0,16] along=mm",
      "save image denoised[0] a.png", "save image noisy[0] b.png bits=16",
      "save tensor denoised[0] a.npy", "baseline median", "stats baseline", "scale minmax",
      "split by=patient", "crop rows=4..19 columns=8..23", "denoise on=test",
      "assign noisy[0,1,1] = 5", "save animation noisy a.gif", "undo", "gradcheck samples=2",
    ] {
      _ = try session.run(line)
    }
    #expect(try session.number("stats noisy", "shape.2") == 16)
    for line in ["evaluate", "train steps=1", "stats clean", "noise gaussian"] {
      let found = try error(session, line)
      #expect(found.message.contains("there is no clean image"), "\(line): \(found.message)")
      #expect(found.hint?.contains("load PATH") == true)
    }
    #expect(try error(session, "expect noisy.psnr > 1").message.contains("noisy"))
  }

  @Test func `have no figures in a panel, which says so`() throws {
    let source = try Self.trained()
    let alone = TestSession(sessionFolder: source.folder)
    let pair = TestSession(sessionFolder: source.folder)
    try pair.run("load full")
    var pictures: [JSONValue?] = []
    for session in [alone, pair] {
      try session.run(lines: ["load quarter as=noisy", "net load net.safetensors"])
      let panel = try session.run("panel noisy[1] denoised[1]")
      pictures.append(panel.result["px"])
      #expect(
        panel.remarks
          == (session === alone ? ["no figures: there is no clean image to judge by"] : []))
    }
    #expect(pictures[0] != pictures[1], "beside clean ones, figures are burned in")
  }

  @Test func `that hold NaN are found by diagnose`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    try session.run(lines: [
      "load quarter as=noisy", "net load net.safetensors", "assign noisy[2, 3, 4] = 0/0",
    ])
    let lines = try session.run("diagnose").lines
    #expect(lines.first?.contains("1 of the noisy slices hold NaN") == true, "\(lines)")
    #expect(lines.contains { $0.contains("try: assign noisy[2] = 0") }, "\(lines)")
  }

  @Test func `give the same numbers as beside clean ones`() throws {
    let source = try Self.trained()
    let alone = TestSession(sessionFolder: source.folder)
    let pair = TestSession(sessionFolder: source.folder)
    try pair.run("load full")
    for session in [alone, pair] {
      try session.run(lines: ["load quarter as=noisy", "net load net.safetensors"])
    }
    for name in ["noisy", "denoised"] {
      #expect(try alone.fingerprint(name) == pair.fingerprint(name))
    }
  }

  @Test func `become pairs when the clean ones are loaded`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    try session.run("load quarter as=noisy")
    let noisy = try session.fingerprint("noisy")
    let loaded = try session.run("load full")
    #expect(loaded.lines.contains { $0.hasPrefix("noisy  rmse ") })
    #expect(loaded.warnings == [])
    #expect(try session.fingerprint("noisy") == noisy)
    let other = TestSession(sessionFolder: source.folder)
    try other.run(lines: ["load quarter series=1001 as=noisy"])
    let gone = try other.run("load full series=2")
    #expect(gone.warnings.joined().contains("another patient"))
    #expect(try error(other, "stats noisy").message.contains("no noisy slices"))
  }

  @Test func `a derived series says what was done, and to which files`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    try session.run(lines: [
      "load quarter as=noisy", "net load net.safetensors", "save dicom denoised out",
      "baseline median size=5 on=all", "save dicom baseline filtered",
    ])
    let text =
      "Backflow: values of the noisy file as loaded, then denoised by a convolutional "
      + "network (c1 c2, 39 weights, output plain); not for diagnosis"
    #expect(try holds(session, "out/denoised-series1-0001.dcm", text))
    #expect(
      try holds(
        session, "filtered/baseline-series1-0001.dcm",
        "as loaded, then filtered by a median filter of 5×5 pixels; not for diagnosis"))
    let reference = try tag(session, "out/denoised-series1-0001.dcm", "ReferencedSOPInstanceUID")
    #expect(!reference.isEmpty)
    #expect(try reference == tag(session, "quarter/noisy-series1-0001.dcm", "SOPInstanceUID"))
    #expect(
      try holds(
        source, "quarter/noisy-series1-0001.dcm",
        "Backflow: normal noise of σ 40 HU (seed 1) added to the source; not for diagnosis"))
    try source.run(lines: ["assign clean[0,0,0] = 7", "save dicom clean hand"])
    #expect(
      try holds(
        source, "hand/clean-series1-0001.dcm", "values of the source, some replaced by hand"))
  }

  @Test func `pairs are matched by position, and a shift is said`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    try session.run("load full slices=0..3")
    let wanted = try session.fingerprint("clean[1:4]")
    let loaded = try session.run("load quarter slices=1..4 as=noisy")
    #expect(loaded.warnings.contains { $0.contains("shifted by 1 slice (") })
    #expect(loaded.warnings.contains("1 of 4 clean slices has no counterpart and is left out"))
    #expect(loaded.warnings.contains("1 of 4 noisy slices has no counterpart and is left out"))
    #expect(try session.fingerprint("clean") == wanted)
    #expect(
      loaded.lines.contains { $0.hasPrefix("noisy  rmse 4") || $0.hasPrefix("noisy  rmse 3") })
    try session.run("checkpoint shifted")
    let restored = TestSession(sessionFolder: source.folder)
    try restored.run("restore \(session.folder.path)/shifted")
    #expect(restored.runner.workspace.state == session.runner.workspace.state)
    let far = TestSession(sessionFolder: source.folder)
    try far.run("load full slices=0..1")
    let before = far.runner.workspace.state
    let found = try error(far, "load quarter slices=3..4 as=noisy")
    #expect(found.message.contains("no noisy slice lies where a clean one does"))
    #expect(found.hint?.contains("pair=no") == true)
    #expect(far.runner.workspace.state == before)
    try far.run("load full series=1")
    let person = try error(far, "load quarter series=1002 as=noisy")
    #expect(person.message.contains("another patient"), "\(person.message)")
    try far.run("load quarter series=1002 as=noisy pair=order")
    try far.run("load quarter series=1002 as=noisy pair=no")
    #expect(try error(far, "stats clean").message.contains("no clean image"))
  }

  @Test func `arrays are matched by shape`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    try session.run("load full.npy")
    let loaded = try session.run("load quarter.npy as=noisy")
    #expect(loaded.warnings == [])
    #expect(loaded.remarks == ["matched in their order: positions were not compared"])
    #expect(
      try session.run("data").lines.contains {
        $0.hasPrefix("noisy  rmse 4") || $0.hasPrefix("noisy  rmse 3")
      })
  }

  @Test func `crop keeps pairs, and says what it wants`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    try session.run(lines: ["load full", "load quarter as=noisy", "split by=patient"])
    let noisy = try session.fingerprint("noisy[:, 4:12, 8:20]")
    let kept = try session.run("crop rows=4..11 columns=8..19")
    #expect(try session.fingerprint("noisy") == noisy)
    #expect(kept.warnings == [])
    #expect(try session.run("data").lines.contains { $0.hasPrefix("split") })
    let cut = try session.run("crop slices=2..6")
    #expect(cut.warnings.joined().contains("the split is cleared"))
    #expect(try session.number("stats noisy", "shape.0") == 5)
    let found = try error(session, "crop")
    #expect(found.message == "crop needs slices=, rows= or columns=")
    #expect(found.hint?.contains("5 × [8,12]") == true)
  }

  @Test func `are trained on by no hint`() throws {
    let source = try Self.trained()
    let session = TestSession(sessionFolder: source.folder)
    try session.run(lines: ["load quarter as=noisy", "conv"])
    for line in [
      "explain c1.z[0,0,5,5]", "stats c1.weight.m", "plot loss", "save animation denoised[0] a.gif",
      "plot gradients", "backward", "explain denoised[0,1,1]",
    ] {
      let found = try error(session, line)
      #expect(found.hint?.contains("train first") == false, "\(line): \(found.summary)")
      #expect(
        found.hint?.contains(#/load PATH|target=noisy\[0\]/#) == true, "\(line): \(found.summary)")
    }
    try session.run(lines: ["forward noisy[0] target=noisy[0]", "explain c1.z[0,0,5,5]"])
  }
}
