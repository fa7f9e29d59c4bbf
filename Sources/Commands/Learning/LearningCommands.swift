import CommandLanguage
import Networks

extension Command<Workspace> {
  private static let kinds = [
    "mse", "half-squares", "l1", "charbonnier", "ssim", "sinogram", "bias",
  ]

  static let loss = Command(
    CommandSpec(
      "loss", family: .learning,
      summary: "Choose what training makes small, in network range.",
      details: """
        mse: the mean of (output−target)². half-squares: Σ(½(output−target))², the article's sum \
        over batch and pixels, whose exact gradient is ½(output−target); gradient=declared takes \
        output−target, as the article's code did. l1: the mean of |output−target|. charbonnier: the \
        mean of √((output−target)²+epsilon²), an l1 without its corner. ssim: 1 − the mean structural \
        similarity, with the Gaussian window of 11 pixels that 'evaluate' has, so it takes slices and \
        patches from 11×11 on; range= is that of the values: 1 for 0…1 of the scale, and to be told \
        under 'scale none'. A mask decides by the middle of a window. sinogram: the mean of (A·(output−target))² \
        over parallel rays a pixel apart in views= directions, the error as a scanner would see it, with \
        lengths in pixels; errors that many pixels share count more. bias: the mean of m², m being the mean \
        of output−target over the pixels of an image or patch whose targets lie in the same interval of \
        width=; beside mse it keeps a network from making bright tissue darker and dark tissue brighter. It \
        needs clean targets: where they are noisy, pixels with similar targets have similar noise. Several with weights are a mix: \
        loss l1:0.84 ssim:0.16 is 0.84·l1 + 0.16·ssim.
        """,
      parameters: [
        .words(
          "kind", .choice(kinds + kinds.map { "\($0):N" }), "the loss, or several with weights"),
        .key(
          "gradient", .choice(["exact", "declared"]), "of half-squares", default: .value("exact")),
        .key(
          "epsilon", .number(units: [], .positive), "of charbonnier, in network range",
          default: .value("0.001")),
        .key(
          "range", .number(units: [], .positive), "of ssim: that of the values in network range",
          default: .value("1")),
        .key("views", .integer(1...5000), "of sinogram: over half a turn", default: .value("180")),
        .key(
          "width", .number(units: [], .positive),
          "of bias: that of an interval of targets, in network range; in HU under 'scale none'",
          default: .value("0.05")),
      ],
      examples: [
        "loss mse", "loss half-squares gradient=declared", "loss l1", "loss charbonnier",
        "loss l1:0.84 ssim:0.16", "loss sinogram views=90",
        "loss mse:1 bias:10",
      ],
      seeAlso: ["optimizer adam", "train"], recipe: .network)
  ) { arguments, workspace, _ in
    workspace.loss = try chosenLoss(arguments)
    return Outcome()
  }

  private static func chosenLoss(_ arguments: Arguments) throws(CommandError) -> Loss {
    let words = arguments.words("kind").map { $0.lowercased().split(separator: ":") }
    let names = words.compactMap { $0.first.map(String.init) }
    for (option, kind) in [
      ("gradient", "half-squares"), ("epsilon", "charbonnier"), ("range", "ssim"),
      ("views", "sinogram"), ("width", "bias"),
    ]
    where arguments.has(option) && !names.contains(kind) {
      throw arguments.error(
        at: option, .surplusArgument,
        option == "gradient"
          ? "only half-squares has a declared gradient" : "\(option)= belongs to \(kind)",
        hint: "leave \(option)= out")
    }
    var parts: [Loss.Weighted] = []
    for (index, name) in names.enumerated() {
      guard !names[..<index].contains(name) else {
        throw arguments.error(
          at: "kind", index: index, .wrongValue, "\(name) is there already",
          hint: "give each loss once, with the sum of its weights")
      }
      let weight = words[index].count > 1 ? Double(words[index][1]) : nil
      guard weight != nil || names.count == 1 else {
        throw arguments.error(
          at: "kind", index: index, .wrongValue, "\(name) needs a weight in a mix",
          hint:
            "for example loss \(names.map { "\($0):\(1 / Double(names.count))" }.joined(separator: " "))"
        )
      }
      guard weight.map({ $0 > 0 && $0.isFinite }) ?? true else {
        throw arguments.error(
          at: "kind", index: index, .outOfRange, "the weight of \(name) must be above 0 and finite",
          hint: "for example \(name):0.5")
      }
      parts.append(.init(weight: weight ?? 1, loss: try loss(name, arguments)))
    }
    let isMix = words.contains { $0.count > 1 }
    if isMix, parts.contains(where: { $0.loss == .halfSquares(gradientIsDeclared: true) }) {
      throw arguments.error(
        at: "gradient", .wrongValue, "a mix takes the exact gradient of half-squares",
        hint: "leave gradient= out, or take half-squares alone")
    }
    return isMix ? .mix(parts) : parts[0].loss
  }

  private static func loss(_ name: String, _ arguments: Arguments) throws(CommandError) -> Loss {
    switch name {
    case "half-squares":
      .halfSquares(gradientIsDeclared: try arguments.choice("gradient") == "declared")
    case "l1": .meanAbsoluteError
    case "charbonnier": .charbonnier(epsilon: try arguments.number("epsilon").value)
    case "ssim": .dissimilarity(range: try arguments.number("range").value)
    case "sinogram": .sinogram(views: try arguments.integer("views"))
    case "bias": .bias(width: try arguments.number("width").value)
    default: .meanSquaredError
    }
  }
}
