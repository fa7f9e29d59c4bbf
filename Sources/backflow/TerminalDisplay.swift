import CommandLanguage
import Figures
import Foundation
import LineEditing

/// Shows pictures in the terminal, under the lines that name them.
struct TerminalDisplay {
  /// What the terminal has said so far; nil where nobody asks it.
  let answers: () -> TerminalAnswers?
  /// What somebody wishes.
  let wish: () -> PictureDisplay

  /// How pictures are shown now, and why.
  private var choice: GraphicsChoice {
    let answers = answers()
    return GraphicsChoice(
      wish(), environment: ProcessInfo.processInfo.environment,
      answersKitty: answers?.showsKitty ?? false, answersSixel: answers?.showsSixel ?? false)
  }

  private var cell: (width: Int, height: Int)? { TerminalSize().cell ?? answers()?.cell }

  /// The room below a line, with the prompt still under it.
  private func room(_ choice: GraphicsChoice) -> TerminalRoom {
    let size = TerminalSize()
    return TerminalRoom(
      columns: size.columns - 1, rows: size.rows - 3, cell: cell, hasFullColor: choice.hasFullColor)
  }

  /// The picture in a PNG as this terminal shows it; none if it shows none or there is no such file.
  func picture(at path: String) -> TerminalPicture? {
    let choice = choice
    guard let graphics = choice.graphics, let png = try? PNG(path: path) else { return nil }
    return TerminalPicture(png.picture, graphics, in: room(choice))
  }

  /// Shows the picture in a file.
  func show(_ path: String) {
    guard let text = try? picture(at: path)?.encoded() else { return }
    Console.write(text + "\n")
  }

  /// Shows the pictures in files in turn, at one place, until that is done or somebody stops it.
  func show(_ paths: [String], _ turns: Outcome.Turns, shouldStop: () -> Bool) {
    let pictures = paths.compactMap { picture(at: $0) }
    guard pictures.count == paths.count, let rows = pictures.map(\.rows).max(),
      let (opening, frames) = try? TerminalPicture.turns(pictures)
    else { return }
    // Rows that are there scroll no more, so that the cursor finds back.
    Console.write(
      opening + String(repeating: "\n", count: rows) + "\u{1B}[\(rows)A\u{1B}7")
    let end = "\u{1B}8\u{1B}[\(rows)B\r"
    defer { Console.write(end) }
    for turn in 0..<turns.times * frames.count {
      Console.write("\u{1B}8" + frames[turn % frames.count])
      let next = ContinuousClock.now + .seconds(turns.pause)
      while ContinuousClock.now < next {
        if shouldStop() { return }
        usleep(10_000)
      }
    }
  }

  private static func words(_ answers: TerminalAnswers?) -> String {
    guard let answers else { return "not while a script runs" }
    return answers.isComplete ? "the terminal answered" : "no answer so far"
  }

  /// What was found, and why.
  var outcome: Outcome {
    let (size, choice, answers) = (TerminalSize(), choice, answers())
    let cells = cell.map { " · a cell has \($0.width)×\($0.height) pixels" } ?? ""
    let colors = choice.hasFullColor ? "24 bits" : "a palette"
    var outcome = Outcome()
    outcome.say("pictures  \(choice.graphics?.rawValue ?? "off")  (\(choice.reason))")
    outcome.say("size      \(size.columns)×\(size.rows) cells\(cells)")
    outcome.say("colors    \(colors)")
    outcome.say("asked     \(Self.words(answers))")
    outcome.say("set pictures=… chooses another way: see 'help set'")
    outcome.result = [
      "pictures": .string(choice.graphics?.rawValue ?? "off"), "reason": .string(choice.reason),
      "columns": .integer(size.columns), "rows": .integer(size.rows),
    ]
    return outcome
  }
}
