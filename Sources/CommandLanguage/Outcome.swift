/// What a command gives back: one result, rendered as text, transcript or JSON.
package struct Outcome: Sendable {
  /// A piece of the human text.
  package enum Block: Hashable, Sendable {
    case line(OutputLine)
    case table(OutputTable)
    case picture(Picture)
  }

  /// A file that a command wrote.
  package struct File: Hashable, Sendable {
    /// The name as it was given.
    package let path: String
    /// Where the file is, from the root of the disk; nil when nothing says.
    package let place: String?
    /// The fingerprint of a picture's samples.
    package let fingerprint: String?
  }

  /// Data that a command read, by which a replay knows that it is the recorded one.
  package struct DataStamp: Hashable, Sendable {
    /// The name in the stamp line `#@ data NAME: …`; never anything of a patient.
    package let name: String
    /// The SHA-256 of what was read, as `sha256:…`.
    package let fingerprint: String
    /// How much of it there is, such as `[16,1,256,256]`.
    package let size: String?

    package init(name: String, fingerprint: String, size: String? = nil) {
      (self.name, self.fingerprint, self.size) = (name, fingerprint, size)
    }
  }

  package private(set) var blocks: [Block] = []
  package private(set) var files: [File] = []
  /// What a reader should know but need not act on.
  package var warnings: [String] = []
  /// Warnings that were shown before the work began, and stand before all else.
  package var foreword: [String] = []
  /// What happened to this run and will not happen again in a replay, such as Ctrl-C; shown, and
  /// among the warnings of `--json`, but neither recorded nor compared.
  package var remarks: [String] = []
  /// The value for `--json`, and for `expect`.
  package var result: JSONValue = .object([])
  /// What a page may draw beside the result; no transcript shows it.
  package var curves: [ResultCurve] = []
  /// The command to record in place of the typed one, when a person or a clock ended it.
  package var recordedCommand: String?
  /// The data that was read.
  package var data: [DataStamp] = []
  /// Whether a person interrupted the command; a script stops after it with status 130.
  package var wasInterrupted = false
  /// Whether a training was taken from a checkpoint in place of running.
  package var isFromCheckpoint = false
  /// Whether a command that trains was run for it.
  package var hasTrained = false
  /// Whether the session ends here.
  package var quits = false
  /// Lines to run as if they had been typed, all or none; each is shown with what comes back.
  package var followUps: [String] = []
  /// What is said after them.
  package var closing: String?
  /// Lines that the prompt runs as if they were typed there, each for itself; the command that gave
  /// them is not recorded.
  package var plays: [String] = []
  /// Lines that the prompt puts before the person, one after the other.
  package var proposals: [String] = []
  /// How the pictures take turns at one place, where somebody sees them.
  package var turns: Turns?

  /// How often each of some pictures is shown, and for how many seconds.
  package struct Turns: Hashable, Sendable {
    package let times: Int
    package let pause: Double

    package init(times: Int, pause: Double) {
      (self.times, self.pause) = (times, pause)
    }
  }

  package init() {}

  /// One line and a result.
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
  package mutating func add(_ picture: Picture) {
    blocks.append(.picture(picture))
    files.append(
      File(path: picture.path, place: picture.place, fingerprint: picture.fingerprint))
  }

  /// Adds a file that is no picture; say so in a line too.
  package mutating func add(file path: String, at place: String? = nil) {
    files.append(File(path: path, place: place, fingerprint: nil))
  }

  /// The result with the `path` of a file that was written as the place where the file is.
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

  /// Adds everything that another outcome says, after what is here.
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
    case picture(Picture)

    /// The line as it is recorded.
    package var text: String {
      switch self {
      case .fields(let fields): fields.map(\.rendered).joined()
      case .picture(let picture): picture.line
      }
    }

    /// The line as a script's output shows it: with files where they are.
    package var printed: String {
      switch self {
      case .fields(let fields): fields.map(\.printed).joined()
      case .picture(let picture):
        picture.line(naming: picture.place.map(ShownPath.fromHere) ?? picture.path)
      }
    }

    /// The line as a person reads it at a terminal, without the escapes of a record.
    package var shown: String {
      switch self {
      case .fields(let fields): fields.map(\.shown).joined()
      case .picture: printed
      }
    }
  }

  /// The lines for the screen and the transcript, with their types.
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

  /// The text for the screen and the transcript, a string a line.
  package var lines: [String] { typedLines.map(\.text) }

  /// The pictures among the blocks.
  package var pictures: [Picture] {
    blocks.compactMap { block in
      if case .picture(let picture) = block { picture } else { nil }
    }
  }
}
