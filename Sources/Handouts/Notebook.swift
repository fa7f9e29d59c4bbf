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
        "language_info": [
          "name": "backflow", "file_extension": ".session", "mimetype": "text/plain",
          "pygments_lexer": "text",
        ],
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
    case .lines(let lines):
      stream("stdout", lines.map { OutputText($0).text }.joined(separator: "\n") + "\n")
    case .missing(let path, let reason):
      stream("stderr", "\(path): \(reason)\n")
    case .curve(let plot):
      [
        "output_type": "display_data",
        "data": ["image/svg+xml": lines(plot.svg), "text/plain": lines(plot.title)],
        "metadata": [:],
      ]
    case .plate(let plate):
      [
        "output_type": "display_data",
        "data": [
          "image/png": .string(Data(plate.png).base64EncodedString()),
          "text/plain": lines(plate.caption),
        ],
        "metadata": [
          "image/png": [
            "width": .integer(plate.shownWidth), "height": .integer(plate.shownHeight),
          ]
        ],
      ]
    }
  }

  private static func stream(_ name: JSONValue, _ text: String) -> JSONValue {
    ["output_type": "stream", "name": name, "text": lines(text)]
  }

  /// A text in the form of the format: a list of lines, each with its line feed.
  private static func lines(_ text: String) -> JSONValue {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return .array(
      lines.enumerated().compactMap { index, line in
        let isLast = index == lines.count - 1
        return isLast && line.isEmpty ? nil : .string(isLast ? String(line) : "\(line)\n")
      })
  }
}
