import CommandLanguage
import Commands
import Figures
import Foundation
import Ledgers
import TestSupport
import Testing
import Transcripts

// What the pages say is run. Fenced blocks are read by their info string:
//
// - `session`: a transcript. The blocks of a page go on in one workspace, in order.
// - `session shown=FILE`: the commands of a session file; only what comes before its first training
//   runs again.
// - `error`: commands that fail at this place of the page, with caret and message.
// - `replay [OLD NEW]`: the report of a replay of the session saved at this place of the page,
//   after OLD was altered to NEW in it.
//
// With BACKFLOW_RECORD=1 in the environment, the tests write what comes back into the pages, and
// fail so that nobody records by accident.

struct `The documentation` {
  static let pages = ["README.md"] + Repository.files(in: "docs", ending: ".md")
  static let withTranscripts = pages.filter { Page($0).blocks("session").contains { !$0.isShown } }
  static let withErrors = pages.filter { !Page($0).blocks("error").isEmpty }
  static let withReplays = pages.filter { !Page($0).blocks("replay").isEmpty }

  @Test func `has transcripts, errors and replays to check`() {
    #expect(Self.withTranscripts.contains("docs/getting-started.md"))
    #expect(!Self.withErrors.isEmpty && !Self.withReplays.isEmpty)
    #expect(Page("README.md").blocks("session").contains { $0.isShown })
  }

  // MARK: - Transcripts

  @Test(arguments: withTranscripts) func `shows what its commands give`(path: String) throws {
    let page = Page(path)
    let play = try PagePlay(page)
    if Repository.isRecording { return try page.record(play) }
    let recorded = play.session.entries.flatMap(\.outputs).count
    #expect(
      play.report.differences.isEmpty,
      "\(play.report.lines(file: path).joined(separator: "\n"))")
    #expect(play.report.status == .success)
    #expect(play.report.checked + play.report.tolerated == recorded)
    #expect(play.report.notComparable + play.report.notChecked == 0)
  }

  @Test(arguments: withTranscripts) func `would not show another digit`(path: String) throws {
    var altered: [Int] = []
    let play = try PagePlay(Page(path)) { number, line in
      guard !line.hasPrefix("[png"), let other = line.withAnotherDigit else { return line }
      altered.append(number)
      return other
    }
    #expect(altered.count > 20)
    let noticed = Set(play.report.differences.map(\.line))
    #expect(altered.filter { !noticed.contains($0) } == [])
  }

  @Test(arguments: withErrors) func `shows errors as they come`(path: String) throws {
    let page = Page(path)
    let play = try PagePlay(page)
    for block in page.blocks("error") {
      let failures = play.failures[block.start] ?? []
      #expect(failures.count > 0 && failures.count == block.exchanges.count)
      for ((command, shown), failure) in zip(block.exchanges, failures) {
        #expect(shown == failure, "\(path):\(block.start): \(command)")
      }
    }
  }

  @Test(arguments: withReplays) func `shows replays as they go`(path: String) throws {
    let page = Page(path)
    let play = try PagePlay(page)
    for block in page.blocks("replay") {
      let report = try play.replaySaved(before: block)
      #expect(Array(block.lines.dropFirst()) == report, "\(path):\(block.start)")
    }
  }

  @Test(arguments: pages) func `shows the pictures that its commands make`(path: String) throws {
    let page = Page(path)
    let named = page.blocks("session").flatMap(\.fingerprints)
    // Screens and measured times are not what commands make.
    let others = try ["Scripts/make-screenshots", "Benchmarks/growth"].map {
      try String(contentsOfFile: Repository.path($0), encoding: .utf8)
    }.joined()
    let pictures = page.links.filter { link in
      link.hasSuffix(".png") && !others.contains("/\(URL(filePath: link).lastPathComponent)\"")
    }
    let shown = try pictures.map { link in
      try PNG(path: Repository.path(page.resolved(link))).picture.pixelFingerprint
    }
    // Others come from the sessions that the page links.
    let linked = try page.links.filter { $0.hasSuffix(".session") }.map { link in
      try String(contentsOfFile: Repository.path(page.resolved(link)), encoding: .utf8)
    }
    #expect(Set(named).isSubset(of: shown))
    for picture in Set(shown).subtracting(named) {
      #expect(linked.contains { $0.contains("px:\(picture)]") }, "\(picture)")
    }
    for link in page.links where link.hasSuffix(".png") {
      let size = try Data(contentsOf: URL(filePath: Repository.path(page.resolved(link)))).count
      #expect(size < 300_000, "\(link)")
    }
  }

  @Test func `of the demo shows its session`() throws {
    let page = Page("README.md")
    let block = try #require(page.blocks("session").first { $0.isShown })
    let session = try SessionFile(path: Repository.path(try #require(block.shownFile)))
    if Repository.isRecording { return try page.record(block, session) }
    let shown = try SessionFile(text: block.lines.joined(separator: "\n"))
    #expect(shown.entries.map(\.command) == session.entries.map(\.command))
    if !session.isScript {
      // Times and speeds stand in <…> and differ from run to run.
      let texts = [shown, session].map { file in
        file.entries.map { $0.outputs.map { $0.text.replacing(/<[^>]*>/, with: "<>") } }
      }
      #expect(texts[0] == texts[1])
    }
    let training = try #require(shown.entries.first { $0.command.hasPrefix("train") })
    let play = try PagePlay(page, blocks: [block], until: block.start + training.line - 1)
    #expect(play.report.differences.isEmpty, "\(play.report.lines(file: page.path))")
    let before = shown.entries.filter { $0.line < training.line }.flatMap(\.outputs).count
    #expect(before > 10 && play.report.checked + play.report.tolerated == before)
  }

  // MARK: - Reference and links

  @Test func `of the commands is what the program prints`() throws {
    let reference = Reference.markdown(commandTable.map(\.spec))
    let path = Repository.path("docs/commands.md")
    if Repository.isRecording {
      try Data(reference.utf8).write(to: URL(filePath: path))
      Issue.record("docs/commands.md was recorded")
      return
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == reference)
  }

  @Test(arguments: commandTable.map(\.spec.name)) func `names each command`(name: String) {
    #expect(Page("docs/commands.md").lines.contains("### \(name)"))
  }

  @Test(arguments: pages + ["NOTICE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
  func `has links that lead somewhere`(path: String) {
    let page = Page(path)
    for link in page.links where !link.hasPrefix("http") {
      let parts = link.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
      let target = parts[0].isEmpty ? path : page.resolved(parts[0])
      #expect(Repository.exists(target), "\(path): \(link)")
      if parts.count > 1 {
        #expect(Page(target).anchors.contains(parts[1]), "\(path): \(link)")
      }
    }
  }

  @Test(arguments: pages + ["CONTRIBUTING.md"])
  func `names files and make targets that exist`(path: String) throws {
    let page = Page(path)
    let targets = Set(
      try String(contentsOfFile: Repository.path("Makefile"), encoding: .utf8)
        .matches(of: /(?m)^([a-z]+):/).map { String($0.output.1) })
    for name in page.codeWords {
      if let match = name.wholeMatch(of: /make ([a-z]+)/) {
        #expect(targets.contains(String(match.output.1)), "\(path): \(name)")
      }
      if name.contains(/^(Sources|Tests|sessions|docs|Scripts)\/[^ <>…*]*$/) {
        #expect(Repository.exists(name), "\(path): \(name)")
      }
    }
  }
}

// MARK: - Pages

/// The repository that the tests were built from.
private enum Repository {
  static let isRecording = ProcessInfo.processInfo.environment["BACKFLOW_RECORD"] == "1"

  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func path(_ name: String) -> String {
    root.appending(path: name).standardizedFileURL.path
  }

  static func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path(name))
  }

  static func files(in folder: String, ending: String) -> [String] {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: path(folder))) ?? []
    return names.filter { $0.hasSuffix(ending) }.sorted().map { "\(folder)/\($0)" }
  }
}

/// A page of the documentation.
private struct Page {
  /// A fenced block with an info string.
  struct Block {
    /// The words of the info string.
    let words: [String]
    /// The number of its first line in the page, from 1.
    let start: Int
    let lines: [String]

    /// The session file whose commands it shows.
    var shownFile: String? {
      words.first { $0.hasPrefix("shown=") }.map { String($0.dropFirst("shown=".count)) }
    }

    var isShown: Bool { shownFile != nil }

    /// The fingerprints of the pictures that its transcript names.
    var fingerprints: [String] {
      lines.compactMap { $0.firstMatch(of: /^\[png .* px:(.+)\]$/).map { String($0.output.1) } }
    }

    /// Commands of one line, each with the lines that follow it.
    var exchanges: [(command: String, shown: [String])] {
      lines.reduce(into: []) { exchanges, line in
        if line.hasPrefix("> ") {
          exchanges.append((String(line.dropFirst(2)), []))
        } else if !exchanges.isEmpty {
          exchanges[exchanges.count - 1].shown.append(line)
        }
      }
    }
  }

  let path: String
  let lines: [String]

  init(_ path: String) {
    self.path = path
    let text = (try? String(contentsOfFile: Repository.path(path), encoding: .utf8)) ?? ""
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The fenced blocks whose info string begins with `word`.
  func blocks(_ word: String) -> [Block] { allBlocks.filter { $0.words.first == word } }

  private var allBlocks: [Block] {
    var blocks: [Block] = []
    var open: (words: [String], start: Int)?
    for (index, line) in lines.enumerated() where line.hasPrefix("```") {
      if let (words, start) = open {
        blocks.append(Block(words: words, start: start + 1, lines: Array(lines[start..<index])))
        open = nil
      } else {
        open = (line.dropFirst(3).split(separator: " ").map(String.init), index + 1)
      }
    }
    return blocks
  }

  /// The lines outside fenced blocks.
  private var prose: [String] {
    let inside = Set(allBlocks.flatMap { $0.start - 1...$0.start + $0.lines.count })
    return lines.indices.filter { !inside.contains($0 + 1) }.map { lines[$0] }
  }

  /// What `[…](…)` leads to.
  var links: [String] {
    prose.flatMap { $0.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) } }
  }

  /// What stands in backticks.
  var codeWords: [String] {
    prose.flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.output.1) } }
  }

  /// The anchors of the headings, as GitHub makes them.
  var anchors: [String] {
    prose.filter { $0.hasPrefix("#") }.map { heading in
      heading.drop { $0 == "#" || $0 == " " }.lowercased()
        .filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }.replacing(" ", with: "-")
    }
  }

  /// A link of this page as a path of the repository.
  func resolved(_ link: String) -> String {
    ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent(link)
  }

  /// The text of `blocks` with everything else left blank, so that line numbers stay.
  func session(_ blocks: [Block]) -> [String] {
    var text = [String](repeating: "", count: lines.count)
    for block in blocks {
      text.replaceSubrange(block.start - 1..<block.start - 1 + block.lines.count, with: block.lines)
    }
    return text
  }
}

extension String {
  /// The line with its last digit outside `<…>` replaced by one five off; nil without a digit.
  fileprivate var withAnotherDigit: String? {
    var characters = Array(self)
    var isVolatile = false
    for i in characters.indices.reversed() {
      if characters[i] == ">" { isVolatile = true }
      if characters[i] == "<" { isVolatile = false }
      if !isVolatile, characters[i].isASCII, let digit = characters[i].wholeNumberValue {
        characters[i] = Character("\((digit + 5) % 10)")
        return String(characters)
      }
    }
    return nil
  }
}

// MARK: - Playing a page

/// The transcripts of a page, run once in a temporary folder.
private final class PagePlay {
  let runner: CommandRunner<Workspace>
  let session: SessionFile
  let report: ReplayReport
  let executions: [Execution]
  /// What each of them changed.
  let traces: [Trace]
  /// What the commands of error blocks gave, by the first line of the block.
  let failures: [Int: [[String]]]
  let folder: String

  /// Runs the blocks of `page` and compares; `alter` may change a recorded line of output first.
  init(
    _ page: Page, blocks: [Page.Block]? = nil, until line: Int? = nil,
    alter: (_ number: Int, _ line: String) -> String = { $1 }
  ) throws {
    folder =
      FileManager.default.temporaryDirectory
      .appending(path: "documentation-\(UUID().uuidString)").path
    let output = folder + "/out"
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    let paths = SessionPaths(file: folder + "/page.session")
    try? FileManager.default.copyItem(
      atPath: Repository.path("docs/pictures"), toPath: paths.pictures)
    let text = page.session(blocks ?? page.blocks("session").filter { !$0.isShown })
      .enumerated().map { index, line in
        line.isEmpty || line.hasPrefix("> ") ? line : alter(index + 1, line)
      }.joined(separator: "\n")
    try Data(text.utf8).write(to: URL(filePath: paths.file))
    session = try SessionFile(path: paths.file)
    runner = Self.makeRunner(output)
    // No stamp: numbers agree to one unit of the last written digit, also after a training, since
    // the trainings of the pages are short.
    var replayer = Replayer(
      paths: paths, outputFolder: output, stamps: [], pictures: .nearlyEqual,
      player: SessionPlayer(stopLine: line))
    replayer.writesNewRecord = false
    replayer.comparesTrainings = true
    var executions: [Execution] = []
    var traces: [Trace] = []
    var failures: [Int: [[String]]] = [:]
    let commands = session.entries.map(\.line)
    report = try replayer.replay(
      on: runner, trace: { [runner] in Trace.taken(from: runner) }
    ) { [runner] execution, trace in
      executions.append(execution)
      traces.append(trace)
      let next = commands.first { $0 > execution.line } ?? .max
      for block in page.blocks("error") where (execution.line..<next).contains(block.start) {
        failures[block.start] = block.exchanges.map { command, _ in
          runner.run(command, line: block.start)?.error?.rendered ?? ["no error"]
        }
      }
    }
    (self.executions, self.traces, self.failures) = (executions, traces, failures)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  static func makeRunner(_ output: String) -> CommandRunner<Workspace> {
    .session(files: Files(script: URL(filePath: output), session: nil))
  }

  /// Stamps as many as those of the program, whose lines come before the first command.
  private static let stamps = [
    Stamp("backflow", "0"), Stamp("seed", "1"), Stamp("engine", "here"), Stamp("blas", "here"),
    Stamp("drawing", "here"), Stamp("threads", "1"), Stamp("cpu", "here"),
  ]

  /// The report of a replay of what ran before `block`, saved and then altered as it says.
  func replaySaved(before block: Page.Block) throws -> [String] {
    var recorder = Recorder()
    for (execution, trace) in zip(executions, traces) where execution.line < block.start {
      recorder.add(execution, trace)
    }
    let paths = SessionPaths(file: "\(folder)/saved-\(block.start).session")
    try recorder.save(to: paths, picturesFrom: folder + "/out", stamps: Self.stamps)
    if block.words.count == 3 {
      let text = try String(contentsOfFile: paths.file, encoding: .utf8)
      #expect(text.contains(block.words[1]))
      try Data(text.replacing(block.words[1], with: block.words[2]).utf8)
        .write(to: URL(filePath: paths.file))
    }
    let report = try Replayer.replayInTemporaryFolder(
      paths.file, stamps: Self.stamps, pictures: .nearlyEqual, trace: Trace.taken,
      makeRunner: Self.makeRunner)
    let name = block.lines.first?.split(separator: " ").last.map(String.init) ?? ""
    return report.lines(file: name)
  }
}

extension PictureTools {
  /// Other machines may round a grey level otherwise; where the pixels are known to be these, the
  /// fingerprint in the page is compared with the file beside it.
  fileprivate static var nearlyEqual: PictureTools {
    PictureTools(
      fingerprint: { try? PNG(path: $0).picture.pixelFingerprint },
      compare: { recorded, produced in
        guard let old = try? PNG(path: recorded).picture, let new = try? PNG(path: produced).picture
        else { return .unknown }
        guard let difference = try? PictureDifference(old, new), difference.psnr > 40 else {
          return .differs("the picture differs from \(recorded)")
        }
        return .agrees
      })
  }
}

// MARK: - Recording

extension Page {
  /// Writes what came back into the page, and its pictures beside it.
  fileprivate func record(_ play: PagePlay) throws {
    var bodies: [Int: [String]] = [:]
    for block in blocks("session") where !block.isShown {
      let outputs = play.executions.map { ($0.line, $0.outcome?.lines ?? ["FAILED"]) }
      bodies[block.start] = body(
        of: block, outputs: Dictionary(outputs.map { ($0.0 - block.start, $0.1) }) { $1 })
    }
    for block in blocks("replay") {
      bodies[block.start] = block.lines.prefix(1) + (try play.replaySaved(before: block))
    }
    for block in blocks("error") {
      bodies[block.start] = zip(block.exchanges, play.failures[block.start] ?? [])
        .flatMap { ["> \($0.command)"] + $1 }
    }
    try write(bodies)
    for link in links where link.hasSuffix(".png") {
      let made = "\(play.folder)/out/\((link as NSString).lastPathComponent)"
      // Pictures of sessions that take long are not made by the page.
      if FileManager.default.fileExists(atPath: made) { try copy(made, to: resolved(link)) }
    }
    Issue.record("\(path) was recorded")
  }

  /// Writes what a whole session gives into the block that shows it; its picture is the page's.
  fileprivate func record(_ block: Block, _ session: SessionFile) throws {
    let play = try PagePlay(self, blocks: [block])
    let outputs = play.executions.map { ($0.line - block.start, $0.outcome?.lines ?? ["FAILED"]) }
    try write([block.start: body(of: block, outputs: Dictionary(outputs) { $1 })])
    let made = play.executions.compactMap(\.outcome).flatMap(\.pictures).map(\.path)
    for (link, name) in zip(links.filter { $0.hasSuffix(".png") }, made) {
      try copy("\(play.folder)/out/\(name)", to: resolved(link))
    }
    Issue.record("\(path) was recorded")
  }

  /// The lines of a block with other outputs, by the index of the command's first line.
  private func body(of block: Block, outputs: [Int: [String]]) -> [String] {
    var body: [String] = []
    var pending: [String] = []
    for (index, line) in block.lines.enumerated() {
      if line.hasPrefix("> ") || line.isEmpty || line.hasPrefix("#") {
        if index > 0, !block.lines[index - 1].hasSuffix("\\") || !line.hasPrefix("> ") {
          body += pending
          pending = []
        }
        body.append(line)
        if let lines = outputs[index] { pending = lines }
      }
    }
    return body + pending
  }

  private func write(_ bodies: [Int: [String]]) throws {
    var text = lines
    for block in allBlocks.reversed() {
      guard let body = bodies[block.start] else { continue }
      text.replaceSubrange(block.start - 1..<block.start - 1 + block.lines.count, with: body)
    }
    try Data(text.joined(separator: "\n").utf8).write(to: URL(filePath: Repository.path(path)))
  }

  private func copy(_ source: String, to target: String) throws {
    try Data(contentsOf: URL(filePath: source))
      .write(to: URL(filePath: Repository.path(target)))
  }
}
