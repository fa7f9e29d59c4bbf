import CommandLanguage
import Networks

extension Command<Workspace> {
  private static let off = "off"

  static let gradientNoise = Command(
    CommandSpec(
      "gradient-noise", family: .learning,
      summary: "Disturb gradients by random numbers that fade from update to update.",
      details: """
        With s = eta/(1+t)^gamma, t the updates made so far: elementwise adds to each number one of \
        its own, normal with variance s, as Neelakantan et al. (2015) do; scalar adds one number to \
        each parameter, normal with standard deviation s; multiply multiplies by that number. The \
        article's author used the last two. Noise comes after clipping and before the optimizer; \
        NAME.grad shows gradients without it.
        """,
      parameters: [
        .word(
          "form", .choice(GradientNoise.Form.allCases.map(\.rawValue) + [off]),
          "the form, or off for none"),
        .key("eta", .number(units: [], .atLeast(0)), "strength at first", default: .value("0.01")),
        .key(
          "gamma", .number(units: [], .atLeast(0)), "how fast the strength falls",
          default: .value("0.55")),
        .key(
          "seed", .integer(), "replaces the session's seed for the draw",
          default: .absent("the session's seed")),
      ],
      examples: [
        "gradient-noise elementwise eta=0.01 gamma=0.55", "gradient-noise multiply",
        "gradient-noise off",
      ], seeAlso: ["optimizer", "flow", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    let form = try arguments.choice("form")
    guard form != off else {
      if let key = arguments.first(of: ["eta", "gamma", "seed"]) {
        throw arguments.error(
          at: key, .surplusArgument, "gradient-noise off takes no \(key)=", hint: "leave it out")
      }
      workspace.gradientNoise = nil
      return Outcome()
    }
    var noise = GradientNoise()
    noise.form = try arguments.choice("form", as: GradientNoise.Form.self)
    noise.eta = try arguments.number("eta").value
    noise.gamma = try arguments.number("gamma").value
    noise.seed = workspace.seed(arguments)
    workspace.gradientNoise = noise
    return Outcome()
  }
}
