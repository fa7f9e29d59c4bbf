package import CommandLanguage
import Foundation

/// The curves behind a session's results, as `NAME.curves.json` beside the session holds them.
package struct CurveFile: Hashable, Sendable, Codable {
  /// The curves of a command, known by what it said: after another run they are another's.
  struct Entry: Hashable, Sendable, Codable {
    let command: String
    let output: [String]
    let curves: [ResultCurve]

    init(_ command: String, _ output: [String], _ curves: [ResultCurve]) {
      self.command = command
      self.output = Self.comparable(output)
      self.curves = curves
    }

    /// The lines without what differs from run to run.
    static func comparable(_ output: [String]) -> [String] {
      output.filter { !$0.allSatisfy(\.isWhitespace) }.map {
        $0.replacing(/\\?<[^>]*>/, with: "<>").replacing(/([0-9])~[0-9.e+-]+%?/) { $0.output.1 }
      }
    }
  }

  private(set) var entries: [Entry] = []

  package init() {}

  /// Reads the bytes of a file; what is none holds no curves.
  package init(bytes: [UInt8]) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    self = (try? decoder.decode(CurveFile.self, from: Data(bytes))) ?? CurveFile()
  }

  /// Reads the file at a path, if there is one.
  init(path: String) {
    self.init(bytes: (try? Data(contentsOf: URL(filePath: path))).map { Array($0) } ?? [])
  }

  /// Adds the curves of a command that said `output`, if there are any.
  mutating func add(_ curves: [ResultCurve], command: String, output: [String]) {
    if !curves.isEmpty { entries.append(Entry(command, output, curves)) }
  }

  /// Adds the entries of another file that are not here.
  mutating func add(_ other: CurveFile) {
    entries += other.entries.filter { !entries.contains($0) }
  }

  /// Takes out the curves of the next command that reads `command` and said `output`.
  package mutating func take(command: String, output: [String]) -> [ResultCurve] {
    let said = Entry.comparable(output)
    let index = entries.firstIndex { $0.command == command && $0.output == said }
    return index.map { entries.remove(at: $0).curves } ?? []
  }

  /// Writes the file in one step, or removes it where there are no curves.
  func write(to path: String) throws(SessionError) {
    let files = WholeFiles()
    try add(to: files, as: path)
    try PictureFiles.commit(files)
  }

  /// Adds the file, or lets it go where there are no curves.
  func add(to files: WholeFiles, as path: String) throws(SessionError) {
    guard !entries.isEmpty else { return files.remove(path) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let data: Data
    do {
      data = try encoder.encode(self) + Data("\n".utf8)
    } catch {
      preconditionFailure("Curves are numbers and words: \(error)")
    }
    try PictureFiles.reporting { () throws(WholeFiles.Failure) in try files.add(data, as: path) }
  }
}
