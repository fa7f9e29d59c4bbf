import CommandLanguage
import Commands
import Figures
import Foundation
import Tensors
import Testing
import Transcripts

/// Every session in `sessions/` replays; `sessions/long/` is for people with time.
struct SessionReplayTests {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let sessions: [String] = {
    let folder = root.appending(path: "sessions")
    let all =
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?
      .compactMap { ($0 as? URL)?.path } ?? []
    return all.filter { $0.hasSuffix(".session") && !$0.contains("/long/") }.sorted()
  }()

  @Test func `there are sessions to replay`() {
    #expect(Self.sessions.count >= 3)
  }

  @Test(arguments: sessions)
  func `each session replays as recorded`(_ file: String) throws {
    let paths = SessionPaths(file: file)
    let session = TestSession(sessionFolder: URL(filePath: paths.folder))
    var replayer = Replayer(
      paths: paths, outputFolder: session.folder.path,
      stamps: [
        Stamp("backflow", "0.1.0"), Stamp("engine", engineDescription),
        Stamp("blas", blasDescription),
      ],
      pictures: PictureTools(
        fingerprint: { try? PictureFile(path: $0).sheet.pixelFingerprint },
        compare: { _, _ in .unknown }))
    replayer.writesNewRecord = false
    let report = try replayer.replay(on: session.runner)
    #expect(report.status == .success, "\(report.lines(file: paths.name).joined(separator: "\n"))")
    #expect(report.checked > 0)
    #expect(report.notChecked == 0)
  }

  static let chest = root.appending(path: "../shared/dicom/chest_philips_B_smooth")

  @Test(.enabled(if: FileManager.default.fileExists(atPath: chest.path)))
  func `on real chest CT the network beats the median`() throws {
    let file = Self.root.appending(path: "sessions/03-your-own-slices.session").path
    let session = TestSession(variables: ["data": Self.chest.path])
    let ending = SessionPlayer().play(try SessionFile(path: file), on: session.runner) { _, run in
      if let error = run.error { Issue.record("\(error.summary)") }
      return true
    }
    #expect(ending == .finished)
    #expect(abs(try session.number("baseline median", "noisy.psnr") - 36.7) < 0.1)
    #expect(abs(try session.number("baseline median", "baseline.psnr") - 42.5) < 0.1)
    #expect(try session.number("evaluate", "denoised.psnr") > 45)
  }
}
