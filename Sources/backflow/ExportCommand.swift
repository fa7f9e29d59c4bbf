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

  @Option(
    name: .customLong("for"), help: "The readers: for students, answers of quizzes are folded.")
  var audience = Handout.Audience.everybody
  @Flag(help: "Write over files that Backflow did not write, or that were changed since.")
  var replace = false

  func validate() throws {
    guard [html, markdown, notebook, pack].contains(where: { $0 != nil }) else {
      throw ValidationError("Say what to write: --html, --markdown, --notebook or --pack.")
    }
    if audience == .students, pack != nil {
      throw ValidationError(
        "--pack --for students: a pack is the whole record, answers included. Leave one of them out."
      )
    }
  }

  func run() {
    let (handout, packed) = orLeave { () throws(SessionError) in
      let session = try SessionPack(at: SessionPaths.meant(by: file))
      return (
        try Handout(session, for: audience, commands: commandTable.map(\.spec)),
        pack == nil ? nil : try session.encoded()
      )
    }
    for warning in handout.warnings { Console.error("warning: \(warning)") }
    let forms: [(HandoutForm, String?)] = [
      (.html, html), (.markdown, markdown), (.notebook, notebook),
    ]
    let asked = forms.compactMap { form, path in path.map { (form, $0) } }
    var files = asked.flatMap { form, path in
      handout.files(form, named: path)
        .map { Files.Item(path: $0.path, data: $0.data) }
    }
    if let pack, let packed { files.append(Files.Item(path: pack, data: packed)) }
    do throws(CommandError) {
      try Files.exports.write(files, replace ? .all : .known)
    } catch {
      let cure = error.code == .exists ? "give another name, or add --replace" : error.hint
      Console.error("error: \(error.message)\(cure.map { "; \($0)" } ?? "")")
      leave(with: .commandFailed)
    }
    for (_, path) in asked { Console.print("exported  \(path)  \(handout.facts)") }
    if let pack { Console.print("packed  \(pack)") }
  }
}

extension Handout.Audience: ExpressibleByArgument {}
extension Files {
  /// The files that the program writes without a session: it may replace those of earlier runs that
  /// were not changed since.
  static let exports = Files(
    person: URL(filePath: FileManager.default.currentDirectoryPath),
    manifest: FileManifest(file: StateFolder.url.appending(path: "written")))
}
