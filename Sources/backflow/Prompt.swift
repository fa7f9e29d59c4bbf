import CommandLanguage
import Commands
import Foundation
import LineEditing
import Transcripts

/// The line that an empty line repeats, shared with the hints.
private final class Repeats {
  var line = ""
}

/// The loop of the prompt.
struct Prompt {
  private let host: Host
  /// The number of the last line that a script ran.
  private let firstLine: Int
  /// The lines of this session and earlier ones; nil with JSON output.
  private let history: LineHistory?
  private let input: any LineSource
  /// The line that an empty line runs.
  private let repeats: Repeats

  /// Makes the prompt of `host`, whose script ran up to `line`.
  init(_ host: Host, after line: Int = 0) {
    self.host = host
    firstLine = line
    let repeats = Repeats()
    self.repeats = repeats
    let history = host.isJSON ? nil : LineHistory(file: HistoryFile(path: StateFolder.history))
    let editor = history.flatMap { history in
      EditLine(prompt: CommandLines.prompt, history: history) { [host] text in
        Self.completer(host).completion(of: text)
      } hint: { [host] line in
        guard host.runner.workspace.hints else { return nil }
        let line = PastedText.command(in: line) ?? line
        // On an empty line, the hint is the position in the open pass.
        if line.isEmpty, let place = host.runner.workspace.place {
          return Hint(place + (repeats.line.isEmpty ? "" : " · Enter: \(repeats.line)"))
        }
        return host.runner.hinter(Self.completer(host)).hint(of: line)
      }
    }
    self.history = history
    input = editor ?? PlainInput()
    host.runner.earlierLines = history?.earlier ?? []
    host.showsPages = { [input] in
      isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !input.hasWaiting
    }
    guard let editor else { return }
    host.showPictures { editor.answers }
  }

  /// Reads and runs commands until the input ends.
  func run() -> ExitStatus {
    nameSessionsLeft()
    host.handOver()
    Interrupts.endsAtThird = false
    readLines()
    if let session = host.endRecovery() {
      host.say(["this session is kept, since it was not saved:", "  \(session)"])
    }
    return .success
  }

  private func readLines() {
    var lines = CommandLines(input)
    var proposals: ArraySlice<String> = []
    var offer: String?
    while true {
      Console.clearProgress()
      Interrupts.interruption.reset()
      if let next = proposals.first { input.propose(next) }
      if !input.hasWaiting { host.settle() }
      switch lines.next() {
      case .end:
        Console.print("")
        return
      case .interrupted:
        Console.print("")
        if proposals.count > 1 { host.say(["the demo ends here; 'demo' begins it again"]) }
        proposals = []
      case .command(let command):
        if !host.pages.isEmpty, command.text.allSatisfy(\.isWhitespace) {
          host.pages.showNext()
          continue
        }
        host.pages.drop()
        let offered = offer
        offer = nil
        if let offered, Self.refuses(command.text, offered) {
          host.say(["nothing was replaced"])
          continue
        }
        history?.add(ContinuedLine.joined(command.text))
        let line = firstLine + command.number
        guard let execution = host.runner.run(command.text, line: line) else {
          host.note(command.text)
          continue
        }
        host.take(execution)
        play(execution.outcome?.plays ?? [], line: line)
        // The person may have changed the line before it ran.
        if execution.outcome != nil, let name = execution.spec?.name,
          proposals.first?.hasPrefix(name) == true
        {
          proposals.removeFirst()
        }
        if let new = execution.outcome?.proposals, !new.isEmpty { proposals = new[...] }
        if let retry = Self.retry(execution) {
          host.say(["Enter runs it with replace=yes; anything else leaves the file as it is"])
          input.propose(retry)
          offer = retry
        }
        if execution.outcome?.quits == true { return }
        repeats.line = proposals.isEmpty ? repeated(execution) : ""
        input.emptyLine = repeats.line
        if Interrupts.interruption.isRequested { dropTypedAhead() }
      }
    }
  }

  /// The line to offer when existing files stopped a command: it replaces them; nil for other
  /// errors.
  private static func retry(_ execution: Execution) -> String? {
    let text = ContinuedLine.joined(execution.text)
    // Text behind a comment would be part of it.
    guard execution.error?.code == .exists, execution.spec?.parameter(named: "replace") != nil,
      !text.contains("#"), !text.contains("replace=")
    else { return nil }
    return text + " replace=yes"
  }

  /// Whether a line is a plain no to the line that was offered, alone or typed behind it.
  private static func refuses(_ text: String, _ offered: String) -> Bool {
    let answer = text.hasPrefix(offered) ? text.dropFirst(offered.count) : text[...]
    return ["n", "no"].contains(answer.lowercased().filter { !$0.isWhitespace })
  }

  /// Runs lines as if they were typed, until one fails or Ctrl-C stops them.
  private func play(_ lines: [String], line: Int) {
    for text in lines {
      guard let execution = host.runner.run(text, line: line) else {
        host.say([text])
        host.note(text)
        continue
      }
      host.echo(text)
      host.take(execution)
      guard execution.error == nil, !Interrupts.interruption.isRequested else {
        return host.say(["the lines after this one do not run"])
      }
    }
  }

  /// The line that an empty line repeats: a step in a pass that is still open; else empty.
  private func repeated(_ execution: Execution) -> String {
    guard execution.error == nil, host.runner.workspace.place != nil,
      let name = execution.spec?.name, ["step", "next"].contains(name)
    else { return "" }
    return ContinuedLine.joined(execution.text)
  }

  /// Drops the lines after the command that Ctrl-C stopped.
  private func dropTypedAhead() {
    let count = input.dropTypedAhead()
    guard count > 0 else { return }
    host.say(["\(count) pasted \(count == 1 ? "line does" : "lines do") not run after Ctrl-C"])
  }

  /// Says once how to recover the unsaved sessions of earlier runs.
  private func nameSessionsLeft() {
    guard !host.isJSON else { return }
    Recovery.prune(in: StateFolder.sessions)
    for session in Recovery.left(in: StateFolder.sessions) {
      host.say([
        "An earlier session was not saved. To get it back, type:",
        "  run \(Quoting.quoted(session.file))",
      ])
    }
  }

  /// A completer for the present state of the session.
  private static func completer(_ host: Host) -> Completer {
    Completer(
      specs: host.runner.commands.map(\.spec), topics: host.runner.topics,
      variables: host.runner.variables,
      names: { [host] in host.runner.workspace.nameCandidates },
      entries: { [host] folder in host.runner.workspace.files.entries(of: folder) })
  }
}
