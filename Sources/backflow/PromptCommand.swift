import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import LineEditing
import Transcripts

/// `backflow`: the prompt, or commands from standard input.
struct PromptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt",
    abstract: "The prompt; commands from standard input if it is no terminal.")

  @OptionGroup var host: HostOptions

  @Option(help: "Where a script's files go.")
  var out: String?

  func run() throws {
    if isatty(STDIN_FILENO) == 1 {
      let folder = URL(filePath: FileManager.default.currentDirectoryPath)
      let host = Host(host, files: Files(person: folder), source: nil)
      host.say([
        "Backflow \(Stamps.version). Three lines to try:  phantom  ·  noise gaussian sigma=40HU  ·  view noisy[3]",
        "'help' lists all commands, 'quit' leaves.",
      ])
      leave(with: Prompt(host).run())
    }
    let text = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
    let output = URL(filePath: out ?? "out/standard-input")
    let host = Host(host, files: Files(script: output, session: nil), source: "standard input")
    let session = try SessionFile(text: text, name: "standard input")
    leave(with: host.play(session, SessionPlayer(), echoes: false))
  }
}

/// The loop of the prompt.
struct Prompt {
  private let host: Host
  /// The number of the first line, after what a script ran.
  private let firstLine: Int

  init(_ host: Host, after line: Int = 0) {
    self.host = host
    firstLine = line
  }

  /// Reads and runs commands until the input ends.
  func run() -> ExitStatus {
    let input = PlainInput()
    var lines = CommandLines(input, goesOn: ContinuedLine.goesOn)
    while true {
      switch lines.next() {
      case .end:
        Console.print("")
        return .success
      case .interrupted:
        Interrupts.interruption.reset()
        Console.print("")
      case .command(let command):
        Interrupts.interruption.reset()
        guard let execution = host.runner.run(command.text, line: firstLine + command.number) else {
          continue
        }
        host.show(execution)
        if execution.outcome?.quits == true { return .success }
      }
    }
  }
}
