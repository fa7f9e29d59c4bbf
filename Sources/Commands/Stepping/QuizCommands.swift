import CommandLanguage
import GradientFlows
import Operations
import Tensors

/// The open question about a number, and the score of those before it.
struct Quiz: Sendable {
  /// The question that waits for an answer; nil if none does.
  var open: Question?
  var asked = 0
  var right = 0
  /// The name of the value that was asked for last.
  var last: String?

  struct Question: Sendable {
    let name: String
    let explanation: Explanation
    /// The allowed difference, as a part of the number.
    let tolerance: Double

    /// Whether an explanation shows the number that is asked for, under its own name or another.
    func isTold(by other: Explanation) -> Bool {
      let value = explanation.value
      let isTelling = value != value.rounded()
      return other.name == explanation.name || (isTelling && other.value == value)
        || other.terms.lazy.flatMap(\.factors).contains { factor in
          factor.name == explanation.name || (isTelling && abs(factor.value) == abs(value))
        }
    }

    /// Whether `answer` is close enough.
    func accepts(_ answer: Double) -> Bool {
      let size = abs(explanation.value)
      // A number that is 0 but for rounding is accepted as 0.
      let terms = explanation.terms.reduce(0) { max($0, abs($1.product)) }
      return abs(answer - explanation.value) <= max(tolerance * size, 1e-6 * terms)
    }
  }
}

extension Command<Workspace> {
  private static let setup = ["tensor a = 2", "tensor b = 3", "tensor y = a*b + a", "backward y"]

  static let quiz = Command(
    CommandSpec(
      "quiz", family: .stepping,
      summary: "Ask for a number of the network or of typed tensors.",
      details: """
        Shows what the number is computed from, and waits for 'answer VALUE'. Numbers ahead of the \
        cursor of an open pass may be asked for, too. 'quiz' alone shows the score.
        """,
      parameters: [
        .word(
          "name", .thing, "one value, gradient or update, such as b1.out[0,0,3,4]",
          default: .absent("the score")),
        .key(
          "within", .number(units: [.percent], .atLeast(0)),
          "allowed difference, a part of the number",
          default: .value("1%")),
      ],
      examples: [
        CommandExample("quiz a.grad", after: setup),
        CommandExample(
          "quiz c1.z[0,0,5,6] within=5%",
          after: [
            "phantom size=32 slices=2", "noise gaussian sigma=60HU", "conv", "forward noisy[1]",
          ]),
      ], seeAlso: ["answer", "explain"], quizRole: .asks)
  ) { arguments, workspace, _ in
    guard let name = arguments.textIfGiven("name") else { return workspace.quiz.score() }
    let explained = try workspace.explanation(of: name, most: 12, arguments)
    workspace.quiz.open = Quiz.Question(
      name: name, explanation: explained, tolerance: try arguments.number("within").value)
    return describe(explained, within: try arguments.number("within").value)
  }

  static let answer = Command(
    CommandSpec(
      "answer", family: .stepping,
      summary: "Answer the quiz; the derivation is shown, and the score.",
      parameters: [.rest("value", "a number, or + - * / of numbers")],
      examples: [
        CommandExample("answer 4", after: setup + ["quiz a.grad"]),
        CommandExample("answer 1*3 + 1", after: setup + ["quiz a.grad"]),
      ], seeAlso: ["quiz"], quizRole: .answers)
  ) { arguments, workspace, _ in
    guard let question = workspace.quiz.open else {
      throw arguments.error(
        .state, "no question is open",
        hint: workspace.quiz.last.map { "'quiz \($0)' asks the last one again" }
          ?? "for example 'quiz c1.z[0,0,5,6]' asks one")
    }
    let answer = try Expression(parsing: try arguments.source("value")).value {
      (name, range) throws(CommandError) -> Double in
      throw CommandError(
        .wrongValue, "'\(name)' is no number", hint: "answer with a number such as 0.25",
        range: range, line: arguments.line)
    }
    (workspace.quiz.open, workspace.quiz.last) = (nil, question.name)
    workspace.quiz.asked += 1
    let isRight = question.accepts(answer)
    workspace.quiz.right += isRight ? 1 : 0
    let value = question.explanation.value
    var outcome = Outcome(
      isRight
        ? "right  \(question.name) is \(value, significant: 6)"
        : "no  \(question.name) is \(value, significant: 6), not \(answer, significant: 6)")
    outcome.append(describe(question.explanation))
    let score = workspace.quiz.score()
    outcome.append(score)
    outcome.result = [
      "right": .bool(isRight), "value": .number(value), "answer": .number(answer),
      "score": .integer(workspace.quiz.right), "asked": .integer(workspace.quiz.asked),
    ]
    return outcome
  }
}

extension Quiz {
  fileprivate func score() -> Outcome {
    Outcome(
      asked == 0 ? "no question was answered yet" : "\(right) of \(asked) right",
      result: ["score": .integer(right), "asked": .integer(asked)])
  }
}

/// The text of a question: the terms of the number, without the number.
private func describe(_ explained: Explanation, within tolerance: Double) -> Outcome {
  var outcome = Outcome("\(explained.name) = ?  \(explained.formula)")
  // For a function, the only value would be the answer itself.
  let isFunction =
    explained.terms.count == 1 && explained.terms[0].factors.count == 1
    && explained.terms[0].factors[0].name.contains("(")
  let shown = isFunction ? [] : explained.terms
  for term in shown.sorted(by: { $0.index.lexicographicallyPrecedes($1.index) }) {
    outcome.say("  \(factors(of: term))")
  }
  if explained.restCount > 0 {
    outcome.say(
      "  \(terms(explained.restCount, "further")), \(explained.rest, significant: 6) together")
  }
  outcome.say(
    "answer with 'answer VALUE', within \(NumberFormat.shortest.string(tolerance * 100)) %")
  outcome.result = [
    "name": .string(explained.name), "within": .number(tolerance),
    "terms": .integer(explained.terms.count + explained.restCount),
  ]
  return outcome
}
