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

  @Test func `the file grows by what is new, and is the whole record after each command`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let recovery = Recovery(in: folder)
    var recorder = Recorder()
    let runner = CommandRunner(
      commands: ToyStudio.commands, workspace: ToyStudio(folder: folder.path))
    var numbers: Set<Int> = []
    for line in 1...50 {
      let execution = try #require(runner.run("let a = \(line)", line: line))
      recorder.add(execution)
      // A seed that is set later stands in the header.
      let stamps = [Stamp("seed", line < 20 ? "1" : "2")]
      try recovery.keep(recorder, after: execution, picturesFrom: folder.path, stamps: stamps)
      recovery.settle()
      let text = try String(contentsOfFile: recovery.paths.file, encoding: .utf8)
      #expect(text == recorder.text(stamps: stamps))
      var status = stat()
      #expect(stat(recovery.paths.file, &status) == 0)
      numbers.insert(Int(status.st_ino))
    }
    #expect(numbers.count <= 2, "another header makes another file, another command does not")
    try FileManager.default.removeItem(atPath: recovery.paths.file)
    let execution = try #require(runner.run("let a = 0", line: 51))
    recorder.add(execution)
    try recovery.keep(recorder, after: execution, picturesFrom: folder.path, stamps: [])
    let text = try String(contentsOfFile: recovery.paths.file, encoding: .utf8)
    #expect(text == recorder.text(stamps: []))
  }

  @Test(arguments: ["> let b", "> let b = \\\n", "> let b = \\\n> 2 \\\n>", "out"])
  func `half a command at the end of a file that was left is taken off`(torn: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file: String
    do { file = try leave(second: 0).paths.file }
    let whole = try String(contentsOfFile: file, encoding: .utf8)
    try Data((whole + torn).utf8).write(to: URL(filePath: file))
    #expect(Recovery.left(in: folder).map(\.file) == [file])
    #expect(try String(contentsOfFile: file, encoding: .utf8) == whole)
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
