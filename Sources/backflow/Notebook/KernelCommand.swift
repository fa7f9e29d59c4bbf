import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Jupyter
import LineEditing
import Transcripts

/// `backflow kernel`: serves notebooks, or tells Jupyter how to start this.
struct KernelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel", abstract: "Serve Jupyter notebooks, or install the kernel for them.",
    discussion: """
      backflow kernel --install, once; then choose "Backflow" in JupyterLab, VS Code or Quarto, which \
      start backflow kernel --connection-file FILE themselves.
      """)

  @Option(
    help: "Serve the clients that this file of theirs describes.", completion: .file())
  var connectionFile: String?

  @Flag(help: "Install the kernel; for this person if no place is given.")
  var install = false

  @Flag(help: "With --install: for this person.")
  var user = false

  @Option(help: "With --install: below DIR/share/jupyter/kernels.", completion: .directory)
  var prefix: String?

  @Flag(help: "With --install: into the Python environment that is active.")
  var sysPrefix = false

  @Option(help: "With --install: the program that Jupyter starts (default: this one).")
  var program: String?

  @Option(help: "How many threads work at once (default: all cores). Results do not depend on it.")
  var threads: Int?

  func validate() throws {
    guard install != (connectionFile != nil) else {
      throw ValidationError("Say what to do: --install, or --connection-file FILE.")
    }
    let places = (user ? 1 : 0) + (prefix == nil ? 0 : 1) + (sysPrefix ? 1 : 0)
    guard places <= 1, install || places == 0 else {
      throw ValidationError("Give --install with one of --user, --prefix DIR and --sys-prefix.")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 to 1024.")
    }
  }

  func run() throws {
    do {
      if let connectionFile { try serve(connectionFile) } else { try installKernel() }
    } catch let error as KernelError {
      Console.error("error: \(error)")
      leave(with: .badInput)
    } catch let error as CommandError {
      Console.error("error: \(error.summary)")
      leave(with: .commandFailed)
    }
  }

  private func installKernel() throws {
    let place: KernelSpec.Place =
      prefix.map { .prefix($0) } ?? (sysPrefix ? .environment : .person)
    let folder = try KernelSpec(program: program).install(place)
    Console.print("installed  \(folder)")
  }

  private func serve(_ file: String) throws {
    let connection = try ConnectionFile(path: file)
    let here = URL(filePath: FileManager.default.currentDirectoryPath)
    let pictures = FileManager.default.temporaryDirectory
      .appending(path: "backflow-kernel-\(getpid())-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: pictures) }
    let progress = CellProgress()
    var options = HostOptions()
    (options.overrides, options.json, options.threads) = ([], false, threads)
    let host = Host(
      options,
      files: Files(
        person: here, pictures: pictures,
        manifest: FileManifest(file: StateFolder.url.appending(path: "written"))),
      source: nil, progress: { progress.show($0) })
    Interrupts.endsAtThird = false
    let parent = getppid()
    let belongsToServer = ProcessInfo.processInfo.environment["JPY_PARENT_PID"] != nil
    let kernel = try Kernel(
      connection, info: KernelSpec.information(stamps: host.stamps),
      interrupt: { Interrupts.interruption.request() },
      // A kernel whose Jupyter server died is not wanted any more.
      isWanted: { !belongsToServer || getppid() == parent },
      log: { Console.error("kernel: \($0)") })
    kernel.serve(NotebookSession(host, progress))
  }
}
