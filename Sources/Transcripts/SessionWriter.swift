import CommandLanguage
import Foundation

/// Builds the text of a session file.
struct SessionWriter {
  private var lines: [String] = []
  /// The commands that were added.
  private(set) var commands: [String] = []

  /// The file's text, with a line feed at its end.
  var text: String { lines.joined(separator: "\n") + (lines.isEmpty ? "" : "\n") }

  mutating func addHeader(_ stamps: [Stamp]) {
    lines.append(SessionFile.header)
    lines += stamps.map(\.line)
  }

  /// Adds a comment or a blank line unchanged.
  mutating func add(verbatim line: String) { lines.append(line) }

  mutating func add(command: String) {
    commands.append(command)
    lines += SessionLine.lines(ofCommand: command)
  }

  /// Adds lines of output, without blank lines at both ends.
  mutating func add(outputs: [String]) {
    let isBlank = { (line: String) in line.allSatisfy(\.isWhitespace) }
    let first = outputs.firstIndex { !isBlank($0) } ?? outputs.endIndex
    let last = outputs.lastIndex { !isBlank($0) } ?? outputs.startIndex
    guard first <= last, first < outputs.endIndex else { return }
    lines += outputs[first...last].map(SessionLine.escaped)
  }

  /// Writes the file in one step, so that no reader sees half of it.
  func write(to path: String) throws(SessionError) {
    let files = WholeFiles()
    try add(to: files, as: path)
    try PictureFiles.commit(files)
  }

  /// Adds the file to others that are written with it.
  func add(to files: WholeFiles, as path: String) throws(SessionError) {
    try PictureFiles.reporting { () throws(WholeFiles.Failure) in
      try files.add(Data(text.utf8), as: path)
    }
  }
}
