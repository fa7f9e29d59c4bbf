import Figures
import Foundation
import Tensors
import Transcripts

/// The stamps of this machine and build at the beginning of a record.
enum Stamps {
  static let version = "0.1.0"

  static func here(seed: UInt64) -> [Stamp] {
    [
      Stamp("backflow", version), Stamp("seed", "\(seed)"),
      Stamp("engine", engineDescription), Stamp("blas", blasDescription),
      Stamp("drawing", "cairo \(Drawing.libraryVersion)"),
      Stamp("threads", "\(Parallelism.threads)"), Stamp("cpu", cpu),
    ]
  }

  private static let cpu: String = {
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = info.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last.map(String.init) ?? "unknown"
    return name.trimmingCharacters(in: .whitespaces)
  }()
}
