import ArgumentParser
import CommandLanguage
import Commands
import Figures
import Foundation
import Transcripts

/// Options of `run` and `replay`.
struct SessionOptions: ParsableArguments {
  @Argument(help: "The session file.")
  var file: String

  @Option(help: "Where files go (default: out/<session name>).")
  var out: String?

  @Option(help: "Stop before this line of the file, and hand over the prompt at a terminal.")
  var to: Int?

  @Flag(help: "Go on after a command that failed.")
  var keepGoing = false

  @OptionGroup var host: HostOptions

  var paths: SessionPaths { SessionPaths(file: file) }
  var output: URL { URL(filePath: out ?? "out/\(paths.name)") }
  var player: SessionPlayer { SessionPlayer(stopLine: to, keepsGoing: keepGoing) }

  func makeHost() -> Host {
    Host(
      host, files: Files(script: output, session: URL(filePath: paths.folder)), source: file)
  }

  /// The session, or the end of the program with the status of missing data.
  func session() -> SessionFile {
    do throws(SessionError) {
      return try SessionFile(path: file)
    } catch {
      Console.error("error: \(error)")
      leave(with: .badInput)
    }
  }

  /// Hands over the prompt if the session stopped at `--to`, at a terminal.
  func handOver(_ host: Host, _ ending: ExitStatus) -> ExitStatus {
    guard let to, ending == .success, isatty(STDIN_FILENO) == 1, !self.host.json else {
      return ending
    }
    return Prompt(host, after: to - 1).run()
  }

  /// Hands over the prompt after Ctrl-C, at a terminal, so that what was done is not lost.
  func handOverInterrupted(_ host: Host, _ ending: ExitStatus) {
    guard ending == .interrupted, isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1,
      !self.host.json
    else { return }
    host.say(["the script stopped here, its state is kept: go on by hand, or leave with 'quit'"])
    _ = Prompt(host, after: host.lastLine).run()
  }
}

extension Host {
  /// Runs the commands of a session and shows what comes back.
  func play(_ session: SessionFile, _ player: SessionPlayer, echoes: Bool) -> ExitStatus {
    let ending = player.play(session, on: runner) { entry in
      if echoes { echo(entry.command) }
    } watch: { _, execution in
      show(execution)
      return execution.error != nil || execution.outcome?.wasInterrupted == true
        || !Interrupts.interruption.isRequested
    }
    warnOfUnusedVariables()
    switch ending {
    case .finished, .reachedLine: return .success
    case .failed(let status): return status
    case .interrupted, .stopped: return .interrupted
    }
  }
}

/// Runs the commands of a session file: `backflow run FILE`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the commands of a session file.")

  @OptionGroup var options: SessionOptions

  func run() {
    let session = options.session()
    let host = options.makeHost()
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

  func run() {
    let host = options.makeHost()
    let replayer = Replayer(
      paths: options.paths, outputFolder: options.output.path, stamps: host.stamps,
      pictures: .png(differencesIn: options.output.path), player: options.player)
    do throws(SessionError) {
      let report = try replayer.replay(on: host.runner) { execution in
        if options.host.json || execution.error != nil { host.show(execution) }
      }
      host.warnOfUnusedVariables()
      host.show(report, file: options.file)
      leave(with: options.handOver(host, report.status))
    } catch {
      Console.error("error: \(error)")
      leave(with: .badInput)
    }
  }
}

/// Takes what the last replay produced: `backflow accept FILE [LINE…]`.
struct AcceptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept",
    abstract: "Take what the last replay produced as the new record, all or by line.")

  @Argument(help: "The session file.")
  var file: String

  @Argument(help: "Lines of the file whose output to take (default: all).")
  var lines: [Int] = []

  func run() {
    let paths = SessionPaths(file: file)
    do throws(SessionError) {
      if lines.isEmpty {
        try Acceptance.acceptAll(paths)
      } else {
        try Acceptance.accept(paths, lines: lines)
      }
    } catch {
      Console.error("error: \(error)")
      leave(with: .badInput)
    }
    Console.print("accepted  \(file)")
  }
}

extension PictureTools {
  /// Reads and compares PNG files; a difference is drawn into `folder`.
  static func png(differencesIn folder: String) -> PictureTools {
    PictureTools(
      fingerprint: { path in try? PNG(path: path).picture.pixelFingerprint },
      compare: { recorded, produced in
        guard let old = try? PNG(path: recorded).picture, let new = try? PNG(path: produced).picture
        else { return .unknown }
        guard let difference = try? PictureDifference(old, new) else {
          return .differs("recorded \(old.summary), produced \(new.summary)")
        }
        if difference.maximum <= old.tolerance { return .agrees }
        let name = URL(filePath: produced).deletingPathExtension().lastPathComponent
        let path = "\(folder)/\(name).difference.png"
        try? PNG(difference.picture).write(to: path)
        let psnr = NumberFormat.fixed(1).string(difference.psnr)
        return .differs(
          "\(difference.differing) pixels differ, by \(difference.maximum) at most, psnr \(psnr) dB; see \(path)"
        )
      })
  }
}

extension Figures.Picture {
  /// Levels by which a sample may differ on another machine: one or so is rounding; in drawings, the
  /// edges of shapes may be covered a little otherwise, while another digit is black for white.
  fileprivate var tolerance: Int {
    switch (color, depth) {
    case (.gray, .eight): 1
    case (.gray, .sixteen): 16
    case (.rgb, .eight): 32
    case (.rgb, .sixteen): 32 * 257
    }
  }
}
