import CommandLanguage
import Foundation
import LineEditing

/// A Jupyter notebook as a session: its code cells hold commands, their outputs are the record.
///
/// The text of a cell's two streams and the plain form of its displays are the lines of output of its
/// commands together, since a notebook does not tell which command printed which.
/// Markdown is for the reader. A command's number is 10,000 times the number of its cell plus the
/// number of its line in the cell.
///
/// Source: the notebook format 4.5, https://nbformat.readthedocs.io.
package struct NotebookFile: Sendable {
  /// The lines of a cell that have numbers.
  static let numbersOfCell = 10_000

  private let json: JSONValue
  private let cells: [JSONValue]
  private let name: String

  /// Whether a path is that of a notebook, by its ending.
  package static func isNotebook(_ path: String) -> Bool { path.lowercased().hasSuffix(".ipynb") }

  /// Reads a notebook.
  init(path: String) throws(SessionError) {
    do {
      try self.init(bytes: Array(Data(contentsOf: URL(filePath: path))), name: path)
    } catch {
      throw error as? SessionError
        ?? SessionError(path, "cannot be read: \(SystemReason.words(error)); check the path")
    }
  }

  /// Reads the bytes of a notebook called `name`.
  ///
  /// - Throws: `SessionError` when it is none of format 4.
  init(bytes: [UInt8], name: String) throws(SessionError) {
    guard let json = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)),
      json["nbformat"] == 4, case .array(let cells)? = json["cells"]
    else {
      throw SessionError(name, "is no notebook of format 4; save it again with Jupyter")
    }
    (self.json, self.cells, self.name) = (json, cells, name)
  }

  /// A line of a session file or a notebook as it is named to a person.
  static func place(of line: Int, in file: String) -> String {
    guard isNotebook(file) else { return "\(file):\(line)" }
    return "\(file): cell \(line / numbersOfCell), line \(line % numbersOfCell)"
  }

  // MARK: - As a session

  /// The notebook's commands, notes and outputs.
  func session() throws(SessionError) -> SessionFile {
    var elements: [SessionFile.Element] = []
    func add(_ content: SessionFile.Content) {
      elements.append(.init(line: 0, content: content))
    }
    for stamp in stamps { add(.stamp(stamp)) }
    var partial: Set<Int> = []
    var hasOutput = false
    for (index, cell) in cells.enumerated() {
      let base = (index + 1) * Self.numbersOfCell
      if cell["cell_type"] == "markdown" {
        for line in Self.text(cell["source"]).split(separator: "\n") { add(.comment("# \(line)")) }
      }
      guard cell["cell_type"] == "code" else { continue }
      let commands = CellLines.commands(in: Self.text(cell["source"]))
      var numbers: [Int] = []
      for command in commands {
        let start = command.text.first { !$0.isWhitespace }
        if start == nil || start == "#" {
          add(start == nil ? .blank : .comment(command.text.trimmingCharacters(in: .whitespaces)))
        } else {
          numbers.append(base + command.number)
          elements.append(.init(line: base + command.number, content: .command(command.text)))
        }
      }
      partial.formUnion(numbers.dropLast())
      let lines = Self.lines(ofOutputs: cell)
      let last = commands.last.map { $0.number + $0.text.count { $0 == "\n" } } ?? 0
      guard last + lines.count < Self.numbersOfCell else {
        throw SessionError(name, "cell \(index + 1) has 10000 lines or more; split it")
      }
      guard !numbers.isEmpty else { continue }
      for (number, line) in lines.enumerated() {
        hasOutput = true
        elements.append(
          .init(
            line: base + last + 1 + number,
            content: line.allSatisfy(\.isWhitespace) ? .blank : .output(line)))
      }
    }
    return SessionFile(elements: elements, isScript: !hasOutput, partial: partial)
  }

  /// The stamps of the machine that computed the outputs, as a kernel told them.
  private var stamps: [Stamp] {
    guard case .object(let members)? = json["metadata"]?["language_info"]?["backflow"]?["stamps"]
    else { return [] }
    return members.compactMap { member in
      if case .string(let value) = member.value { Stamp(member.key, value) } else { nil }
    }
  }

  /// A text that is given whole or as a list of lines.
  private static func text(_ value: JSONValue?) -> String {
    switch value {
    case .string(let text)?: text
    case .array(let lines)?:
      lines.map { if case .string(let line) = $0 { line } else { "" } }.joined()
    default: ""
    }
  }

  private static func lines(ofOutputs cell: JSONValue) -> [String] {
    guard case .array(let outputs)? = cell["outputs"] else { return [] }
    return outputs.flatMap { output -> [String] in
      guard output["metadata"]?[Notebook.own]?["recorded"] != false else { return [] }
      var text =
        output["output_type"] == "stream"
        ? Self.text(output["text"])
        : Self.text(output["data"]?["text/plain"])
      if text.hasSuffix("\n") { text.removeLast() }
      return text.isEmpty ? [] : text.components(separatedBy: "\n")
    }
  }

  // MARK: - With other outputs

  /// Returns the notebook with other outputs.
  ///
  /// - Parameters:
  ///   - stamps: Where they were computed.
  ///   - outputs: The lines of output, by the number of the command that they follow.
  ///   - lines: Other lines of output, by their own number.
  ///   - picture: Returns the PNG file of a recorded picture that is new.
  /// - Returns: The file, with keys in order and an indent of 1, as Jupyter writes it.
  /// - Throws: `SessionError` when a cell is too long.
  func rewritten(
    stamps: [Stamp], outputs: [Int: [String]], lines: [Int: String],
    picture: (String) -> Data?
  ) throws(SessionError) -> Data {
    let session = try session()
    var fresh: [Int: [String]] = [:]
    for entry in session.entries where !session.partial.contains(entry.line) {
      let old = entry.outputs.map(\.text)
      let new =
        outputs[entry.line] ?? entry.outputs.map { lines[$0.line] ?? $0.text }
      if new.filter({ !$0.allSatisfy(\.isWhitespace) }) != old {
        fresh[entry.line / Self.numbersOfCell - 1] = new
      }
    }
    let cells = cells.enumerated().map { index, cell in
      guard let lines = fresh[index] else { return cell }
      return cell.setting("outputs", .array(Self.outputs(lines, old: cell, picture)))
    }
    return Data(
      (json.setting("cells", .array(cells)).setting("metadata", metadata(stamps)).indented + "\n")
        .utf8)
  }

  /// The metadata with the stamps of new outputs.
  private func metadata(_ stamps: [Stamp]) -> JSONValue {
    let old = json["metadata"] ?? [:]
    let language = old["language_info"] ?? ["name": "backflow"]
    return old.setting(
      "language_info", language.setting(Notebook.own, Notebook.facts(stamps: stamps)))
  }

  /// The outputs for lines; a picture that the cell showed before stays as it was.
  private static func outputs(
    _ lines: [String], old cell: JSONValue, _ picture: (String) -> Data?
  ) -> [JSONValue] {
    var shown: [JSONValue] = []
    if case .array(let outputs)? = cell["outputs"] { shown = outputs }
    var result: [JSONValue] = []
    var text: [String] = []
    func end() {
      if !text.isEmpty { result.append(Notebook.stream(text)) }
      text = []
    }
    for line in lines {
      guard let path = PictureLine.path(in: line) else {
        text.append(line)
        continue
      }
      end()
      let former = shown.first { Self.text($0["data"]?["text/plain"]) == line }
      result.append(
        former ?? Notebook.display(line, picture(path).map { ("image/png", $0) }))
    }
    end()
    return result
  }
}

extension JSONValue {
  /// The object with another value of a key.
  fileprivate func setting(_ key: String, _ value: JSONValue) -> JSONValue {
    guard case .object(var members) = self else { return self }
    if let index = members.firstIndex(where: { $0.key == key }) {
      members[index] = Member(key, value)
    } else {
      members.append(Member(key, value))
    }
    return .object(members)
  }

  /// The value as JSON on several lines, with an indent of 1 and sorted keys.
  fileprivate var indented: String { indented(by: 0) }

  private func indented(by depth: Int) -> String {
    func block(_ open: String, _ parts: [String], _ close: String) -> String {
      guard !parts.isEmpty else { return open + close }
      let inner = parts.map { String(repeating: " ", count: depth + 1) + $0 }
      return "\(open)\n\(inner.joined(separator: ",\n"))\n"
        + String(repeating: " ", count: depth) + close
    }
    switch self {
    case .array(let values): return block("[", values.map { $0.indented(by: depth + 1) }, "]")
    case .object(let members):
      let parts = members.sorted { $0.key < $1.key }
        .map { "\(JSONValue.string($0.key).text): \($0.value.indented(by: depth + 1))" }
      return block("{", parts, "}")
    default: return text
    }
  }
}
