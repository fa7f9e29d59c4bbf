import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let expect = Command(
    CommandSpec(
      "expect", family: .checking,
      summary: "Compare two numbers, and fail if the comparison does not hold.",
      details: """
        Each side is a number, a variable of let, NAME.min|max|mean|std|nan|inf, a figure of the \
        last evaluate or baseline (noisy.psnr, denoised.ssim, baseline.rmse), COMMAND.field of a \
        command's last result (train.loss, gradcheck.worst), a single number of a tensor \
        (b1.conv1.weight[0,0,1,1]), or + - * / of these.
        """,
      parameters: [
        .rest("comparison", "A OP B with < <= = != >= >"),
        .key(
          "within", .number(units: [.percent], .atLeast(0)), "allowed difference, a part of B",
          default: .value("0")),
      ],
      examples: [
        "expect 1 + 1 = 2",
        CommandExample("expect clean.max > 100", after: ["phantom size=32 slices=2"]),
        CommandExample(
          "expect noisy.rmse = 40 within=5%",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]),
      ], seeAlso: ["evaluate", "stats", "fails"], readsResults: true)
  ) { arguments, workspace, context in
    let comparison = try Comparison(parsing: try arguments.source("comparison"))
    var lookup = workspace
    func value(_ side: Expression) throws -> Double {
      try side.value { name, range in
        do {
          return try lookup.number(name, context)
        } catch {
          let cause = commandError(error)
          throw CommandError(
            cause.code, cause.message, hint: cause.hint, range: range, line: arguments.line)
        }
      }
    }
    let (left, right) = (try value(comparison.left), try value(comparison.right))
    workspace = lookup
    let tolerance = try arguments.number("within").value
    let unmet = UnmetExpectation(left, comparison.relation, right, within: tolerance)
    guard comparison.holds(left, right, within: tolerance) else {
      throw CommandError(
        .expectation, unmet.message, hint: unmet.hint, range: arguments.range(of: "comparison"),
        line: arguments.line)
    }
    var outcome = Outcome(
      "ok  \(left, significant: 6) \(comparison.relation.rawValue) \(right, significant: 6)",
      result: ["left": .number(left), "right": .number(right)])
    if let side = unmet.sideOfNaN { outcome.warn("\(side), which is different from every number") }
    return outcome
  }
}

extension Workspace {
  /// The number that a name in an expression stands for.
  fileprivate mutating func number(_ name: String, _ context: CommandContext) throws -> Double {
    let parts = name.split(separator: ".").map(String.init)
    if parts.count == 2, let figures = try figures(of: parts[0], context) {
      switch parts[1] {
      case "psnr": return figures.psnr
      case "ssim": return figures.ssim
      case "rmse": return figures.rmse
      default: break
      }
    }
    if parts.count == 2, Self.stackNames.contains(parts[0]),
      ["psnr", "ssim", "rmse"].contains(parts[1])
    {
      if slices != nil { _ = try requireClean() }
      throw CommandError(
        .state, "\(parts[0]) has not been judged yet",
        hint: parts[0] == "baseline" ? "type 'baseline median'" : "type 'evaluate'")
    }
    if let result = context.result(at: name)?.numeric { return result }
    if let text = context.variables[name] {
      guard let value = Double(text) else {
        throw CommandError(
          .wrongValue, "\(name) is \"\(text)\", which is no number",
          hint: "give it one: let \(name) = 3")
      }
      return value
    }
    if parts.count == 2, case .object(let fields)? = context.results[parts[0].lowercased()] {
      let numbers = fields.filter { $0.value.numeric != nil }.map { "\(parts[0]).\($0.key)" }
      throw CommandError(
        .unknownName, "the last result of \(parts[0]) has no number called \(parts[1])",
        hint: NearestNames.question(for: name, among: numbers)
          ?? (numbers.isEmpty
            ? "it has no numbers" : "there are \(numbers.joined(separator: ", "))"))
    }
    if let last = parts.last, parts.count > 1, let statistic = Self.statistics[last] {
      return statistic(try value(String(name.dropLast(last.count + 1))).statistics)
    }
    let value = try value(name)
    guard value.tensor.shape.count == 1 else {
      throw CommandError(
        .shape, "\(name) is \(value.tensor.shape), not a single number",
        hint: "add an index, or .mean, .max, …")
    }
    return Double(value.tensor.scalars[0])
  }

  /// The figures judged last; those of noisy slices also before anything was judged.
  private func figures(
    of name: String, _ context: CommandContext
  ) throws(CommandError) -> FiguresOfMerit? {
    if let known = figures[name] { return known }
    guard name == "noisy", let judge = try? requireJudge(), let noisy else { return nil }
    let figures = judge.figures(of: noisy, shouldStop: context.shouldStop)
    try context.stopIfInterrupted()
    return FiguresOfMerit(meanOf: figures)
  }

  private static let statistics: [String: @Sendable (Statistics) -> Double] = [
    "min": { $0.min }, "max": { $0.max }, "mean": { $0.mean }, "std": { $0.deviation },
    "nan": { Double($0.nanCount) }, "inf": { Double($0.infiniteCount) },
  ]
}
