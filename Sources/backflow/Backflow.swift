import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Tensors

/// The program: arguments, wiring, exit status.
@main
struct Backflow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backflow",
    abstract: "Explore, train and teach residual convolutional networks that denoise CT.",
    discussion: """
      Without a subcommand: a prompt at a terminal; commands from standard input otherwise.
      Exit status: 0 all well, 1 a command failed, 2 wrong usage, 3 replay differs, 4 input data
      missing, unreadable or other than recorded, 130 interrupted.
      """,
    version: Stamps.version,
    subcommands: [
      PromptCommand.self, RunCommand.self, ReplayCommand.self, AcceptCommand.self,
      ExportCommand.self, ReferenceCommand.self, BenchCommand.self,
    ],
    defaultSubcommand: PromptCommand.self)

  /// Parses the arguments and runs; wrong usage ends with status 2.
  static func main() {
    Descriptor.openStandardStreams()
    Memory.keepFreedPages()
    // A file that may not grow further is an error of the command that writes, as a full disk is.
    signal(SIGXFSZ, SIG_IGN)
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    if let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"),
      word != "help", !names.contains(word)
    {
      let nearest = NearestNames.question(for: word, among: names)
      Console.error(
        "Error: there is no subcommand \"\(word)\"; \(nearest ?? "see backflow --help")")
      backflow.leave(with: .wrongUsage)
    }
    var command: any ParsableCommand
    do {
      command = try parseAsRoot()
    } catch {
      leave(explaining: error)
    }
    do {
      try command.run()
    } catch let status as ExitCode {
      Foundation.exit(status.rawValue)
    } catch {
      // The built-in command "help" throws the page it is asked for.
      leave(explaining: error)
    }
  }

  /// Prints the help that was asked for, or what is wrong with the arguments.
  private static func leave(explaining error: any Error) -> Never {
    let status: ExitStatus = exitCode(for: error) == .success ? .success : .wrongUsage
    let text = fullMessage(for: error)
    if !text.isEmpty { status == .success ? Console.write(text + "\n") : Console.error(text) }
    backflow.leave(with: status)
  }
}

/// Ends the program when its memory is limited to less than OpenBLAS takes, which would wait for more
/// and never end.
func requireMemoryForBLAS() {
  guard let found = BLASMemory.shortage(threads: Parallelism.threads) else {
    return BLASMemory.takeBuffers(threads: Parallelism.threads)
  }
  Console.error(
    """
    error: memory is limited to \(found.limit >> 20) MiB (\(found.command)), too little for OpenBLAS: \
    for \(found.ownThreads + found.callers) threads, \(found.ownThreads) of them its own, \
    \(found.needed >> 20) MiB are needed; raise the limit, or set OPENBLAS_NUM_THREADS=1 and take \
    --threads 1
    """)
  // Its threads would not let the program end in the usual way.
  _exit(ExitStatus.commandFailed.rawValue)
}

/// Ends the program.
func leave(with status: ExitStatus) -> Never {
  Foundation.exit(status.rawValue)
}
