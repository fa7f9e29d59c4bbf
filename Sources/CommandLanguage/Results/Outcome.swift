/// The result of a command, which is rendered as text, transcript or JSON.
package struct Outcome: Sendable {
  /// A line, table or picture of the text.
  package enum Block: Hashable, Sendable {
    case line(OutputLine)
    case table(OutputTable)
    case picture(RecordedPicture)
  }

  /// A file that a command wrote.
  package struct File: Hashable, Sendable {
    /// The file's name as it was given.
    package let path: String
    /// The absolute path of the file; nil if unknown.
    package let place: String?
    /// The fingerprint of a picture's samples.
    package let fingerprint: String?
  }

  /// A fingerprint of data that a command read, by which a replay recognizes them.
  package struct DataStamp: Hashable, Sendable {
    /// The name in the stamp line `#@ data NAME: …`; it never identifies a patient.
    package let name: String
    /// The SHA-256 of the data, as `sha256:…`.
    package let fingerprint: String
    /// The size of the data, such as `[16,1,256,256]`.
    package let size: String?

    package init(name: String, fingerprint: String, size: String? = nil) {
      (self.name, self.fingerprint, self.size) = (name, fingerprint, size)
    }
  }

  package private(set) var blocks: [Block] = []
  package private(set) var files: [File] = []
  /// Warnings: remarks on the result that need no action.
  package var warnings: [String] = []
  /// Warnings that were shown before the work began, and come before the other output.
  package var foreword: [String] = []
  /// Remarks on events that do not happen again in a replay, such as Ctrl-C; shown, and among the
  /// warnings of `--json`, but neither recorded nor compared.
  package var remarks: [String] = []
  /// The value for `--json`, and for `expect`.
  package var result: JSONValue = .object([])
  /// Curves that a page may draw beside the result; no transcript shows them.
  package var curves: [ResultCurve] = []
  /// The command to record in place of the typed one, when a person or a clock stopped it.
  package var recordedCommand: String?
  /// A drawing, in SVG, of what the lines say, for a host that shows drawings; never recorded.
  package var drawing: String?
  /// The data that was read.
  package var data: [DataStamp] = []
  /// Whether a person interrupted the command; a script stops after it with status 130.
  package var wasInterrupted = false
  /// Whether a training was taken from a checkpoint in place of running.
  package var isFromCheckpoint = false
  /// Whether a training had inputs with which it was made before in this session, and was not made again.
  package var isTrainedBefore = false
  /// Whether a command that trains was run.
  package var hasTrained = false
  /// Whether the session ends here.
  package var quits = false
  /// Lines to run as if they had been typed, all or none; each is shown with its output.
  package var followUps: [String] = []
  /// A line that is printed after their output.
  package var closing: String?
  /// Lines that the prompt runs as if they were typed there, each for itself; the command that gave
  /// them is not recorded.
  package var plays: [String] = []
  /// Lines that the prompt offers for editing, one after the other.
  package var proposals: [String] = []
  /// The turns in which pictures alternate in one place at a terminal; nil if they do not.
  package var turns: Turns?

  /// The number of times that each picture is shown, and for how many seconds.
  package struct Turns: Hashable, Sendable {
    package let times: Int
    package let pause: Double

    package init(times: Int, pause: Double) {
      (self.times, self.pause) = (times, pause)
    }
  }

  package init() {}

  /// An outcome of one line and a result.
  package init(_ line: OutputLine, result: JSONValue = .object([])) {
    self.result = result
    say(line)
  }

  /// Adds a line.
  package mutating func say(_ line: OutputLine) { blocks.append(.line(line)) }

  /// Adds lines of plain words, one for each line of `text`.
  package mutating func say(lines text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      say(OutputLine(String(line)))
    }
  }

  /// Adds a table.
  package mutating func add(_ table: OutputTable) { blocks.append(.table(table)) }

  /// Adds a picture, and its file.
  package mutating func add(_ picture: RecordedPicture) {
    blocks.append(.picture(picture))
    files.append(
      File(path: picture.path, place: picture.place, fingerprint: picture.fingerprint))
  }

  /// Adds a file that is no picture; a line should name it, too.
  package mutating func add(file path: String, at place: String? = nil) {
    files.append(File(path: path, place: place, fingerprint: nil))
  }

  /// The result, in which `path` of a written file is the absolute path.
  var placedResult: JSONValue {
    guard case .object(let members) = result else { return result }
    return .object(
      members.map { member in
        let file = files.first { member.key == "path" && member.value == .string($0.path) }
        return file?.place.map { JSONValue.Member(member.key, .string($0)) } ?? member
      })
  }

  /// Adds a warning.
  package mutating func warn(_ text: String) { warnings.append(text) }

  /// Appends the text, files and remarks of another outcome.
  package mutating func append(_ other: Outcome) {
    blocks += other.blocks
    files += other.files
    warnings += other.warnings
    foreword += other.foreword
    remarks += other.remarks
    data += other.data
    curves += other.curves
    hasTrained = hasTrained || other.hasTrained
  }

  /// A line with its types, as a replay compares it.
  package enum TypedLine: Hashable, Sendable {
    case fields([Field])
    case picture(RecordedPicture)

    /// The line as it is recorded.
    package var text: String {
      switch self {
      case .fields(let fields): fields.map(\.rendered).joined()
      case .picture(let picture): picture.line
      }
    }

    /// The line as it is printed, without the escapes of a record and with the absolute or relative
    /// paths of files.
    package var shown: String {
      switch self {
      case .fields(let fields): fields.map(\.shown).joined()
      case .picture(let picture): picture.shown
      }
    }
  }

  /// The lines for the transcript, with their types.
  package var typedLines: [TypedLine] {
    let lines: [TypedLine] = blocks.flatMap { block -> [TypedLine] in
      switch block {
      case .line(let line): [.fields(line.fields)]
      case .table(let table): table.lines.map { .fields($0.fields) }
      case .picture(let picture): [.picture(picture)]
      }
    }
    return Self.warnings(foreword) + lines + warningLines
  }

  /// The lines of the warnings, which come last.
  var warningLines: [TypedLine] { Self.warnings(warnings) }

  private static func warnings(_ texts: [String]) -> [TypedLine] {
    texts.map { .fields([.text("warning: " + $0)]) }
  }

  /// The text for the transcript, a string a line.
  package var lines: [String] { typedLines.map(\.text) }

  /// The text for a script's output, a string a line.
  package var printedLines: [String] {
    let lines = blocks.flatMap { block -> [String] in
      switch block {
      case .line(let line): [line.shown]
      case .table(let table): table.rows(columns: .max)
      case .picture(let picture): [picture.shown]
      }
    }
    return Self.warnings(foreword).map(\.shown) + lines + warningLines.map(\.shown)
  }

  /// The pictures among the blocks.
  package var pictures: [RecordedPicture] {
    blocks.compactMap { block in
      if case .picture(let picture) = block { picture } else { nil }
    }
  }
}
