import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Tensors

/// Denoises a file or a whole study: `backflow denoise IN OUT --net W.safetensors`.
struct DenoiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "denoise", abstract: "Denoise a CT study into derived DICOM.",
    discussion: """
      Every CT series below IN is denoised, slice by slice, into a folder below OUT; other files stay
      where they are. Run the same line again after an end by hand, and it goes on where it was.
      Names, IDs and dates are left out unless --keep-identity.
      """)

  @Argument(help: "A DICOM file, a folder or a DICOMDIR.", completion: .file())
  var input: String

  @Argument(help: "The folder for the derived series.", completion: .directory)
  var output: String

  @Option(
    help: "The network, a file of 'net save'.", completion: .file(extensions: ["safetensors"]))
  var net: String?

  @Option(help: "A classical denoiser instead, as 'baseline' takes it: \"bm3d sigma=30HU\".")
  var with: String?

  @Flag(help: "Keep names, IDs, dates and institution of the source.")
  var keepIdentity = false

  @OptionGroup var host: HostOptions

  func validate() throws {
    guard (net == nil) != (with == nil) else {
      throw ValidationError("give either --net W.safetensors or --with \"bm3d sigma=30HU\".")
    }
  }

  func run() throws {
    let here = URL(filePath: FileManager.default.currentDirectoryPath)
    let host = Host(self.host, files: Files(person: here), source: nil)
    for line in lines {
      guard let execution = host.runner.run(line, line: 1) else { continue }
      host.take(execution)
      if execution.outcome?.wasInterrupted == true { leave(with: .interrupted) }
      if let error = execution.error { leave(with: error.status) }
      if let skipped = execution.outcome?.result.value(at: "skipped")?.numeric, skipped > 0 {
        leave(with: .commandFailed)
      }
    }
  }

  /// The lines of a session that does the work.
  private var lines: [String] {
    let identity = "identity=\(keepIdentity ? "keep" : "remove")"
    let places = "\(Quoting.quoted(input)) \(Quoting.quoted(output)) \(identity)"
    if let with { return ["denoise \(places) with=\(Quoting.quoted(with))"] }
    guard let net else { return [] }
    return ["net load \(Quoting.quoted(net))", "denoise \(places)\(scale(of: net))"]
  }

  /// The scale that the network was used with, as its file says.
  private func scale(of net: String) -> String {
    guard let data = FileManager.default.contents(atPath: net),
      let scale = (try? SafeTensors(decoding: data))?.metadata["scale"]
    else { return "" }
    return " hu=\(scale)"
  }
}
