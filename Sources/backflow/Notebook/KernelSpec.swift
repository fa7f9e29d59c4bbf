import CommandLanguage
import Commands
import Figures
import Foundation
import Jupyter
import Transcripts

/// The description of the kernel by which Jupyter starts it.
///
/// Source: https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs.
struct KernelSpec {
  /// The place of an installation.
  enum Place {
    case person
    case prefix(String)
    /// The Python environment that is active.
    case environment
  }

  private let program: String

  /// Describes a kernel that `program` serves; nil for the program that runs.
  init(program: String?) {
    self.program = program ?? Bundle.main.executablePath ?? "backflow"
  }

  /// Writes `kernel.json` and logos.
  ///
  /// - Parameter place: Where.
  /// - Returns: The folder.
  /// - Throws: `CommandError` when it cannot be written, or no environment is active.
  func install(_ place: Place) throws(CommandError) -> String {
    let folder = try Self.data(place).appending(path: "kernels/backflow")
    let files: [(String, Data)]
    do {
      let logos = try [32, 64].map { size in
        ("logo-\(size)x\(size).png", Data(try PNG(logo(size).picture()).encoded()))
      }
      let drawing = try logo(64).svg()
      files =
        logos + [
          ("kernel.json", Data((json.text + "\n").utf8)), ("logo-svg.svg", Data(drawing.utf8)),
        ]
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (name, data) in files { try WholeFile.write(data, to: folder.appending(path: name).path) }
    } catch {
      throw CommandError(
        .file, "\(folder.path) cannot be written: \(SystemReason.words(error))",
        hint: "choose another place: --user, --prefix DIR or --sys-prefix")
    }
    return folder.path
  }

  private var json: JSONValue {
    [
      "argv": .list([program, "kernel", "--connection-file", "{connection_file}"]) { .string($0) },
      "display_name": "Backflow", "language": "backflow", "interrupt_mode": "signal",
      "metadata": ["debugger": false],
    ]
  }

  /// The folder of Jupyter's data in a place.
  private static func data(_ place: Place) throws(CommandError) -> URL {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ name: String) -> URL? {
      environment[name].flatMap { $0.hasPrefix("/") ? URL(filePath: $0) : nil }
    }
    switch place {
    case .person:
      return folder("JUPYTER_DATA_DIR") ?? folder("XDG_DATA_HOME")?.appending(path: "jupyter")
        ?? URL(filePath: HomeFolder.path).appending(path: ".local/share/jupyter")
    case .prefix(let path): return URL(filePath: path).appending(path: "share/jupyter")
    case .environment:
      guard let prefix = folder("VIRTUAL_ENV") ?? folder("CONDA_PREFIX") else {
        throw CommandError(
          .state, "no Python environment is active (VIRTUAL_ENV and CONDA_PREFIX are not set)",
          hint: "activate one, or give its folder with --prefix DIR")
      }
      return prefix.appending(path: "share/jupyter")
    }
  }

  /// Two layers, and the way around them.
  private func logo(_ size: Int) -> Drawing {
    var drawing = Drawing(
      width: size, height: size, title: "Backflow",
      description: "Two layers and the connection around them.")
    let unit = Double(size) / 64
    let (dark, bright) = (RGB(0x1F4E79), RGB(0xE07B39))
    func point(_ x: Double, _ y: Double) -> Point { Point(x * unit, y * unit) }
    func box(_ x: Double) -> Path {
      .polygon([point(x, 30), point(x + 16, 30), point(x + 16, 54), point(x, 54)])
    }
    drawing.stroke(.line([point(2, 42), point(62, 42)]), dark, width: 4 * unit)
    drawing.fill(box(12), dark)
    drawing.fill(box(36), dark)
    var around = Path()
    around.move(to: point(6, 42))
    around.curve(point(6, 2), point(58, 2), to: point(58, 38))
    drawing.stroke(around, bright, width: 4 * unit)
    drawing.fill(.polygon([point(51, 32), point(64, 32), point(58, 42)]), bright)
    return drawing
  }

  /// The facts of `kernel_info_reply`.
  ///
  /// Clients keep `language_info` in the notebook, so it says where the outputs were computed.
  static func information(stamps: [Stamp]) -> [JSONValue.Member] {
    [
      .init("implementation", "backflow"),
      .init("implementation_version", .string(Stamps.version)),
      .init("language_info", Notebook.language(version: Stamps.version, stamps: stamps)),
      .init("banner", .string("Backflow \(Stamps.version). 'help' lists all commands.")),
      .init("debugger", false),
      .init("help_links", []),
    ]
  }
}
