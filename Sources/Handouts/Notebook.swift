import CommandLanguage
import Figures
import Foundation
import Transcripts

extension Handout {
  /// The handout as a Jupyter notebook: comments as Markdown, commands as cells with their outputs.
  ///
  /// Source: the notebook format 4.5, https://nbformat.readthedocs.io.
  var notebook: String {
    let beginning =
      ["# \(Self.escaped(name))", introduction.map(Self.markdown).joined(separator: "\n\n")]
      + doubts.map { "*\(Self.escaped($0))*" }
    var cells = [markdownCell(beginning.joined(separator: "\n\n"))]
    var count = 0
    for section in sections {
      let heading = section.heading.map { "## \(Self.escaped($0))" }
      let words = [heading].compactMap(\.self) + section.prose.map(Self.markdown)
      if !words.isEmpty { cells.append(markdownCell(words.joined(separator: "\n\n"))) }
      for step in section.steps {
        count += 1
        cells.append(
          step.isAnswer
            ? markdownCell("*Your turn:* `answer VALUE`") : codeCell(step, count: count))
      }
    }
    let stamp = stamps.map { "- \(Self.escaped($0.key)): \(Self.escaped($0.value))" }
    cells.append(
      markdownCell(
        (["## Where it was recorded", ""] + stamp).joined(separator: "\n")))
    let notebook: JSONValue = [
      "cells": .array(
        cells.enumerated().map { index, cell in
          .object([.init("id", .string("cell-\(index + 1)"))] + cell)
        }),
      "metadata": [
        "kernelspec": ["display_name": "Backflow", "language": "backflow", "name": "backflow"],
        "language_info": Notebook.language(version: nil, stamps: self.stamps),
        "title": .string(name),
      ],
      "nbformat": 4, "nbformat_minor": 5,
    ]
    return notebook.text + "\n"
  }

  private static func markdown(_ prose: Prose) -> String {
    switch prose {
    case .paragraph(let text): escaped(text)
    case .verbatim(let text):
      text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
    }
  }

  private static func escaped(_ text: String) -> String { MarkdownText().escapeText(text) }

  private func markdownCell(_ text: String) -> [JSONValue.Member] {
    [
      .init("cell_type", "markdown"), .init("metadata", [:]),
      .init("source", Self.lines(text)),
    ]
  }

  private func codeCell(_ step: Step, count: Int) -> [JSONValue.Member] {
    [
      .init("cell_type", "code"), .init("execution_count", .integer(count)),
      .init("metadata", ["backflow": ["line": .integer(step.line)]]),
      .init("outputs", .array(step.parts.map(Self.output))),
      .init("source", Self.lines(step.visibleCommand)),
    ]
  }

  private static func output(_ part: Part) -> JSONValue {
    switch part {
    case .lines(let lines): Notebook.stream(lines)
    case .missing(let path, let reason):
      Notebook.display("\(path): \(reason)", nil, isRecorded: false)
    case .curve(let plot):
      Notebook.display(
        plot.title, ("image/svg+xml", Data(plot.svg.utf8)), isRecorded: false)
    case .plate(let plate):
      Notebook.display(
        // Converters of notebooks know no GIF.
        plate.line, ("image/png", Data(plate.png)),
        size: (plate.shownWidth, plate.shownHeight))
    }
  }

  private static func lines(_ text: String) -> JSONValue { Notebook.lines(text) }
}
