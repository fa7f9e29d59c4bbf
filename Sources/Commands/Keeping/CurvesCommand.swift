import CommandLanguage
import Foundation
import Training

extension Command<Workspace> {
  static let saveCurves = Command(
    CommandSpec(
      "save curves", family: .keeping,
      summary: "Write the curves of the session's trainings as CSV.",
      details: """
        One row a point: run, network, setting, curve (loss or psnr), epochs, value, low, high. The \
        band of a loss reaches from the lowest to the highest of the steps that a point stands for.
        """,
      parameters: [.word("file", .path, "the file, ending in .csv"), Parameter.replace],
      examples: [
        CommandExample(
          "save curves training.csv",
          after: [
            "phantom size=32 slices=2", "noise gaussian sigma=40HU", "conv", "train epochs=2",
          ])
      ], seeAlso: ["plot loss", "plot psnr", "train"])
  ) { arguments, workspace, _ in
    let path = try arguments.path("file")
    guard path.lowercased().hasSuffix(".csv") else {
      throw arguments.error(
        at: "file", .wrongValue, "curves are written as .csv", hint: "\(path).csv")
    }
    let curves = workspace.curves.all
    guard !curves.isEmpty else {
      throw CommandError(
        .state, "there was no training yet",
        hint: workspace.trainingCure("train first, for example 'train epochs=5'"))
    }
    var rows = ["run,network,setting,curve,epochs,value,low,high"]
    for curve in curves { rows += curve.rows }
    let place = try arguments.write(
      Data((rows.joined(separator: "\n") + "\n").utf8), to: path, in: workspace.files)
    var outcome = Outcome(
      """
      saved  \(file: path, at: place)  \(rows.count - 1) points of \(curves.count) \
      \(curves.count == 1 ? "training" : "trainings")
      """,
      result: ["path": .string(path), "points": .integer(rows.count - 1)])
    outcome.add(file: path, at: place)
    return outcome
  }
}

extension TrainingCurve {
  /// The rows of the table.
  fileprivate var rows: [String] {
    func cell(_ text: String) -> String {
      text.contains { ",\"\n".contains($0) }
        ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
    func number(_ value: Double) -> String { NumberFormat.shortest.string(value) }
    let head = "\(self.number),\(cell(network)),\(cell(setting))"
    return losses.map {
      "\(head),loss,\(number($0.epochs)),\(number($0.mean)),\(number($0.low)),\(number($0.high))"
    }
      + judgements.map {
        "\(head),psnr,\(number($0.epochs)),\(number($0.psnr)),\(number($0.psnr)),\(number($0.psnr))"
      }
  }
}
