import CommandLanguage
import Foundation
import Testing
import Transcripts

/// Sessions that nobody saved.
struct RecoveryTests {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "backflow-recovery-\(UUID().uuidString)")

  /// Leaves a session that began at a second of 1970: locked for as long as the result is held.
  private func leave(second: Int) throws -> Recovery {
    let recovery = Recovery(in: folder, start: Date(timeIntervalSince1970: Double(second)))
    var recorder = Recorder()
    let runner = CommandRunner(
      commands: ToyStudio.commands, workspace: ToyStudio(folder: folder.path))
    let execution = try #require(runner.run("let a = \(second)", line: 1))
    recorder.add(execution)
    try recovery.keep(recorder, after: execution, picturesFrom: folder.path, stamps: [])
    return recovery
  }

  private var sessions: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".session") }.sorted()
    }
  }

  @Test func `only the newest stay, and those that a prompt still writes`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let running = try leave(second: 0)
    for second in 1...Recovery.keptCount + 5 { _ = try leave(second: second) }
    let all = try sessions
    Recovery.prune(in: folder)
    #expect(try sessions == [all[0]] + all.suffix(Recovery.keptCount))
    #expect(running.holdsWork)
    #expect(Recovery.left(in: folder).count == Recovery.keptCount)
    #expect(Recovery.left(in: folder).isEmpty, "each is named once")
  }
}
