import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import LineEditing
import Tensors

/// The program: its arguments, subcommands and exit status.
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
      ExportCommand.self, DenoiseCommand.self, KernelCommand.self, ReferenceCommand.self,
      BenchCommand.self,
    ],
    defaultSubcommand: PromptCommand.self)

  /// Parses the arguments and runs; ends with status 2 when they are wrong.
  static func main() {
    Descriptor.openStandardStreams()
    Memory.keepFreedPages()
    // Exceeding the limit of a file's size is an error of the command that writes, like a full
    // disk.
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
      backflow.leave(with: ExitStatus(rawValue: status.rawValue) ?? .commandFailed)
    } catch {
      // The built-in command "help" throws the page to show.
      leave(explaining: error)
    }
    backflow.leave(with: .success)
  }

  /// Prints the help that was asked for, or the error of the arguments.
  private static func leave(explaining error: any Error) -> Never {
    let status: ExitStatus = exitCode(for: error) == .success ? .success : .wrongUsage
    let text = fullMessage(for: error)
    if !text.isEmpty { status == .success ? Console.write(text + "\n") : Console.error(text) }
    backflow.leave(with: status)
  }
}

/// Ends the program when a memory limit is too small for OpenBLAS, which would wait for memory
/// without end.
func requireMemoryForBLAS() {
  guard let found = BLASMemory.shortage(threads: Parallelism.threads) else {
    return BLASMemory.takeBuffers(threads: Parallelism.threads)
  }
  let threads = found.ownThreads + found.callers
  let own = found.ownThreads > 0 ? ", \(found.ownThreads) of them its own" : ""
  // Fewer threads are advised only where there are several.
  let cures = [
    found.ownThreads > 0 ? "set OPENBLAS_NUM_THREADS=1" : nil,
    found.callers > 1 ? "take --threads 1" : nil,
  ].compactMap(\.self)
  Console.error(
    """
    error: memory is limited to \(found.limit >> 20) MiB (\(found.command)), too little for OpenBLAS: \
    for \(threads, "thread")\(own), \(found.needed >> 20) MiB are needed; \
    raise the limit\(cures.isEmpty ? "" : ", or \(cures.joined(separator: " and "))")
    """)
  leave(with: .commandFailed)
}

/// Ends the program with a status.
///
/// Nothing waits for the threads of OpenBLAS, which the library's own ending does: under a small
/// memory limit they never come to their end.
func leave(with status: ExitStatus) -> Never {
  TerminalState.giveBack()
  // Flushes the output of C libraries.
  fflush(nil)
  _exit(status.rawValue)
}
