import CommandLanguage
import Figures
import Foundation
import LineEditing

/// Shows pictures in the terminal, under the lines that name them.
struct TerminalDisplay {
  /// Returns the terminal's answers so far; nil where it is not asked.
  let answers: () -> TerminalAnswers?
  /// Returns the person's choice.
  let wish: () -> PictureDisplay

  /// The present way of showing pictures, with the reason.
  private var choice: GraphicsChoice {
    let answers = answers()
    return GraphicsChoice(
      wish(), environment: ProcessInfo.processInfo.environment,
      answersKitty: answers?.showsKitty ?? false, answersSixel: answers?.showsSixel ?? false)
  }

  private var cell: (width: Int, height: Int)? { TerminalSize().cell ?? answers()?.cell }

  /// The room for a picture below a line, with the prompt still under it.
  private func room(_ choice: GraphicsChoice) -> TerminalRoom {
    let size = TerminalSize()
    return TerminalRoom(
      columns: size.columns - 1, rows: size.rows - 3, cell: cell, hasFullColor: choice.hasFullColor)
  }

  /// The picture in a PNG, prepared for this terminal; nil if the terminal shows none or the file
  /// cannot be read.
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

  /// Shows the pictures in files in turn, at one place, until `turns` are over or `shouldStop`
  /// returns true.
  func show(_ paths: [String], _ turns: Outcome.Turns, shouldStop: () -> Bool) {
    let pictures = paths.compactMap { picture(at: $0) }
    guard pictures.count == paths.count, let rows = pictures.map(\.rows).max(),
      let (opening, frames) = try? TerminalPicture.turns(pictures)
    else { return }
    // The rows are made before, so that the screen does not scroll and the cursor can return.
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

  /// A description of the terminal's abilities, and the choice with its reason.
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
