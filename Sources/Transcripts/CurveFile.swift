package import CommandLanguage
import Foundation

/// The curves of a session's results, as stored in `NAME.curves.json` beside the session.
package struct CurveFile: Hashable, Sendable, Codable {
  /// The curves of a command, with its output, by which they are recognized.
  struct Entry: Hashable, Sendable, Codable {
    let command: String
    let output: [String]
    let curves: [ResultCurve]

    init(_ command: String, _ output: [String], _ curves: [ResultCurve]) {
      self.command = command
      self.output = Self.comparable(output)
      self.curves = curves
    }

    /// The lines without text that differs from run to run.
    static func comparable(_ output: [String]) -> [String] {
      output.filter { !$0.allSatisfy(\.isWhitespace) }.map {
        $0.replacing(/\\?<[^>]*>/, with: "<>").replacing(/([0-9])~[0-9.e+-]+%?/) { $0.output.1 }
      }
    }
  }

  private(set) var entries: [Entry] = []

  package init() {}

  /// Reads the bytes of a file; damaged ones give no curves.
  package init(bytes: [UInt8]) {
    self = (try? JSONDecoder.ofAnyNumbers.decode(CurveFile.self, from: Data(bytes))) ?? CurveFile()
  }

  /// Reads the file at a path, if there is one.
  init(path: String) {
    self.init(bytes: (try? Data(contentsOf: URL(filePath: path))).map { Array($0) } ?? [])
  }

  /// Adds the curves of a command with its output, if there are any.
  mutating func add(_ curves: [ResultCurve], command: String, output: [String]) {
    if !curves.isEmpty { entries.append(Entry(command, output, curves)) }
  }

  /// Adds the entries of another file that are missing here.
  mutating func add(_ other: CurveFile) {
    entries += other.entries.filter { !entries.contains($0) }
  }

  /// Removes and returns the curves of the first entry with this command and output; empty if none.
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

  /// Adds the file, or removes it where there are no curves.
  func add(to files: WholeFiles, as path: String) throws(SessionError) {
    guard !entries.isEmpty else { return files.remove(path) }
    let data: Data
    do {
      data = try JSONEncoder.ofAnyNumbers.encode(self) + Data("\n".utf8)
    } catch {
      preconditionFailure("Curves are numbers and words: \(error)")
    }
    try PictureFiles.reporting { () throws(WholeFiles.Failure) in try files.add(data, as: path) }
  }
}
