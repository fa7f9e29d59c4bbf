import CommandLanguage
import Figures
import Foundation
import Handouts
import Jupyter
import Transcripts

/// The outcome of a command in the formats of a notebook.
struct CellRendering {
  private(set) var outputs: [CellOutput] = []
  /// Lines of text that are not yet an output.
  private var lines: [String] = []
  /// Whether the lines below a figure are its statistics.
  private let isOfFigure: Bool

  /// The style of text that a notebook shows as it shows the text of streams.
  static let style = """
    font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);\
    line-height:1.4;white-space:pre-wrap
    """

  /// Renders an outcome.
  ///
  /// - Parameters:
  ///   - outcome: The outcome.
  ///   - spec: The command.
  ///   - isLast: Whether a table at the end is the cell's result.
  ///   - count: The number of early warnings that were shown.
  init(_ outcome: Outcome, _ spec: CommandSpec?, isLast: Bool, after count: Int) {
    isOfFigure = spec?.looksOnly ?? false
    warn(outcome.foreword.dropFirst(count).map { "warning: \($0)" })
    if spec?.family == .stepping, outcome.blocks.contains(where: \.isTable) {
      add(outcome.blocks, outcome.drawing)
    } else {
      for block in outcome.blocks { add(block) }
      endLines()
    }
    let result = outputs.lastIndex {
      if case .display(let bundle) = $0 { bundle.isTable } else { false }
    }
    if isLast, let result, case .display(let bundle) = outputs[result] {
      outputs[result] = .result(bundle)
    }
    warn(outcome.warnings.map { "warning: \($0)" })
    // Remarks are no part of the record.
    outputs += outcome.remarks.map { remark in
      .display(
        MimeBundle(
          text: VisibleText.visible(remark),
          metadata: .object([.init(Notebook.own, ["recorded": false])])))
    }
  }

  private mutating func warn(_ texts: [String]) {
    guard !texts.isEmpty else { return }
    outputs.append(.text(texts.map { VisibleText.visible($0) + "\n" }.joined(), .stderr))
  }

  private mutating func endLines() {
    guard !lines.isEmpty else { return }
    // The statistics of a figure are drawn in it, and are its text for those who do not see it.
    if isOfFigure, case .display(let figure)? = outputs.last, figure.isDrawing {
      outputs[outputs.count - 1] = .display(figure.adding(lines))
    } else {
      outputs.append(.text(lines.joined(separator: "\n") + "\n", .stdout))
    }
    lines = []
  }

  private mutating func add(_ block: Outcome.Block) {
    switch block {
    case .line(let line): lines.append(line.rendered)
    case .table(let table):
      endLines()
      outputs.append(
        .display(MimeBundle(text: table.text, [.init("text/html", .string(table.html))])))
    case .picture(let picture):
      endLines()
      outputs.append(.display(MimeBundle(picture)))
    }
  }

  /// A drawing in SVG as HTML, in which it becomes narrower where there is less room.
  private static func fitted(_ drawing: String) -> String {
    let style = "<svg style=\"max-width:100%;height:auto\" "
    return "<div>\(drawing.replacing("<svg ", with: style, maxReplacements: 1))</div>"
  }

  /// Adds a screen of the stepper as one display, under its drawing if there is one.
  private mutating func add(_ blocks: [Outcome.Block], _ drawing: String?) {
    var (text, html): ([String], [String]) = ([], drawing.map { [Self.fitted($0)] } ?? [])
    for block in blocks {
      switch block {
      case .line(let line):
        text.append(line.rendered)
        html.append("<div style=\"\(Self.style)\">\(HTML.escaped(line.shown))</div>")
      case .table(let table):
        text.append(table.text)
        html.append(table.html)
      case .picture(let picture): text.append(picture.line)
      }
    }
    outputs.append(
      .display(
        MimeBundle(
          text: text.joined(separator: "\n"),
          [.init("text/html", .string(html.joined(separator: "\n")))])))
  }
}

extension Outcome.Block {
  fileprivate var isTable: Bool {
    if case .table = self { true } else { false }
  }
}

extension MimeBundle {
  /// A picture: a drawing as SVG, pixels as they are in the file.
  fileprivate init(_ picture: RecordedPicture) {
    if let drawing = picture.drawing {
      self.init(text: picture.line, [.init("image/svg+xml", .string(drawing))])
      return
    }
    let bytes = picture.place.flatMap { try? Data(contentsOf: URL(filePath: $0)) }
    let type = picture.kind == "gif" ? "image/gif" : "image/png"
    let factor = magnification(width: picture.width, height: picture.height)
    self.init(
      text: picture.line,
      bytes.map { [.init(type, .string($0.base64EncodedString()))] } ?? [],
      metadata: .object([
        .init(
          type,
          [
            "width": .integer(picture.width * factor),
            "height": .integer(picture.height * factor),
          ])
      ]))
  }

  fileprivate var isTable: Bool { data.contains { $0.key == "text/html" } }

  fileprivate var isDrawing: Bool { data.contains { $0.key == "image/svg+xml" } }

  /// The same with more lines in its plain form.
  fileprivate func adding(_ lines: [String]) -> MimeBundle {
    guard case .string(let text)? = data.first?.value else { return self }
    return MimeBundle(
      text: ([text] + lines).joined(separator: "\n"), Array(data.dropFirst()), metadata: metadata)
  }
}

extension OutputTable {
  /// The table as it is recorded.
  fileprivate var text: String { lines.map(\.rendered).joined(separator: "\n") }

  /// The table in HTML: numbers at the right, words at the left.
  fileprivate var html: String {
    func row(_ cells: [String], _ tag: String) -> String {
      let texts = cells.enumerated().map { index, cell in
        let side = index < columns.count && columns[index].isNumeric ? "right" : "left"
        return "<\(tag) style=\"text-align:\(side)\">\(HTML.escaped(cell))</\(tag)>"
      }
      return "<tr>\(texts.joined())</tr>"
    }
    let titles = columns.map(\.title)
    let head =
      titles.allSatisfy(\.isEmpty) ? "" : "<thead>\(row(titles, "th"))</thead>"
    let body = rows.map { cells in row(cells.map(\.shown), "td") }.joined(separator: "\n")
    return "<table>\(head)<tbody>\n\(body)\n</tbody></table>"
  }
}
