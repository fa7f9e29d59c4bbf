import CommandLanguage
import Figures
import Foundation
import Handouts
import TestSupport
import Transcripts

/// A session in a temporary folder, made of lines and pictures.
final class Sample {
  let folder: String
  let paths: SessionPaths

  /// Writes the session `NAME.session` and its pictures, by path.
  init(_ lines: [String], pictures: [String: PNG] = [:], name: String = "sample") throws {
    folder =
      FileManager.default.temporaryDirectory
      .appending(path: "backflow-handout-\(UUID().uuidString)").path
    paths = SessionPaths(named: "\(folder)/\(name)")
    try FileManager.default.createDirectory(
      atPath: paths.pictures, withIntermediateDirectories: true)
    // A stamp anywhere says that it was recorded.
    let stamp = lines.contains { $0.hasPrefix("#@") } ? [] : ["#@ backflow: 0.1.0"]
    try Data(((lines + stamp).joined(separator: "\n") + "\n").utf8)
      .write(to: URL(filePath: paths.file))
    for (path, png) in pictures {
      try png.write(to: "\(paths.pictures)/\(path)")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func handout(for audience: Handout.Audience = .everybody) throws -> Handout {
    try Handout(try SessionPack(collecting: paths), for: audience, commands: Self.commands)
  }

  /// The page of a form.
  func page(
    _ form: HandoutForm, for audience: Handout.Audience = .everybody
  ) throws -> String {
    let files = try handout(for: audience).files(form, named: "page")
    return files.first.map { String(decoding: $0.data, as: UTF8.self) } ?? ""
  }

  /// Commands that color the lines of the samples.
  static let commands =
    [
      CommandSpec("view", family: .looking, summary: "View.", examples: ["view"]),
      CommandSpec("noise gaussian", family: .data, summary: "Noise.", examples: ["noise gaussian"]),
    ]
    + quizRoles.map { CommandSpec($0, family: .stepping, summary: $0, examples: [], quizRole: $1) }

  private static let quizRoles: KeyValuePairs<String, QuizRole> = [
    "quiz": .asks, "answer": .answers, "explain": .explains, "run": .runsFile,
  ]

  /// A grey picture with a pattern of its own.
  static func picture(_ seed: Int, side: Int = 8) -> Picture {
    Picture(
      width: side, height: side,
      samples: (0..<side * side).map { UInt16(($0 * 7 + seed * 31) % 256) })
  }

  /// The line of a transcript that names a picture.
  static func line(_ path: String, _ picture: Picture) -> String {
    "[png \(path) \(picture.summary) px:\(picture.pixelFingerprint)]"
  }

  /// A `view` of each name, with its picture and its line.
  static func views(_ names: [String]) throws -> Sample {
    var lines: [String] = []
    var pictures: [String: PNG] = [:]
    for (index, name) in names.enumerated() {
      let path = "view-\(index).png"
      pictures[path] = PNG(picture(index))
      lines += ["> view \(name)", line(path, picture(index))]
    }
    return try Sample(lines, pictures: pictures)
  }
}
