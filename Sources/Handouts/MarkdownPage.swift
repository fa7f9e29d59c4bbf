import CommandLanguage
import Figures
import Mustache

/// The values of the template of the Markdown page; the names are those of
/// `Templates/handout.markdown.mustache`.
private struct MarkdownPage {
  struct Picture {
    let alt: String
    /// The path, escaped for Markdown.
    let path: String
  }

  struct Block {
    var fence: String?
    var picture: Picture?
    var missing: String?
    /// Markup of our own, which is not escaped.
    var markup: String?
  }

  struct Section {
    let part: Int
    let heading: String?
    let prose: [ProseText]
    let blocks: [Block]
  }

  let name: String
  let introduction: [ProseText]
  let doubts: [String]
  let contents: [ContentsLine]
  let hasContents: Bool
  let sections: [Section]
  let stamps: [StampLine]
}

/// Lines in a code fence longer than any run of backticks in them.
private func fenced(_ lines: [String], _ language: String = "") -> String {
  let longest =
    lines.flatMap { $0.split { $0 != "`" } }.map(\.count).max() ?? 0
  let fence = String(repeating: "`", count: max(3, longest + 1))
  return ([fence + language] + lines + [fence]).joined(separator: "\n")
}

/// Prose whose verbatim lines stand in a code fence.
private func fencedText(_ prose: Handout.Prose) -> ProseText {
  ProseText(prose) { fenced($0.split(separator: "\n").map(String.init)) }
}

extension Handout {
  /// A picture file beside a page.
  struct PictureFile {
    let name: String
    let bytes: [UInt8]
  }

  /// The handout as Markdown, and its pictures in the folder `pictures` beside it.
  func markdown(pictures folder: String) -> (text: String, pictures: [PictureFile]) {
    var pictures: [PictureFile] = []
    let sections = sections.enumerated().map { index, section in
      MarkdownPage.Section(
        part: index + 1, heading: section.heading,
        prose: section.prose.map(fencedText),
        blocks: section.steps.flatMap { step in markdownBlocks(step, folder, &pictures) })
    }
    let page = MarkdownPage(
      name: name, introduction: introduction.map(fencedText), doubts: doubts, contents: contents,
      hasContents: !contents.isEmpty, sections: sections,
      stamps: stampLines)
    let text = Templates.template(
      PackageResources.handout_markdown_mustache, "HANDOUT_MARKDOWN", MarkdownText()
    ).render(page)
    return (text, pictures)
  }

  /// A command and its output in one fence, then its pictures.
  private func markdownBlocks(
    _ step: Step, _ folder: String, _ pictures: inout [PictureFile]
  ) -> [MarkdownPage.Block] {
    var lines = step.visibleCommand.split(separator: "\n").map { "> \($0)" }
    var blocks: [MarkdownPage.Block] = []
    for part in step.parts {
      switch part {
      case .lines(let output):
        lines += output.map { OutputText($0).text }
      case .missing(let path, let reason):
        blocks.append(MarkdownPage.Block(missing: "\(path): \(reason)"))
      case .curve(let plot):
        let name = "line-\(step.line)-\(plot.fileName)"
        pictures.append(PictureFile(name: name, bytes: Array(plot.svg.utf8)))
        blocks.append(
          MarkdownPage.Block(
            picture: MarkdownPage.Picture(alt: plot.title, path: "<\(folder)/\(name)>")))
      case .plate(let plate):
        let name = "\(plate.number)-\(plate.fileName)"
        pictures.append(PictureFile(name: name, bytes: plate.file))
        blocks.append(
          MarkdownPage.Block(
            picture: MarkdownPage.Picture(
              alt: "\(plate.command) · \(plate.caption)", path: "<\(folder)/\(name)>")))
      }
    }
    let all = [MarkdownPage.Block(fence: fenced(lines, "text"))] + blocks
    guard step.isAnswer else { return all }
    return [MarkdownPage.Block(markup: "<details>\n<summary>Answer</summary>")] + all
      + [MarkdownPage.Block(markup: "</details>")]
  }
}
