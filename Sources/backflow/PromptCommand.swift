import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Transcripts

/// `backflow`: the prompt, or commands from standard input.
struct PromptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt",
    abstract: "The prompt; commands from standard input if it is no terminal.")

  @OptionGroup var host: HostOptions

  @Option(help: "Where a script's files go.", completion: .directory)
  var out: String?

  func run() throws {
    if isatty(STDIN_FILENO) == 1 {
      let folder = URL(filePath: FileManager.default.currentDirectoryPath)
      let host = Host(host, files: Files(person: folder), source: nil)
      // The editor takes the terminal before the first output, so that no key is lost.
      let prompt = Prompt(host)
      host.say([
        "Backflow \(Stamps.version). Three lines to try:", "  phantom",
        "  noise gaussian sigma=40HU",
        "  view noisy[3]", "'help' lists all commands, Tab completes, 'quit' leaves.",
      ])
      leave(with: prompt.run())
    }
    let session = orLeave { () throws(SessionError) in
      try SessionFile(descriptor: STDIN_FILENO, name: "standard input")
    }
    let output = URL(filePath: out ?? "out/standard-input")
    let host = Host(host, files: Files(script: output, session: nil), source: "standard input")
    leave(with: host.play(session, SessionPlayer(), echoes: false))
  }
}
