import ArgumentParser
import CommandLanguage
import Commands
import Figures
import Foundation

/// A parameter of the network that `backflow bench` times, with several values: `--over
/// size=128,256,512`.
struct BenchAxis {
  /// The measurement for one value.
  struct Point {
    let value: Int
    let seconds: Double
    let operations: Double
  }

  let key: String
  let values: [Int]
  private let path: WritableKeyPath<BenchCommand, Int>

  private static var paths: [(key: String, path: WritableKeyPath<BenchCommand, Int>)] {
    [
      ("channels", \.channels), ("blocks", \.blocks), ("convs", \.convs), ("size", \.size),
      ("batch", \.batch),
    ]
  }

  /// Reads `KEY=V1,V2`.
  init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    let numbers = (parts.count == 2 ? parts[1] : "").split(separator: ",").map { Int($0) }
    guard let (key, path) = Self.paths.first(where: { $0.key == parts.first }),
      !numbers.isEmpty, !numbers.contains(nil)
    else {
      let keys = Self.paths.map(\.key).joined(separator: ", ")
      throw ValidationError("--over \(text): expected KEY=V1,V2,… with one of \(keys).")
    }
    (self.key, self.path, values) = (key, path, numbers.compactMap(\.self))
  }

  /// The command that measures one value.
  func setting(_ value: Int, in command: BenchCommand) -> BenchCommand {
    var single = command
    (single.over, single.plot) = (nil, nil)
    single[keyPath: path] = value
    return single
  }

  static func requireFigure(_ path: String) throws {
    guard [".png", ".svg"].contains(path.lowercased().suffix(4)) else {
      throw ValidationError("--plot \(path): a figure is written as .png or .svg.")
    }
    // The folder is checked before anything is measured.
    let folder = URL(filePath: path).deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder) else {
      throw ValidationError("--plot \(path): there is no such folder.")
    }
  }

  /// Draws the seconds beside a line of time in proportion to the operations.
  func draw(_ points: [Point], to path: String) throws {
    let drawing = plot(points).drawing()
    let data =
      path.lowercased().hasSuffix(".svg")
      ? Data(try drawing.svg().utf8) : Data(try PNG(drawing.picture()).encoded())
    do throws(CommandError) {
      try Files.exports.write(data, to: path)
    } catch {
      let cure = error.code == .exists ? "give another name, or move it away" : error.hint ?? ""
      Console.error("error: \(error.message); \(cure)")
      leave(with: .commandFailed)
    }
  }

  private func plot(_ points: [Point]) -> Plot {
    let rates = points.map { $0.operations / $0.seconds / 1e9 }
    let best = points.max { $0.operations / $0.seconds < $1.operations / $1.seconds }
    let pace = best.map { $0.seconds / $0.operations } ?? 0
    let name = NumberFormat.fixed(0)
    return Plot(
      title: "A step by \(key)", x: .init(key, .logarithmic), y: .init("ms a step", .logarithmic),
      series: [
        .init("measured", points.map { .init(x: Double($0.value), y: $0.seconds * 1000) }),
        .init(
          "as the operations grow, at the best rate",
          points.map { .init(x: Double($0.value), y: pace * $0.operations * 1000) }),
      ],
      statistics: [
        "\(name.string(rates.min() ?? 0)) to \(name.string(rates.max() ?? 0)) GFLOP a second, "
          + "counted as direct convolutions"
      ])
  }
}
