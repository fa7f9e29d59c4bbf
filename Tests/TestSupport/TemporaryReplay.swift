package import CommandLanguage
import Foundation
package import Ledgers
package import Transcripts

extension Replayer {
  /// Replays a session file into a temporary folder, which is removed afterwards, so that nothing is
  /// written beside the sessions of the project.
  ///
  /// - Parameters:
  ///   - file: The session file.
  ///   - stamps: The stamps of this machine and build.
  ///   - pictures: The functions that read and compare pictures.
  ///   - trace: Returns the changes of the runner's last command.
  ///   - makeRunner: Makes a runner that writes into the given folder.
  /// - Returns: The report.
  /// - Throws: `SessionError`, or an error of `makeRunner`.
  package static func replayInTemporaryFolder(
    _ file: String, stamps: [Stamp], pictures: PictureTools = .fingerprintsOnly,
    trace: (any LineRunner) -> Trace = { _ in Trace() },
    makeRunner: (_ outputFolder: String) throws -> any LineRunner
  ) throws -> ReplayReport {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "backflow-replay-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var replayer = Replayer(
      paths: SessionPaths(file: file), outputFolder: folder, stamps: stamps, pictures: pictures)
    replayer.writesNewRecord = false
    let runner = try makeRunner(folder)
    return try replayer.replay(on: runner, trace: { trace(runner) })
  }
}
