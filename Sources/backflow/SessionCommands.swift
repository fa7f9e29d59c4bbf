import ArgumentParser
import CommandLanguage
import Commands
import Figures
import Foundation
import Ledgers
import LineEditing
import Transcripts

/// Options of `run` and `replay`.
struct SessionOptions: ParsableArguments {
  @Argument(help: "The session file, or a pack of one.", completion: .file())
  var file: String

  @Option(help: "Where files go (default: out/<session name>).", completion: .directory)
  var out: String?

  @Option(help: "Stop before this line of the file, and hand over the prompt at a terminal.")
  var to: Int?

  @Flag(help: "Go on after a command that failed.")
  var keepGoing = false

  @Flag(
    help: "Keep trainings below the output folder; skip those whose inputs have not changed.")
  var fromCheckpoint = false

  @OptionGroup var host: HostOptions

  func validate() throws {
    if let to, to < 1 {
      throw ValidationError("--to \(to): expected the number of a line, from 1.")
    }
  }

  var player: SessionPlayer { SessionPlayer(stopLine: to, keepsGoing: keepGoing) }

  /// The session's files and the folder for its output; a pack is unpacked there, into `packed`.
  func place() throws(SessionError) -> SessionPlace {
    let file = SessionPaths.meant(by: file)
    guard SessionPack.isPack(file) else {
      let paths = SessionPaths(file: file)
      return SessionPlace(paths: paths, output: URL(filePath: out ?? "out/\(paths.name)"))
    }
    let pack = try SessionPack(reading: file)
    let output = URL(filePath: out ?? "out/\(pack.name)")
    return SessionPlace(
      paths: try pack.unpack(into: output.appending(path: "packed").path), output: output)
  }

  func makeHost(_ place: SessionPlace) -> Host {
    let host = Host(
      host, files: Files(script: place.output, session: URL(filePath: place.paths.folder)),
      source: place.paths.file)
    if fromCheckpoint {
      host.runner.workspace.keepTrainings(
        in: TrainingStore(place: Stamp.deciding(host.stamps)))
    }
    return host
  }

  /// Warns when `--to` names a line behind the end of the session, which then runs to its end.
  func warnOfEnd(_ session: SessionFile) {
    guard let to, to > session.lineCount + 1 else { return }
    let count = session.entries.count
    Console.error(
      "warning: --to \(to): the session has \(count, "command") in "
        + "\(session.lineCount, "line"); all of them run")
  }

  /// Opens the prompt at a terminal if the session stopped at `--to`.
  func handOver(_ host: Host, _ ending: ExitStatus) -> ExitStatus {
    guard let to, ending == .success, isatty(STDIN_FILENO) == 1, !self.host.json else {
      return ending
    }
    return Prompt(host, after: to - 1).run()
  }

  /// Opens the prompt at a terminal after Ctrl-C, so that the work is not lost.
  func handOverInterrupted(_ host: Host, _ ending: ExitStatus) {
    guard ending == .interrupted, isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1,
      !self.host.json
    else { return }
    host.say(["the script stopped here, its state is kept: go on by hand, or leave with 'quit'"])
    _ = Prompt(host, after: host.lastLine).run()
  }
}

/// The files of a session and the folder of its output.
struct SessionPlace {
  let paths: SessionPaths
  let output: URL
}

/// Runs `body`, or ends the program with the status of missing data.
func orLeave<Result>(_ body: () throws(SessionError) -> Result) -> Result {
  do throws(SessionError) {
    return try body()
  } catch {
    Console.error("error: \(error)")
    leave(with: .badInput)
  }
}

extension Host {
  /// Runs the commands of a session and shows their output.
  func play(_ session: SessionFile, _ player: SessionPlayer, echoes: Bool) -> ExitStatus {
    let ending = player.play(session, on: runner, note: note) { entry in
      if echoes { echo(entry.command) }
    } watch: { _, execution in
      take(execution)
      return execution.error != nil || execution.outcome?.wasInterrupted == true
        || !Interrupts.interruption.isRequested
    }
    warnOfUnusedVariables()
    return Self.status(of: ending)
  }

  /// The program's exit status for the end of a session.
  static func status(of ending: SessionPlayer.Ending) -> ExitStatus {
    switch ending {
    case .finished, .reachedLine: .success
    case .failed(let status): status
    case .interrupted, .stopped: .interrupted
    }
  }
}

/// Runs the commands of a session file: `backflow run FILE`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the commands of a session file.")

  @OptionGroup var options: SessionOptions

  @Option(
    help: ArgumentHelp(
      "Run once for each value of a let: NAME=V1,V2,…; several give all combinations.",
      valueName: "NAME=V1,V2"))
  var sweep: [String] = []

  func validate() throws { _ = try sweep.map { try Sweep.Axis($0) } }

  func run() throws {
    let (place, session) = orLeave { () throws(SessionError) in
      let place = try options.place()
      return (place, try SessionFile(path: place.paths.file))
    }
    options.warnOfEnd(session)
    guard sweep.isEmpty else {
      leave(with: try Sweep(sweep, options, place, session).run())
    }
    let host = options.makeHost(place)
    // Lines may be edited later.
    if options.to != nil || session.entries.contains(where: { $0.command.hasPrefix("edit ") }) {
      host.keepMoments()
    }
    // A script does not ask the terminal, since keys typed meanwhile are for the shell.
    if !host.isJSON, TerminalSize.canDraw() { host.showPictures { nil } }
    let status = host.play(session, options.player, echoes: true)
    options.handOverInterrupted(host, status)
    leave(with: options.handOver(host, status))
  }
}

/// Runs a session again and checks it: `backflow replay FILE`.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Run a session again and check every recorded line and picture.")

  @OptionGroup var options: SessionOptions

  @Option(
    help: "Compare the tensors with this ledger, for example of another machine.",
    completion: .file(extensions: ["ledger"]))
  var against: String?

  func run() {
    let place = orLeave(options.place)
    if let session = try? SessionFile(path: place.paths.file) { options.warnOfEnd(session) }
    let host = options.makeHost(place)
    var replayer = Replayer(
      paths: place.paths, outputFolder: place.output.path, stamps: host.stamps,
      pictures: .png(differencesIn: host.files), player: options.player)
    replayer.lets = options.host.overrides
    if !FileManager.default.isWritableFile(atPath: place.paths.folder) {
      replayer.writesNewRecord = false
      Console.error(
        "warning: the new output is not kept, since \(place.paths.folder) cannot be written; "
          + "copy the session to accept it")
    }
    let report = orLeave { () throws(SessionError) in
      if let against { replayer.against = try ledger(against) }
      return try replayer.replay(
        on: host.runner, note: host.note, trace: { host.runner.workspace.takeTrace() }
      ) { execution, trace in
        host.record(execution, trace)
        if options.host.json || execution.error != nil { host.show(execution) }
      }
    }
    host.warnOfUnusedVariables()
    host.show(report, file: place.paths.file)
    leave(with: options.handOver(host, report.status))
  }
}

/// The ledger that `--against` names.
private func ledger(_ path: String) throws(SessionError) -> Ledger {
  guard let ledger = try LedgerFile.read(path) else {
    throw SessionError(path, "is not there; name the NAME.ledger of a recorded session")
  }
  return ledger
}

/// Makes the output of the last replay the record: `backflow accept FILE [LINE…]`.
struct AcceptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept",
    abstract: "Take what the last replay produced as the new record, all or by line.")

  @Argument(help: "The session file.", completion: .file(extensions: ["session"]))
  var file: String

  @Argument(help: "Lines of the file whose output to take (default: all).")
  var lines: [Int] = []

  @Flag(help: "Keep the recorded numbers, and write how far those of the replay may be off.")
  var tolerant = false

  func run() {
    let file = SessionPaths.meant(by: file)
    let refusal = orLeave { () throws(SessionError) in
      try SessionPack.requireUnpacked(file)
      let acceptance = try Acceptance(SessionPaths(file: file))
      if tolerant { return try acceptTolerances(acceptance) }
      return lines.isEmpty ? try acceptance.acceptAll() : try acceptance.accept(lines: lines)
    }
    guard let refusal else {
      if !tolerant { Console.print("accepted  \(file)") }
      leave(with: .success)
    }
    for reason in refusal.reasons { Console.error("not accepted: \(reason)") }
    Console.error(
      "error: \(file): only what a replay computed by these very commands becomes the record; replay "
        + "it to its end: backflow replay \(file)")
    leave(with: .commandFailed)
  }

  /// Writes tolerances, and reports how many lines got one and which others differ.
  private func acceptTolerances(
    _ acceptance: Acceptance
  ) throws(SessionError) -> AcceptanceRefusal? {
    let (widened, left, refusal) = try acceptance.acceptWithTolerances(lines: lines)
    guard refusal == nil else { return refusal }
    Console.print("\(widened) \(widened == 1 ? "line has" : "lines have") tolerances now")
    guard !left.isEmpty else { return nil }
    let places = left.map(String.init).joined(separator: " ")
    Console.error(
      "error: not only numbers differ in line \(places); accept them as they are: "
        + "backflow accept \(file) \(places)")
    leave(with: .replayDiffers)
  }
}

extension PictureTools {
  /// Functions that read and compare PNG files; pictures of differences are written to the output
  /// folder.
  static func png(differencesIn files: Files) -> PictureTools {
    PictureTools(
      fingerprint: { path in try? PictureFile(path: path).sheet.pixelFingerprint },
      compare: { recorded, produced in
        guard let old = try? PictureFile(path: recorded).sheet,
          let new = try? PictureFile(path: produced).sheet
        else { return .unknown }
        guard let difference = try? PictureDifference(old, new) else {
          return .differs("recorded \(old.summary), produced \(new.summary)")
        }
        if difference.maximum <= old.tolerance { return .agrees }
        let name = URL(filePath: produced).deletingPathExtension().lastPathComponent
        let psnr = NumberFormat.fixed(1).string(difference.psnr)
        let count = difference.differing
        let words =
          "\(count) \(count == 1 ? "pixel differs" : "pixels differ"), by \(difference.maximum) at most, "
          + "psnr \(psnr) dB"
        let png = (try? PNG(difference.picture).encoded()).map { Data($0) } ?? Data()
        guard let place = try? files.write(png, to: "\(name).difference.png", .known) else {
          return .differs("\(words); the output folder takes no picture of the difference")
        }
        return .differs("\(words); see \(ShownPath.fromHere(place))")
      })
  }
}

extension Picture {
  /// The number of levels by which a sample may differ on another machine: about one for rounding;
  /// more in drawings, where the edges of shapes vary, but less than for another digit.
  fileprivate var tolerance: Int {
    switch (color, depth) {
    case (.gray, .eight): 1
    case (.gray, .sixteen): 16
    case (.rgb, .eight): 32
    case (.rgb, .sixteen): 32 * 257
    }
  }
}
