import CommandLanguage
import Figures
import Fingerprints
import Foundation
import Mustache
import Transcripts

/// The values of the template of the HTML page.
///
/// The names are those of `Templates/handout.html.mustache`. A value is escaped there unless it
/// stands in three braces, as our own style, script and drawings do.
private struct HTMLPage {
  struct Piece {
    let kind: String
    let text: String
  }

  struct Span {
    let text: String
    let isVolatile: Bool
  }

  struct Line {
    let spans: [Span]
    let isWarning: Bool
  }

  struct Output {
    let lines: [Line]
  }

  struct Missing {
    let path: String
    let reason: String
  }

  struct Picture {
    let number: Int
    let source: String
    let alt: String
    let width: Int, height: Int
    let isMagnified: Bool
    let caption: String
  }

  struct Frame {
    /// The id of the hidden image that the frame shows; nil if it has a file of its own.
    var of: String?
    var file: String?
    let label: String
    let width: Int, height: Int
    let isShown: Bool
  }

  struct Reel {
    let frames: [Frame]
    /// Whether the frames are elsewhere on the page, so that it shows nothing without a script.
    let needsScript: Bool
    let isMagnified: Bool
    let last: Int, start: Int
    let what: String
    let caption: String
  }

  struct Choice {
    let id: String
    let label: String
    let isLeft: Bool
    let isRight: Bool
  }

  struct HiddenImage {
    let id: String
    let source: String
  }

  struct Comparison {
    let hidden: [HiddenImage]
    let choices: [Choice]
    let width: Int, height: Int
    let isMagnified: Bool
    let caption: String
  }

  struct Curve {
    /// The drawing as SVG, with its words escaped.
    let svg: String
  }

  struct Part {
    var output: Output?
    var missing: Missing?
    var picture: Picture?
    var reel: Reel?
    var comparison: Comparison?
    var curve: Curve?
  }

  struct Step {
    let line: Int
    let isAnswer: Bool
    let pieces: [Piece]
    let parts: [Part]
  }

  struct Section {
    let part: Int
    let heading: String?
    let prose: [ProseText]
    let steps: [Step]
  }

  let name: String
  let fileName: String
  let facts: String
  let sourceData: String
  let introduction: [ProseText]
  let doubts: [String]
  let contents: [ContentsLine]
  let hasContents: Bool
  let sections: [Section]
  let stamps: [StampLine]
  let style: String
  let styleDigest: String
  let script: String
  let scriptDigest: String
}

extension Handout {
  /// The handout as one HTML file that needs no other and no network.
  ///
  /// Its security policy lists the digests of its own style and script, so that a browser runs
  /// nothing else, whatever a session holds.
  var html: String {
    let style = String(decoding: PackageResources.handout_css, as: UTF8.self)
    let script = String(decoding: PackageResources.handout_js, as: UTF8.self)
    let coloring = SyntaxColoring(commands)
    let groups = Dictionary(grouping: PlateGroup.groups(of: plates), by: \.place)
    let byNumber = Dictionary(uniqueKeysWithValues: plates.map { ($0.number, $0) })
    let sections = sections.enumerated().map { index, section in
      HTMLPage.Section(
        part: index + 1, heading: section.heading, prose: section.prose.map { ProseText($0) },
        steps: section.steps.map { step in
          HTMLPage.Step(
            line: step.line, isAnswer: step.isAnswer,
            pieces: coloring.pieces(of: step.visibleCommand).map {
              HTMLPage.Piece(kind: $0.kind.rawValue, text: $0.text)
            },
            parts: step.parts.flatMap { part in
              htmlParts(part, groups: groups, plates: byNumber)
            })
        })
    }
    let page = HTMLPage(
      name: name, fileName: fileName, facts: facts,
      sourceData: Data(source.utf8).base64EncodedString(),
      introduction: introduction.map { ProseText($0) }, doubts: doubts, contents: contents,
      hasContents: !contents.isEmpty, sections: sections,
      stamps: stampLines, style: style,
      styleDigest: Self.digest(style), script: script, scriptDigest: Self.digest(script))
    return Templates.template(PackageResources.handout_html_mustache, "HANDOUT_HTML", HTMLText())
      .render(page)
  }

  /// The digest of a text in the form of a security policy.
  private static func digest(_ text: String) -> String {
    Data(SHA256Digest(of: text).bytes).base64EncodedString()
  }

  private func htmlParts(
    _ part: Part, groups: [Int: [PlateGroup]], plates: [Int: Plate]
  ) -> [HTMLPage.Part] {
    switch part {
    case .lines(let lines):
      return [HTMLPage.Part(output: HTMLPage.Output(lines: lines.map(Self.htmlLine)))]
    case .missing(let path, let reason):
      return [HTMLPage.Part(missing: HTMLPage.Missing(path: path, reason: reason))]
    case .curve(let plot):
      return [HTMLPage.Part(curve: HTMLPage.Curve(svg: plot.svg))]
    case .plate(let plate):
      guard plate.frames.isEmpty else { return [HTMLPage.Part(reel: reel(plate))] }
      let picture = HTMLPage.Picture(
        number: plate.number, source: Self.source(plate.file), alt: plate.alt,
        width: plate.shownWidth, height: plate.shownHeight,
        isMagnified: plate.magnification > 1, caption: plate.caption)
      let own = plate.tiles.count > 1 ? [HTMLPage.Part(comparison: comparison(plate))] : []
      let shared = (groups[plate.number] ?? []).map { htmlPart($0, plates) }
      return [HTMLPage.Part(picture: picture)] + own + shared
    }
  }

  private static func htmlLine(_ line: String) -> HTMLPage.Line {
    HTMLPage.Line(
      spans: OutputText(line).pieces.map {
        HTMLPage.Span(text: $0.text, isVolatile: $0.isVolatile)
      },
      isWarning: line.hasPrefix("warning: "))
  }

  private static func source(_ png: [UInt8]) -> String {
    "data:image/png;base64,\(Data(png).base64EncodedString())"
  }

  // MARK: - Series and comparisons of pictures

  private func htmlPart(_ group: PlateGroup, _ plates: [Int: Plate]) -> HTMLPage.Part {
    let first = group.members.first.flatMap { plates[$0.plate] }
    let (width, height) = (first?.shownWidth ?? 0, first?.shownHeight ?? 0)
    let isMagnified = first.map { $0.magnification > 1 } ?? false
    let members = group.members.map { (id: "picture-\($0.plate)", label: $0.label) }
    switch group.kind {
    case .series:
      return HTMLPage.Part(
        reel: HTMLPage.Reel(
          frames: members.enumerated().map { index, member in
            HTMLPage.Frame(
              of: member.id, label: member.label, width: width, height: height,
              isShown: index == 0)
          }, needsScript: true, isMagnified: isMagnified, last: members.count - 1, start: 0,
          what: "Slice",
          caption: "The slices above, one after the other"))
    case .comparison:
      return HTMLPage.Part(
        comparison: HTMLPage.Comparison(
          hidden: [], choices: choices(members), width: width, height: height,
          isMagnified: isMagnified,
          caption: "Drag to compare \(members.map(\.label).joined(separator: ", "))"))
    }
  }

  /// The frames of an animation; it begins with the last, which is the result.
  private func reel(_ plate: Plate) -> HTMLPage.Reel {
    let last = plate.frames.count - 1
    return HTMLPage.Reel(
      frames: plate.frames.enumerated().map { index, frame in
        HTMLPage.Frame(
          file: Self.source(frame.png), label: frame.name, width: plate.shownWidth,
          height: plate.shownHeight, isShown: index == last)
      }, needsScript: false, isMagnified: plate.magnification > 1, last: last, start: last,
      what: "Frame", caption: plate.caption)
  }

  /// The tiles of a panel, which can be compared with each other.
  private func comparison(_ plate: Plate) -> HTMLPage.Comparison {
    let tiles = plate.tiles.enumerated().map { index, tile in
      (id: "tile-\(plate.number)-\(index + 1)", label: tile.name)
    }
    return HTMLPage.Comparison(
      hidden: zip(tiles, plate.tiles).map {
        HTMLPage.HiddenImage(id: $0.id, source: Self.source($1.png))
      },
      choices: choices(tiles), width: plate.tiles[0].picture.width,
      height: plate.tiles[0].picture.height, isMagnified: false,
      caption: "Drag to compare \(tiles.map(\.label).joined(separator: ", "))")
  }

  /// The choices of a comparison; at first, the noisy picture beside the last denoised one.
  private func choices(_ members: [(id: String, label: String)]) -> [HTMLPage.Choice] {
    let left = members.firstIndex { $0.label.hasPrefix("noisy") } ?? 0
    let right =
      members.lastIndex { $0.label.hasPrefix("denoised") }
      ?? members.indices.last { $0 != left } ?? left
    return members.enumerated().map { index, member in
      HTMLPage.Choice(
        id: member.id, label: member.label, isLeft: index == left, isRight: index == right)
    }
  }
}

extension Handout {
  /// The file name of the session for a reader.
  var fileName: String { "\(name).session" }

  /// The numbers of commands and pictures, in a few words.
  package var facts: String {
    let commands = sections.reduce(0) { $0 + $1.steps.count }
    let pictures = plates.count
    return "\(commands) command\(commands == 1 ? "" : "s") · "
      + "\(pictures) picture\(pictures == 1 ? "" : "s")"
  }
}
