import CommandLanguage
import Commands
import Foundation
import Transcripts

extension Host {
  /// Changes a line of the session, and shows what ran again.
  func edit(_ arguments: Arguments) throws(CommandError) -> Outcome {
    let number = try arguments.integer("line")
    if !arguments.has("command"), !arguments.has("how"),
      let text = SessionEditor.text(of: number, in: lines)
    {
      var outcome = Outcome()
      outcome.proposals = ["edit \(number) \(text)"]
      return outcome
    }
    var before = EditedSession(self)
    var editor = try SessionEditor(lines, runner, arguments)
    let result = Result { () throws(CommandError) in try editor.run() }
    before.dropUnchangedPictures()
    if case .failure = result { before.restorePictures() }
    let (recorder, ran) = try result.get()
    (lines, self.recorder) = (editor.lines, recorder)
    runner.renumberHistory(by: lines.items.compactMap { item in item.text.map { (item.line, $0) } })
    edits.append(before)
    keepEdit()
    return outcome(of: ran, number)
  }

  /// Tells what ran again.
  private func outcome(of ran: [Execution], _ number: Int) -> Outcome {
    var outcome = Outcome()
    for execution in ran {
      for row in execution.text.split(separator: "\n") {
        outcome.say(OutputLine("> \(String(row))"))
      }
      if let said = execution.outcome ?? execution.error?.kept?.outcome { outcome.append(said) }
    }
    let all = lines.items.count { $0.recorded != nil }
    let reused = ran.filter { $0.outcome?.isTrainedBefore == true }
    outcome.say("edited  \(ran.count, "line") ran again, \(all - ran.count) kept")
    if !reused.isEmpty {
      outcome.say("not made again  \(reused.count, "training"), whose inputs are as they were")
    }
    outcome.result = [
      "line": .integer(number), "ran": .list(ran) { .integer($0.line) },
      "kept": .integer(all - ran.count), "reused": .list(reused) { .integer($0.line) },
    ]
    return outcome
  }

  /// Whether a command was an `undo` of an edit; the session's lines are then as before the edit.
  func takesEditBack(_ execution: Execution) -> Bool {
    guard execution.spec == SessionCommand.undo.spec,
      case .string(let command)? = execution.outcome?.result["command"],
      (try? runner.spec(of: command)) == SessionCommand.edit.spec, let before = edits.popLast()
    else { return false }
    (lines, recorder) = (before.lines, before.recorder)
    runner.comeBack(to: before.past)
    runner.workspace.pictureNames = before.pictureNames
    before.restorePictures()
    keepEdit()
    return true
  }
}
