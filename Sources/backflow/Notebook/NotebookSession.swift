import CommandLanguage
import Commands
import Foundation
import Jupyter
import LineEditing
import Transcripts

/// A session whose lines come as a notebook's cells.
final class NotebookSession: CellRunner {
  private let host: Host
  private let progress: CellProgress
  /// The number of lines of the cells so far.
  private var lineCount = 0

  /// Makes a session of `host`, which tells its progress to `progress`.
  init(_ host: Host, _ progress: CellProgress) {
    (self.host, self.progress) = (host, progress)
    host.runner.workspace.keepsDrawings = true
    host.keepMoments()
  }

  // MARK: - Running

  func run(_ cell: Cell, publish: @escaping @Sendable (CellOutput) -> Void) -> CellEnding {
    Interrupts.interruption.reset()
    let commands = CellLines.commands(in: cell.code)
    let screen = CellScreen(publish)
    let last = commands.last { !Self.isNote($0.text) }?.number
    var (pages, next): ([String], String?) = ([], nil)
    for command in commands {
      progress.begin(screen)
      let execution = host.runner.run(command.text, line: lineCount + command.number)
      progress.end()
      guard let execution else {
        host.note(command.text)
        continue
      }
      host.record(execution, host.runner.workspace.takeTrace())
      let isLast = command.number == last
      if isLast, let page = Self.page(execution) {
        pages.append(page)
      } else {
        screen.show(execution, isLast: isLast)
      }
      if let failure = Self.failure(of: execution) {
        lineCount += command.number
        return failure
      }
      if execution.outcome?.quits == true { return .finished(pages: pages, quits: true) }
      if let offered = execution.outcome?.proposals, !offered.isEmpty {
        next = offered.joined(separator: "\n")
      }
    }
    lineCount += commands.last.map { $0.number + $0.text.count { $0 == "\n" } } ?? 0
    return .finished(pages: pages, next: next)
  }

  private static func isNote(_ text: String) -> Bool {
    let start = text.first { !$0.isWhitespace }
    return start == nil || start == "#"
  }

  /// The text of a help page, which is shown beside the notebook; nil for other output.
  private static func page(_ execution: Execution) -> String? {
    guard [SessionCommand.help.spec, SessionCommand.apropos.spec].contains(execution.spec),
      let outcome = execution.outcome
    else { return nil }
    return outcome.printedLines.joined(separator: "\n")
  }

  /// The end of a cell whose line failed, or was interrupted; nil for one that goes on.
  private static func failure(of execution: Execution) -> CellEnding? {
    switch execution.result {
    case .failure(let error):
      return .failed(
        name: error.code.rawValue, message: error.summary,
        lines: error.rendered.map(VisibleText.visible))
    case .success(let outcome):
      guard outcome.wasInterrupted || Interrupts.interruption.isRequested else { return nil }
      let message = "interrupted; what is done so far is kept, the lines after this one do not run"
      return .failed(name: "interrupted", message: message, lines: [message])
    }
  }

  // MARK: - Questions

  private var completer: Completer {
    Completer(
      specs: host.runner.commands.map(\.spec), topics: host.runner.topics,
      variables: host.runner.variables,
      names: { [host] in host.runner.workspace.nameCandidates },
      entries: { [host] folder in host.runner.workspace.files.entries(of: folder) })
  }

  func completion(of code: String, at position: Int) -> CellCompletion {
    let found = completer.completion(of: CellPlace(in: code, at: position).before)
    var completion = CellCompletion(at: position)
    completion.start = position - found.replacedScalars
    completion.matches = zip(found.insertions, found.candidates).map {
      Candidate($0, $1.description)
    }
    return completion
  }

  func inspection(of code: String, at position: Int, isDetailed: Bool) -> MimeBundle? {
    let inspection = CellInspection(
      CellPlace(in: code, at: position), host.runner, completer, isDetailed: isDetailed)
    return inspection.text.map { MimeBundle(text: $0) }
  }

  func completeness(of code: String) -> CellCompleteness {
    let commands = CellLines.commands(in: code)
    guard let last = commands.last else { return .complete }
    if OpenLine.isOpen(last.text) { return .incomplete(indent: "  ") }
    let faults: Set<CommandError.Code> = [
      .syntax, .unknownCommand, .unknownKey, .surplusArgument, .repeatedArgument, .missingArgument,
    ]
    let isWrong = commands.contains { command in
      host.runner.fault(in: command.text).map { faults.contains($0.code) } ?? false
    }
    return isWrong ? .invalid : .complete
  }

  func value(of expression: String) -> Result<MimeBundle, CommandError> {
    host.runner.peek("stats \(Quoting.quoted(expression))").map { outcome in
      let outcome = outcome ?? Outcome()
      return MimeBundle(
        text: outcome.lines.joined(separator: "\n"),
        [.init("application/json", outcome.result)])
    }
  }
}
