import CommandLanguage
import Networks

extension Command<Workspace> {
  static let loss = Command(
    CommandSpec(
      "loss", family: .learning,
      summary: "Choose what training makes small, in network range.",
      details: """
        mse: the mean of (output−target)². half-squares: Σ(½(output−target))², the article's sum \
        over batch and pixels, whose exact gradient is ½(output−target); gradient=declared takes \
        output−target, as the article's code did. l1: the mean of |output−target|.
        """,
      parameters: [
        .word("kind", .choice(["mse", "half-squares", "l1"]), "the loss"),
        .key(
          "gradient", .choice(["exact", "declared"]), "of half-squares", default: .value("exact")),
      ],
      examples: ["loss mse", "loss half-squares gradient=declared", "loss l1"],
      seeAlso: ["optimizer adam", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    let kind = try arguments.choice("kind")
    if arguments.has("gradient"), kind != "half-squares" {
      throw arguments.error(
        at: "gradient", .surplusArgument, "only half-squares has a declared gradient",
        hint: "leave gradient= out")
    }
    workspace.loss =
      switch kind {
      case "half-squares":
        .halfSquares(gradientIsDeclared: try arguments.choice("gradient") == "declared")
      case "l1": .meanAbsoluteError
      default: .meanSquaredError
      }
    return Outcome()
  }
}
