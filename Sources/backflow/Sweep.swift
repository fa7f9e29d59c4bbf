import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Transcripts

/// Runs a session once for each value of its `let`s, and shows the results of its `evaluate` and
/// `expect` lines: `backflow run FILE --sweep lr=1e-4,1e-3,1e-2`.
struct Sweep {
  /// A `let` and its values.
  struct Axis {
    let name: String
    let values: [String]

    /// Reads `NAME=V1,V2`.
    init(_ text: String) throws {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      values = parts.count == 2 ? parts[1].split(separator: ",").map(String.init) : []
      name = parts.first ?? ""
      guard Variables.isName(name), !values.isEmpty else {
        throw ValidationError("--sweep \(text): expected NAME=V1,V2,…")
      }
      guard Set(values).count == values.count else {
        throw ValidationError("--sweep \(text): a value comes twice.")
      }
    }
  }

  /// One run and its result.
  private struct Run {
    let values: [String]
    let status: ExitStatus
    let transcript: String
    let evaluations: [(line: Int, result: JSONValue)]
    let met: Int, missed: [Int]
    let seconds: Double
  }

  private let axes: [Axis]
  private let options: SessionOptions
  private let place: SessionPlace
  private let session: SessionFile
  private static let mostRuns = 1000

  /// Prepares the runs.
  ///
  /// - Throws: `ValidationError` when the session has no such `let`, or runs are too many.
  init(
    _ texts: [String], _ options: SessionOptions, _ place: SessionPlace, _ session: SessionFile
  ) throws {
    axes = try texts.map { try Axis($0) }
    (self.options, self.place, self.session) = (options, place, session)
    for name in axes.map(\.name) + options.host.variables.keys.sorted()
    where !session.hasLet(name) {
      throw ValidationError("\(options.file) has no line 'let \(name)'.")
    }
    let count = axes.reduce(1) { $0 * $1.values.count }
    guard count <= Self.mostRuns else {
      throw ValidationError("\(count) runs are more than \(Self.mostRuns).")
    }
  }

  /// Runs all combinations, the last axis changing fastest; the first failure decides the status.
  func run() throws -> ExitStatus {
    let combinations = axes.reduce([[]]) { made, axis in
      made.flatMap { first in axis.values.map { first + [$0] } }
    }
    var runs: [Run] = []
    for values in combinations {
      let words = zip(axes, values).map { "\($0.name)=\($1)" }
      if !options.host.json { Console.print("run  \(words.joined(separator: " "))") }
      let run = try run(values, words)
      runs.append(run)
      if options.host.json { Console.print(json(run).text) }
      if run.status == .interrupted { break }
    }
    if !options.host.json { for row in table(runs).rows(columns: .max) { Console.print(row) } }
    return runs.map(\.status).first { $0 != .success } ?? .success
  }

  private func run(_ values: [String], _ words: [String]) throws -> Run {
    let name = words.map(Self.fileName).joined(separator: "_")
    let host = options.makeHost(
      SessionPlace(paths: place.paths, output: place.output.appending(path: name)))
    var evaluations: [(line: Int, result: JSONValue)] = []
    var (met, missed) = (0, [Int]())
    let start = ContinuousClock.now
    let player = options.player
    // The transcript stores the value, so that it can be replayed alone.
    let session = session.giving(
      Dictionary(zip(axes.map(\.name), values)) { first, _ in first })
    let ending = player.play(session, on: host.runner, note: host.note) { _, execution in
      host.record(execution, host.runner.workspace.takeTrace())
      switch execution.spec?.name {
      case "evaluate": execution.outcome.map { evaluations.append((execution.line, $0.result)) }
      case "expect" where execution.error == nil: met += 1
      case "expect": missed.append(execution.line)
      default: break
      }
      let isExpectation = execution.error?.code == .expectation
      if let error = execution.error, !isExpectation {
        Console.error("\(options.file):\(execution.line): error: \(error.summary)")
      }
      return execution.error != nil || !Interrupts.interruption.isRequested
    }
    let transcript = ShownPath.fromHere(
      try host.saveTranscript(
        name + ".session", in: Files(script: place.output, session: nil), .known))
    return Run(
      values: values, status: Host.status(of: ending), transcript: transcript,
      evaluations: evaluations, met: met, missed: missed,
      seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  /// A word of the command line with the characters that a file name allows.
  private static func fileName(_ word: String) -> String {
    String(
      word.map { $0.isASCII && ($0.isLetter || $0.isNumber || "=.+-".contains($0)) ? $0 : "-" })
  }

  // MARK: - Results

  /// The table with a row for each run and `evaluate` line.
  private func table(_ runs: [Run]) -> OutputTable {
    let columns =
      axes.map { OutputTable.Column.words($0.name) } + [
        .numbers("evaluate in line"), .numbers("psnr dB"), .numbers("ssim"), .numbers("rmse"),
        .words("expect"), .words("transcript"),
      ]
    let rows = runs.flatMap { run -> [[OutputLine]] in
      let count = run.met + run.missed.count
      let lines = run.missed.map(String.init).joined(separator: ", ")
      let expected =
        count == 0 ? "-" : "\(run.met) of \(count)" + (lines.isEmpty ? "" : ", not line \(lines)")
      let start = run.values.map { OutputLine($0) }
      let end = [OutputLine(expected), OutputLine(run.transcript)]
      guard !run.evaluations.isEmpty else {
        return [start + ["-", "-", "-", "-"] + end]
      }
      return run.evaluations.map { line, result in
        func figure(_ name: String, _ digits: Int) -> OutputLine {
          result.value(at: "denoised.\(name)")?.numeric.map { "\($0, digits: digits)" } ?? "-"
        }
        return start + ["\(line)", figure("psnr", 2), figure("ssim", 4), figure("rmse", 2)] + end
      }
    }
    return OutputTable(columns, rows: rows)
  }

  private func json(_ run: Run) -> JSONValue {
    [
      "sweep": .object(zip(axes, run.values).map { .init($0.name, .string($1)) }),
      "status": .integer(Int(run.status.rawValue)), "seconds": .number(run.seconds),
      "evaluate": .list(run.evaluations) { ["line": .integer($0.line), "result": $0.result] },
      "expect": ["met": .integer(run.met), "missed": .list(run.missed) { .integer($0) }],
      "transcript": .string(run.transcript),
    ]
  }
}
