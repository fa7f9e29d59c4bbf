import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Handouts
import Transcripts

/// Writes a session as a page to hand out: `backflow export FILE --html OUT`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a recorded session as a page to hand out.",
    discussion: "Nothing runs: the page shows what the record and its pictures hold.")

  @Argument(
    help: "The session file, or a pack of one.", completion: .file(extensions: ["session", "zip"]))
  var file: String

  @Option(
    help: "One HTML file that needs no network.", completion: .file(extensions: ["html"]))
  var html: String?

  @Option(
    help: "A Markdown file, with its pictures in a folder beside it.",
    completion: .file(extensions: ["md"]))
  var markdown: String?

  @Option(help: "A notebook for Jupyter.", completion: .file(extensions: ["ipynb"]))
  var notebook: String?

  @Option(
    help: "A zip file with the session and all that belongs to it, as 'session pack' writes.",
    completion: .file(extensions: ["zip"]))
  var pack: String?

  func validate() throws {
    guard [html, markdown, notebook, pack].contains(where: { $0 != nil }) else {
      throw ValidationError("Say what to write: --html, --markdown, --notebook or --pack.")
    }
  }

  func run() {
    let (session, handout) = orLeave { () throws(SessionError) in
      let session = try SessionPack(at: file)
      return (session, try Handout(session))
    }
    for warning in handout.warnings { Console.error("warning: \(warning)") }
    write(handout, .html, to: html)
    write(handout, .markdown, to: markdown)
    write(handout, .notebook, to: notebook)
    guard let pack else { return }
    do throws(SessionError) {
      try session.write(to: pack)
    } catch {
      Console.error("error: \(error)")
      leave(with: .commandFailed)
    }
    Console.print("packed  \(pack)")
  }

  private func write(_ handout: Handout, _ form: HandoutForm, to path: String?) {
    guard let path else { return }
    let files = Files(person: URL(filePath: FileManager.default.currentDirectoryPath))
    do throws(CommandError) {
      for file in handout.files(form, named: path, commands: commandTable.map(\.spec)) {
        try files.write(file.data, to: file.path)
      }
    } catch {
      Console.error("error: \(error.summary)")
      leave(with: .commandFailed)
    }
    Console.print("exported  \(path)  \(handout.facts)")
  }
}
