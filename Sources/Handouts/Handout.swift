package import CommandLanguage
import Figures
package import Transcripts

/// A session prepared for reading: prose, commands, output and pictures.
package struct Handout: Sendable {
  /// A piece of the author's comments.
  enum Prose: Hashable, Sendable {
    case paragraph(String)
    /// Lines that keep their breaks and spaces.
    case verbatim(String)
  }

  /// A part of a command's output, in order.
  enum Part: Sendable {
    case lines([String])
    case plate(Plate)
    /// The curve of a result.
    case curve(Plot)
    /// A picture that the record names but that cannot be shown, with the reason.
    case missing(path: String, reason: String)
  }

  /// A command and its output.
  struct Step: Sendable {
    /// The line of the session file.
    let line: Int
    let command: String
    var parts: [Part] = []
    /// Whether the step gives the answer to a quiz, which readers are to find themselves.
    var isAnswer = false

    /// The command with control characters made visible; line breaks stay.
    var visibleCommand: String { VisibleText.visibleLines(command) }
  }

  /// A comment and the commands up to the next one.
  struct Section: Sendable {
    /// The comment's first sentence; nil for commands before any comment.
    let heading: String?
    let prose: [Prose]
    var steps: [Step] = []
  }

  /// The largest number of pictures in a handout, and of the bytes after which no more are taken:
  /// 64 MiB.
  package static let pictureCountLimit = 1000, pictureSizeLimit = 64 << 20

  /// The session's name.
  package let name: String
  /// The comments before the first command.
  let introduction: [Prose]
  let sections: [Section]
  let stamps: [Stamp]
  /// The text of the session file.
  let source: String
  /// The reasons to doubt that the session's commands computed its output.
  let doubts: [String]
  /// Warnings about doubts, and about parts of the record that the handout cannot show.
  package let warnings: [String]

  /// The command table, by which commands are colored and answers found.
  let commands: [CommandSpec]

  /// Makes the handout of a session of `commands`.
  package init(
    _ pack: SessionPack, for audience: Audience = .everybody, commands: [CommandSpec]
  ) throws(SessionError) {
    self.commands = commands
    let session = try SessionFile(text: pack.source, name: pack.name)
    let answers = audience == .students ? QuizAnswers(session, commands) : nil
    var builder = HandoutBuilder(curves: pack.curves, answers: answers) { pack[picture: $0] }
    for element in session.elements { builder.add(element) }
    builder.finish()
    name = pack.name
    source = answers.map(session.withoutAnswers) ?? pack.source
    doubts = try pack.doubts().map(VisibleText.visible)
    introduction = builder.introduction
    sections = builder.sections
    stamps = session.stamps.map {
      Stamp(VisibleText.visible($0.key), VisibleText.visible($0.value))
    }
    warnings = doubts + builder.warnings
  }

  /// All pictures, in order.
  var plates: [Plate] {
    sections.flatMap(\.steps).flatMap(\.parts).compactMap { part in
      if case .plate(let plate) = part { plate } else { nil }
    }
  }
}

/// Builds a handout from the lines of a session file.
private struct HandoutBuilder {
  private(set) var introduction: [Handout.Prose] = []
  private(set) var sections: [Handout.Section] = []
  private(set) var warnings: [String] = []
  private var curves: CurveFile
  private let answers: QuizAnswers?
  private let read: (String) -> [UInt8]?
  /// The output of the present command, as recorded.
  private var recorded: [String] = []
  private var comment: [String] = []
  private var output: [String] = []
  private var blanks = 0
  private var step: Handout.Step?
  private var plateCount = 0
  /// The bytes of all pictures so far.
  private var size = 0

  init(curves: CurveFile, answers: QuizAnswers?, read: @escaping (String) -> [UInt8]?) {
    (self.curves, self.answers, self.read) = (curves, answers, read)
  }

  mutating func add(_ element: SessionFile.Element) {
    switch element.content {
    case .header, .stamp: return
    case .blank:
      endComment()
      blanks += 1
    case .comment(let line):
      endStep()
      comment.append(line)
    case .command(let command):
      endComment()
      endStep()
      step = Handout.Step(line: element.line, command: command)
    case .output(let text):
      recorded.append(text)
      if let path = PictureLine.path(in: text) {
        endOutput()
        addPicture(path, line: text)
      } else {
        if !output.isEmpty { output += Array(repeating: "", count: blanks) }
        output.append(VisibleText.visible(text))
      }
      blanks = 0
    }
  }

  mutating func finish() {
    endComment()
    endStep()
  }

  private mutating func addPicture(_ path: String, line: String) {
    do throws(Plate.Failure) {
      plateCount += 1
      guard plateCount <= Handout.pictureCountLimit, size <= Handout.pictureSizeLimit else {
        throw Plate.Failure(
          reason: "the page has \(Handout.pictureCountLimit) pictures or "
            + "\(Handout.pictureSizeLimit >> 20) MiB of them, and takes no more")
      }
      let plate = try Plate(
        number: plateCount, path: path, line: line, command: step?.command ?? "", read: read)
      if let remark = plate.remark { warnings.append("\(plate.path): \(remark)") }
      step?.parts.append(.plate(plate))
      size += plate.size
    } catch {
      let path = VisibleText.visible(path)
      warnings.append("\(path): \(error.reason)")
      step?.parts.append(.missing(path: path, reason: error.reason))
    }
  }

  private mutating func endOutput() {
    if !output.isEmpty { step?.parts.append(.lines(output)) }
    (output, blanks) = ([], 0)
  }

  private mutating func endStep() {
    endOutput()
    defer { recorded = [] }
    guard var done = step else { return }
    done.isAnswer = answers?.areTold(at: done.line) ?? false
    done.parts += curves.take(command: done.command, output: recorded).prefix(4)
      .map { .curve(Plot($0)) }
    if sections.isEmpty { sections.append(Handout.Section(heading: nil, prose: [])) }
    sections[sections.count - 1].steps.append(done)
    step = nil
  }

  private mutating func endComment() {
    guard !comment.isEmpty else { return }
    let text = CommentText(comment)
    comment = []
    if introduction.isEmpty && sections.isEmpty {
      introduction = text.prose
    } else {
      let (heading, rest) = text.headed
      sections.append(Handout.Section(heading: heading, prose: rest))
    }
  }
}

extension Plot {
  /// The drawing of a curve; its file may be untrusted, so texts and numbers are limited.
  fileprivate init(_ curve: ResultCurve) {
    func words(_ text: String) -> String { VisibleText.cut(VisibleText.visible(text), to: 80) }
    self.init(
      title: words(curve.title), x: .init(words(curve.x)),
      y: .init(words(curve.y), curve.isLogarithmic ? .logarithmic : .linear),
      series: [
        Series(
          words(curve.name),
          curve.points.prefix(4096).map { Point(x: $0.x, y: $0.y, low: $0.low, high: $0.high) })
      ],
      references: curve.reference.sorted { $0.key < $1.key }.prefix(4).map {
        Reference(words($0.key), $0.value)
      })
  }
}
