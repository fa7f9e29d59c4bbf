import CT
import CommandLanguage
import Commands
import Figures
import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing

/// `load`, `series`, `save dicom` on files.
struct LoadingTests {
  /// Writes a series of the phantom below the session's folder.
  private func write(
    _ session: TestSession, patient: Int, number: Int, size: Int = 16, slices: Int = 3,
    to folder: String
  ) throws {
    let phantom = ThoraxPhantom(size: size, slices: slices, patients: 4)
    _ = try CTWriter.write(
      phantom.stack(patient: patient), to: session.folder.appending(path: folder).path,
      description: SeriesDescription(
        patient: patient + 1, seed: 1, pixelSpacing: phantom.pixelSpacing,
        sliceSpacing: phantom.sliceSpacing, seriesNumber: number, description: "Phantom"))
  }

  private func error(_ session: TestSession, _ line: String) -> CommandError? {
    #expect(throws: CommandError.self) { try session.run(line) }
  }

  // MARK: - Choosing a series

  @Test func `series that share a number are chosen by place or UID`() throws {
    let session = TestSession()
    for patient in 0..<3 { try write(session, patient: patient, number: 1, to: "ct") }
    let listed = try session.run("series ct")
    #expect(listed.lines[0].hasPrefix("place"))
    let found = error(session, "load ct series=1")
    #expect(found?.message == "3 series bear the number 1")
    #expect(found?.hint?.contains("series=#2") == true)
    #expect(found?.status == .badInput)

    try session.run("load ct series=#2")
    let second = try session.fingerprint("clean")
    guard case .array(let all)? = listed.result["series"], case .string(let uid)? = all[1]["uid"]
    else {
      Issue.record("no series listed")
      return
    }
    try session.run("load ct series=\(uid)")
    #expect(try session.fingerprint("clean") == second)
    try session.run("load ct series=all")
    #expect(try session.number("data", "slices") == 9)
    #expect(error(session, "load ct series=#4")?.message == "there is no such series")
    #expect(error(session, "load ct series=#0")?.message == "there is no such series")
    #expect(error(session, "load ct series=7")?.hint?.contains("series=#1 (3 slices") == true)
  }

  @Test func `series of different sizes ask for a choice`() throws {
    let session = TestSession()
    try write(session, patient: 0, number: 1, to: "ct")
    try write(session, patient: 0, number: 2, size: 20, to: "ct")
    let found = error(session, "load ct")
    #expect(found?.hint?.contains("series=2 (3 slices 20×20)") == true)
    try session.run("load ct series=2")
    #expect(try session.number("stats clean[0]", "shape.0") == 20)
  }

  @Test func `slices are counted through all series`() throws {
    let session = TestSession()
    try write(session, patient: 0, number: 1, to: "ct")
    try write(session, patient: 1, number: 2, to: "ct")
    try session.run("load ct")
    let wanted = try session.fingerprint("clean[2:5]")
    try session.run("load ct slices=2..4")
    #expect(try session.fingerprint("clean") == wanted)
    #expect(error(session, "load ct slices=2..6")?.hint == "0..5 exist")
  }

  @Test func `remarks on several series take one line a kind`() throws {
    let session = TestSession()
    for patient in 0..<2 { try write(session, patient: patient, number: patient, to: "ct") }
    let folder = session.folder.appending(path: "ct")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let url = folder.appending(path: name)
      var bytes = try Data(contentsOf: url)
      let yes = Data("CS".utf8) + Data([4, 0]) + Data("YES ".utf8)
      let place = try #require(bytes.range(of: yes))
      bytes.replaceSubrange(place, with: Data("CS".utf8) + Data([4, 0]) + Data("NO  ".utf8))
      try bytes.write(to: url)
    }
    let remark = "the file does not say that the patient's identity was removed"
    #expect(try session.run("load ct").warnings == [remark])
    #expect(try session.run("series ct").warnings == [remark])
  }

  /// Replaces bytes in every file of a folder by others of one length.
  private func replace(_ old: String, by new: String, in folder: String, _ session: TestSession)
    throws
  {
    #expect(old.utf8.count == new.utf8.count)
    let folder = session.folder.appending(path: folder)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let url = folder.appending(path: name)
      var bytes = try Data(contentsOf: url)
      while let place = bytes.range(of: Data(old.utf8)) {
        bytes.replaceSubrange(place, with: Data(new.utf8))
      }
      try bytes.write(to: url)
    }
  }

  @Test func `a series whose UID holds a date is listed and chosen by another`() throws {
    let session = TestSession()
    try write(session, patient: 0, number: 1, to: "ct")
    func uid() throws -> String {
      guard case .array(let all)? = try session.run("series ct").result["series"],
        case .string(let uid)? = all[0]["uid"]
      else { return "" }
      return uid
    }
    let old = try uid()
    let dated = "1.2.20190304101500." + String(repeating: "7", count: old.utf8.count - 19)
    try replace(old, by: dated, in: "ct", session)
    let shown = try uid()
    #expect(shown.hasPrefix("2.25.") && shown != old)
    for choice in [shown, dated] { try session.run("load ct series=\(choice)") }
  }

  @Test func `a secondary capture is saved as one, with a warning`() throws {
    let session = TestSession()
    try write(session, patient: 0, number: 1, slices: 1, to: "ct")
    try replace("1.2.840.10008.5.1.4.1.1.2", by: "1.2.840.10008.5.1.4.1.1.7", in: "ct", session)
    let loaded = try session.run("load ct/patient1-series1-0001.dcm")
    #expect(loaded.warnings == ["a secondary capture: a picture, no CT image"])
    let saved = try session.run("save dicom clean out")
    #expect(saved.warnings.contains { $0.contains("secondary capture") })
    let tags = try session.run("tags out/clean-series1-0001.dcm SOPClassUID").lines
    #expect(tags.last?.hasSuffix("1.2.840.10008.5.1.4.1.1.7") == true)
  }

  @Test func `a 16-bit picture uses its bits and names what is not finite`() throws {
    let session = TestSession()
    var values = (0..<64).map { Float($0) / 63 }
    func save() throws -> (outcome: Outcome, png: PNG) {
      let data = NPY.encode(Tensor<Float>(shape: [8, 8], scalars: values))
      try FileManager.default.createDirectory(
        at: session.folder, withIntermediateDirectories: true)
      try data.write(to: session.folder.appending(path: "a.npy"))
      try session.run("load a.npy")
      let outcome = try session.run("save image clean[0] a.png bits=16 replace=yes")
      return (outcome, try PNG(path: session.folder.appending(path: "a.png").path))
    }
    let whole = try save()
    #expect(whole.outcome.warnings.isEmpty)
    #expect((whole.png.picture.samples.min(), whole.png.picture.samples.max()) == (0, 65535))
    #expect(whole.png["Rescale"]?.hasPrefix("US = sample * 1.5259") == true)
    values[3] = .nan
    values[5] = .infinity
    values[6] = -.infinity
    #expect(
      try save().outcome.warnings == [
        "1 NaN and 2 infinite values: the picture shows NaN as the lowest grey level,"
          + " infinities as the lowest or highest"
      ])
    #expect(
      try session.run("save image clean[0] b.png").warnings.first?.contains("NaN as white") == true)
  }

  // MARK: - Limits, progress and Ctrl-C

  @Test func `the memory limit holds for all series together`() throws {
    let session = TestSession()
    try write(session, patient: 0, number: 1, size: 128, slices: 8, to: "ct")
    try write(session, patient: 1, number: 2, size: 128, slices: 8, to: "ct")
    // One series takes 640 KiB.
    try session.run("set limit.memory=1MiB")
    try session.run("load ct series=1")
    let before = try session.fingerprint("clean")
    let found = error(session, "load ct")
    #expect(found?.code == "too-large")
    #expect(found?.hint == "choose fewer slices, or raise limit.memory")
    #expect(try session.fingerprint("clean") == before)
    try session.run("load ct slices=6..9")
  }

  @Test func `loading reports its files and stops on request, changing nothing`() throws {
    let session = TestSession()
    try write(session, patient: 0, number: 1, slices: 20, to: "ct")
    let seen = Mutex<[String]>([])
    let interruption = Interruption()
    let runner = CommandRunner(
      commands: commandTable,
      workspace: Workspace(files: Files(script: session.folder, session: nil)),
      progress: { update in
        seen.withLock { $0.append(update.text) }
        if update.text == "load: 3 of 20 files" { interruption.request() }
      }, interruption: interruption, describe: commandError)
    _ = runner.run("phantom size=16 slices=1", line: 1)
    let execution = runner.run("load ct", line: 2)
    guard case .failure(let error)? = execution?.result else {
      Issue.record("loading was not stopped")
      return
    }
    #expect(error.code == "interrupted")
    #expect(error.status == .interrupted)
    let texts = seen.withLock { $0 }
    #expect(texts.contains("load: 20 of 20 headers"))
    #expect(!texts.contains("load: 20 of 20 files"))
    interruption.reset()
    guard case .success(let data)? = runner.run("data", line: 3)?.result else {
      Issue.record("the phantom is gone")
      return
    }
    #expect(data.result["slices"] == .integer(2))
  }

  // MARK: - Derived series

  @Test func `what is saved is read back`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=24 slices=3", "noise gaussian sigma=40HU", "conv", "train steps=1",
      "baseline median on=all",
    ])
    for name in ["clean", "noisy", "denoised", "baseline"] {
      let saved = try session.run("save dicom \(name) \(name)-series")
      #expect(saved.result["files"] == .integer(6))
      #expect(saved.result["series"] == .integer(2))
    }
    try session.run("let low = 0")
    for name in ["noisy", "denoised", "baseline", "clean"] {
      let other = TestSession(sessionFolder: session.folder)
      try other.run("load \(name)-series")
      let original = try session.number("stats \(name)", "mean")
      let read = try other.number("stats clean", "mean")
      #expect(abs(original - read) < 0.1)
      try session.run("save tensor \(name) \(name).npy")
      try other.run("save tensor clean clean.npy")
      let a = try NPY.decode(Data(contentsOf: session.folder.appending(path: "\(name).npy")))
      let b = try NPY.decode(Data(contentsOf: other.folder.appending(path: "clean.npy")))
      let worst = zip(a.scalars, b.scalars).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst <= 0.5 + 1e-3)
      #expect(try other.number("data", "patients") == 2)
    }
  }

  @Test func `slices and cropped slices are saved in their place`() throws {
    let session = TestSession()
    try session.run("phantom size=24 slices=4 patients=1")
    try session.run("save dicom clean[1:3] two")
    let part = try session.fingerprint("clean[1:3]")
    try session.run("load two")
    #expect(try session.fingerprint("clean") == part)
    try session.run("crop rows=2..9 columns=3..12")
    try session.run("save dicom clean[0] one")
    let tags = try session.run("tags one/clean-series1-0001.dcm ImagePosition").lines
    #expect(tags.last?.hasSuffix("-127.5\\-142.5\\60") == true)
  }

  @Test func `errors of saving say what to do`() throws {
    let session = TestSession()
    #expect(error(session, "save dicom clean out")?.code == .state)
    try session.run("phantom size=16 slices=2")
    #expect(error(session, "save dicom clean[0,1:3] out")?.code == .shape)
    #expect(error(session, "save dicom clean[9] out")?.code == "index")
    #expect(error(session, "save dicom net.in out")?.code == .wrongValue)
    #expect(error(session, "save dicom noisy out")?.code == .state)
    #expect(error(session, "save dicom clean ../out")?.code == .file)
    #expect(error(session, "save dicom clean /tmp/out")?.code == .file)
    try session.run("save tensor clean slices.npy")
    try session.run("load slices.npy")
    let found = error(session, "save dicom clean out")
    #expect(found?.message.contains("come from .npy") == true)
    #expect(found?.hint == "save tensor clean FILE.npy")
  }
}
