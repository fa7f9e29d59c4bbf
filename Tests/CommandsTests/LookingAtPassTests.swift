import CommandLanguage
import Commands
import Testing

/// What `explain`, `gradcheck`, `compare` and typed tensors say is so.
struct LookingAtPassTests {
  private static let data = ["phantom size=32 slices=4", "noise gaussian sigma=60HU"]

  // MARK: - Updates

  private static let optimizers = [
    "adam lr=0.01", "sgd lr=0.01", "sgd lr=0.01 momentum=0.9",
    "sgd lr=0.01 momentum=0.9 nesterov=yes",
    "rmsprop lr=0.01", "rmsprop lr=0.01 momentum=0.9", "adagrad lr=0.01",
    "adagrad lr=0.01 decay=0.5 initial=0.1", "adadelta", "adadelta lr=0.5 decay=0.8",
  ]
  private static let changes = [
    "", "clip=norm:0.01", "clip=value:0.001", "elementwise", "scalar", "multiply",
    "clip=norm:0.01 elementwise", "clip=value:0.001 multiply",
  ]

  @Test(arguments: optimizers, changes)
  func `the arithmetic of every update is told, clipping and noise included`(
    _ optimizer: String, _ change: String
  ) throws {
    let session = TestSession()
    let words = change.split(separator: " ").map(String.init)
    let clipping = words.first { $0.hasPrefix("clip") }
    let noise = words.first { !$0.hasPrefix("clip") }
    try session.run(
      lines: Self.data + ["block channels=2 act=tanh", "conv"]
        + ["optimizer \(optimizer) \(clipping ?? "")"]
        + (noise.map { ["gradient-noise \($0) eta=0.01"] } ?? []) + ["train steps=3 batch=2"])
    var explained = 0
    for name in ["b1.conv1.weight", "c1.bias"] {
      let index = name == "c1.bias" ? "[0]" : "[1,0,1,1]"
      for quantity in ["m", "v", "update"] {
        guard (try? session.run("stats \(name).\(quantity)")) != nil else { continue }
        let result = try session.run("explain \(name).\(quantity)\(index)").result
        try check(result)
        explained += 1
        let usesGradient = try result.factors.contains { ["g", "Δ"].contains($0.name) }
        guard usesGradient, !change.isEmpty else { continue }
        let inner = try #require(result.value(at: "inner.0"))
        try check(inner)
        let computed = try session.number("show \(name).grad\(index)", "min")
        let factors = try inner.factors
        for factor in factors where factor.name.contains(".grad[") {
          #expect(factor.value == computed, "\(factor)")
        }
        let g = try #require(inner["value"]?.numeric)
        for factor in try result.factors where factor.name == "g" { #expect(factor.value == g) }
        if noise != nil { #expect(factors.contains { $0.name == "ξ" }) }
        if clipping?.contains("norm") ?? false { #expect(factors.contains { $0.name == "clip" }) }
      }
    }
    #expect(explained >= 2)
  }

  /// The terms of an explanation are the products of their factors, and give the number.
  private func check(_ result: JSONValue) throws {
    let value = try #require(result["value"]?.numeric)
    let sum = try #require(result["sum"]?.numeric)
    guard case .array(let terms)? = result["terms"] else { throw Missing() }
    var total = result["rest"]?.numeric ?? 0
    for term in terms {
      guard case .array(let factors)? = term["factors"] else { throw Missing() }
      total += factors.compactMap(\.numeric).reduce(1, *)
    }
    let size = max(abs(value), 1e-12)
    #expect(abs(total - sum) <= 1e-12 * max(1, abs(sum)), "\(result)")
    #expect(abs(sum - value) <= 1e-5 * size, "\(result)")
  }

  @Test func `the limit of clipping is told as it was typed`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["conv", "optimizer sgd clip=value:0.001", "train steps=1"])
    let lines = try session.run("explain c1.weight.update[0,0,1,1]").lines
    #expect(lines.contains { $0.contains("max(−0.001, min(0.001, grad))") }, "\(lines)")
  }

  @Test func `nothing is claimed where the rounding of the loss hides the difference`() throws {
    let session = TestSession()
    try session.run(lines: ["conv", "conv", "assign c1.weight[0,0,0,0] = 3e38"])
    let outcome = try session.run("gradcheck")
    #expect(
      outcome.lines.last?.hasPrefix("nothing is claimed of standard: the loss is ") == true,
      "\(outcome.lines)")
    #expect(outcome.lines.contains { $0.contains("hidden by the loss's rounding") })
    #expect(!outcome.lines.contains { $0.contains("0.000 times as predicted") })
    #expect(outcome.result.value(at: "nature.change_hidden") == .bool(true))
    guard case .array(let rows)? = outcome.result["rows"] else { throw Missing() }
    for row in rows where row["hidden"] == nil && row["kink"] == .bool(false) {
      let (analytic, numeric) = (row["analytic"]?.numeric, row["numeric"]?.numeric)
      #expect(abs((analytic ?? 0) / (numeric ?? 0) - 1) < 1e-3, "\(row)")
    }
    #expect(rows.contains { $0["hidden"] == .bool(true) })
    // With usual weights the claim stands.
    try session.run("assign c1.weight[0,0,0,0] = 0.3")
    let usual = try session.run("gradcheck")
    #expect(usual.lines.last == "standard is the gradient of the loss")
    #expect(!usual.lines.contains { $0.contains("rounding") })
  }

  @Test func `nothing but a NaN's place is said of a NaN`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["block channels=2 act=tanh", "block channels=2", "conv", "train steps=1"]
        + ["tensor n = (1/0)*0", "assign b1.conv1.weight[0,0,1,1] = n"])
    let failure = #expect(throws: CommandError.self) { try session.run("gradcheck") }
    #expect(
      failure?.message.contains("b1.conv1.weight holds NaN") ?? false,
      "\(String(describing: failure))")
    for precision in ["float", "double"] {
      let lines = try session.run("compare standard tape dilated precision=\(precision)").lines
      for name in ["tape", "dilated"] {
        #expect(lines.contains { $0.hasPrefix("nothing is claimed of \(name)") }, "\(lines)")
      }
      #expect(!lines.joined().contains("equals") && !lines.joined().contains("differs"))
    }
  }

  @Test(arguments: ["float", "double"])
  func `the gradient of a bias before a batch norm is called rounding, not different`(
    _ precision: String
  ) throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["conv channels=4 norm=batch act=relu", "conv", "train steps=3"])
    let outcome = try session.run("compare standard tape precision=\(precision)")
    #expect(outcome.lines.contains { $0.hasPrefix("tape equals standard") }, "\(outcome.lines)")
    let row = try #require(outcome.lines.first { $0.contains("c1.bias") })
    #expect(row.contains("rounding") && !row.contains("1.0000"))
    #expect(outcome.lines.count { $0.contains("rounding") } == 1)
  }

  @Test func `a right gradient passes the check, whatever corners a projected skip has`() throws {
    let session = TestSession()
    let block = "block channels=4 act=tanh skip=project project-act=relu"
    try session.run(
      lines: ["phantom size=32 slices=2", "noise gaussian sigma=60HU", block, block, "conv"])
    #expect(try session.number("gradcheck samples=100", "worst") < 1e-6)
    let zero = TestSession()
    try zero.run(
      lines: ["phantom size=32 slices=2", "noise gaussian sigma=0", "conv", "output subtract"]
        + ["assign c1.weight = 0"])
    let checked = try zero.run("gradcheck")
    #expect((checked.result["worst"]?.numeric ?? 1) < 1e-6)
    #expect(checked.lines.contains { $0.contains("both are 0") }, "\(checked.lines)")
  }

  // MARK: - Typed tensors

  /// Every function that the help of `tensor` names, with its value and derivative at 0.5.
  private static let functions: [(String, value: Double, derivative: Double)] = [
    ("sum", 0.5, 1), ("mean", 0.5, 1), ("linear", 0.5, 1), ("relu", 0.5, 1), ("leaky-relu", 0.5, 1),
    ("elu", 0.5, 1), ("sigmoid", 0.622459, 0.235004), ("tanh", 0.462117, 0.786448),
    ("arctan", 0.463648, 0.8),
  ]

  @Test(arguments: functions.map { $0.0 })
  func `functions that the help names can be typed`(_ name: String) throws {
    let known = try #require(Self.functions.first { $0.0 == name })
    let session = TestSession()
    let help = try session.run("help tensor").lines.joined(separator: " ")
    #expect(help.contains("\(name)( )"), "\(help)")
    try session.run(lines: ["tensor a = 0.5", "tensor y = 2*\(name)(a) - a", "backward y"])
    #expect(abs(try session.number("stats y", "max") - (2 * known.value - 0.5)) < 1e-5)
    #expect(abs(try session.number("stats a.grad", "max") - (2 * known.derivative - 1)) < 1e-5)
  }

  @Test func `a hyphen within a function's name is no minus`() throws {
    let session = TestSession()
    try session.run(
      lines: ["tensor a = -2", "tensor leaky = 5", "tensor y = leaky-relu(a) - leaky -relu(a)"])
    #expect(abs(try session.number("stats y", "max") + 5.02) < 1e-5)
    try session.run("tensor z = Leaky-ReLU (a)")
    #expect(abs(try session.number("stats z", "max") + 0.02) < 1e-6)
    #expect(throws: CommandError.self) { try session.run("tensor q = leaky-rel(a)") }
  }

  @Test(arguments: ["1/3", "sum([0.25, 0.75])/3", "relu(2/6)", "-(-1/3)"])
  func `a name for what constants give is a leaf with a gradient`(_ text: String) throws {
    let session = TestSession()
    try session.run(lines: ["tensor a = \(text)", "tensor y = a*a", "backward y"])
    #expect(abs(try session.number("show a.grad", "max") - 2.0 / 3) < 1e-6)
    #expect(
      abs(try session.number("explain a.grad difference=yes", "finite_difference") - 2.0 / 3) < 1e-4
    )
    while (try? session.run("step")) != nil {}
    try session.run(lines: ["step back", "finish", "assign a = 2", "expect y = 4", "backward y"])
    #expect(try session.number("show a.grad", "max") == 4)
    try session.run("backward a")
    #expect(try session.number("show a.grad", "max") == 1)
  }

  // MARK: - Steps and indices

  @Test func `step N and next N make N moves, and back`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "block channels=2 act=tanh", "block channels=2", "conv", "forward noisy[1]",
      ])
    #expect(try session.number("step 3", "cursor") == 3)
    #expect(try session.number("step back 2", "cursor") == 1)
    #expect(try session.number("step 2 back", "cursor") == 0)
    #expect(throws: CommandError.self) { try session.run("step back") }
    let two = try session.number("next 2", "cursor")
    try session.run("next back 2")
    try session.run(lines: ["next", "next"])
    #expect(try session.number("where", "cursor") == two)
    let end = try session.number("where", "of")
    #expect(try session.number("step 1000", "cursor") == end)
    #expect(throws: CommandError.self) { try session.run("next 5") }
    for line in ["step 0", "step -1", "next x", "step 1.5"] {
      #expect(throws: CommandError.self) { try session.run(line) }
    }
  }

  @Test(arguments: [
    "b1.out[0,0,5,5]", "b1.out[0, 1, 5:6, 5]", "b1.out[0:1,0:1,0:1,0:1]", "b1.out[0,0,-1,5]",
    "b1.out[0,0,5,99]", "b1.out[0,0,5,5,5]", "b1.out[0,0,6:5,5]", "b1.out[x]", "b1.out[0,0,5,5",
    "c1.bias", "c1.bias[:]", "loss", "loss[0]", "c1.bias.grad[0:]", "nothing[0]",
    "c1.weight.m[0,0,0,0:1]",
  ])
  func `show and explain take the same indices, and refuse with the same words`(
    _ name: String
  ) throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["block channels=2 act=tanh", "conv", "train steps=1 batch=1"])
    func message(_ line: String) -> (value: Double?, error: String?) {
      do {
        let outcome = try session.run(line)
        return (outcome.result["value"]?.numeric ?? outcome.result["min"]?.numeric, nil)
      } catch let error as CommandError {
        return (nil, error.message)
      } catch { return (nil, "\(error)") }
    }
    let (shown, explained) = (message("show \(name)"), message("explain \(name)"))
    if let error = shown.error {
      #expect(explained.error == error)
    } else if let value = explained.value {
      #expect(value == shown.value)
    } else {
      #expect(explained.error?.contains("given, not computed") ?? false, "\(explained)")
    }
  }

  @Test func `slices and values of other networks are named as what they are`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["block channels=2 act=tanh", "conv", "net fork second", "train steps=1"])
    let slice = #expect(throws: CommandError.self) { try session.run("explain noisy[0,3,3]") }
    #expect(slice?.message == "noisy is a stack of slices, no value of a pass")
    try session.run(lines: ["net use second"])
    #expect(
      try session.number("explain main/b1.out[0,1,5,5]", "value")
        == session.number("show main/b1.out[0,1,5,5]", "min"))
  }

  // MARK: - Links

  @Test(arguments: [
    ("", "6 links  G(k) = g(k+1) + ρ·Σ g(j)  ρ", "ρ·g(b3) + ρ·g(b4)"),
    ("combine=product", "6 links  G(k) = g(k+1) + ρ·Π g(j)  ρ", "ρ·g(b3)·g(b4)"),
    ("insert=after", "6 links  dz(k) = act′·da(k) + ρ·Σ g(j)  ρ", "ρ·g(b3) + ρ·g(b4)"),
    (
      "combine=product blocks=b2,b3",
      "6 links  G(k) = g(k+1) + ρ·Π g(j) in b2, b3, G(k) = g(k+1) + ρ·Σ g(j) in the others  ρ",
      "ρ·g(b3) + ρ·g(b4)"
    ),
  ])
  func `plot flow says how links join a block`(
    _ options: String, _ rule: String, _ terms: String
  ) throws {
    let session = TestSession()
    let block = "block channels=2"
    try session.run(
      lines: ["conv channels=2"] + Array(repeating: block, count: 5)
        + ["conv", "flow dilated rate=2 \(options)"])
    let lines = try session.run("plot flow as=text").lines
    #expect(lines.contains { $0.hasPrefix(rule) }, "\(lines)")
    #expect(lines.contains { $0.contains("gradient of b1 also from \(terms)") }, "\(lines)")
    // b2 multiplies what b1 adds.
    #expect(
      lines.contains { $0.contains("gradient of b2 also from ρ·g(b4)·g(b5)") }
        == options.contains("product"))
  }

  @Test func `the step that adds links behind the derivative shows them`() throws {
    let session = TestSession()
    let block = "block channels=2 act=tanh"
    try session.run(
      lines: Self.data + ["conv channels=2", block, block, block, block, "conv"]
        + ["flow dilated rate=2 insert=after combine=product", "forward noisy[1]", "finish"]
        + ["backward"])
    let first = try session.run("until b1.conv1.a.grad").result
    #expect(first["formula"] == "a.grad = G, skip.grad = G")
    #expect(try session.run("step").lines.contains { $0.contains("is not final yet") })
    let joined = try session.run("step")
    #expect(joined.result["formula"] == "z.grad += ρ·b4.in.grad·b3.in.grad")
    #expect(joined.lines.contains { $0.contains("from b4 · b3  ρ 2") }, "\(joined.lines)")
    #expect(joined.lines.contains { $0.contains("b1.conv1.z.grad is final") }, "\(joined.lines)")
  }

  // MARK: - Interruption

  @Test(arguments: [
    "stats b1.out", "show c1.weight.grad", "explain b1.out.grad[0,0,5,5]", "forward noisy[1]",
    "explain c1.weight.grad[0,0,1,1]", "backward", "compare standard tape", "diagnose", "denoise",
    "gradcheck samples=100", "kernels c1", "plot gradients flow=tape", "view denoised[0]",
    "evaluate",
    "baseline median", "explain loss difference=yes", "hist b1.out.grad",
    "panel denoised[0] clean[0]",
  ])
  func `a command that was asked to stop says so and leaves all as it was`(_ line: String) throws {
    let interruption = Interruption()
    let runner = CommandRunner.session(
      files: Files(script: TestSession().folder, session: nil), interruption: interruption)
    func run(_ text: String) throws -> Outcome {
      try #require(runner.run(text, line: 1)).result.get()
    }
    // A training that judges slices has denoised them.
    let network = ["block channels=2 act=tanh", "conv", "train steps=1 judge=no", "flow tape"]
    for text in Self.data + network { _ = try run(text) }
    let before = try run("data").lines
    interruption.request()
    let failure = #expect(throws: CommandError.self) { try run(line) }
    #expect(
      failure?.code == "interrupted" && failure?.status == .interrupted,
      "\(String(describing: failure))")
    interruption.reset()
    #expect(try run("data").lines == before)
    // Nothing that was left half done is kept.
    let fresh = TestSession()
    try fresh.run(
      lines: Self.data + ["block channels=2 act=tanh", "conv", "train steps=1", "flow tape"])
    for name in ["b1.out", "b1.out.grad", "c1.weight.grad", "denoised"] {
      #expect(
        try run("stats \(name)").result["sha256"] == .string(try fresh.fingerprint(name)), "\(name)"
      )
    }
  }

  @Test func `the gradient of a weight is looked up without keeping every value`() throws {
    let session = TestSession()
    try session.run(
      lines: ["phantom size=512 slices=1", "noise gaussian", "conv channels=32 act=relu"]
        + ["block channels=32 convs=2", "block channels=32 convs=2", "conv", "train steps=1"])
    // The terms of one number need the values of its layer.
    try session.run("explain b1.conv1.weight.grad[0,0,1,1]")
    // Every value would need far more.
    try session.run("set limit.memory=600MiB")
    #expect(throws: CommandError.self) { try session.run("stats b1.out.grad") }
    let kept = try session.fingerprint("b1.conv1.weight.grad")
    try session.run(lines: ["show c1.weight.grad", "kernels c2", "set limit.memory=none"])
    // Computed again, by another flow and by the same: the same bits as in the step.
    try session.run(lines: ["checkpoint ck", "restore ck"])
    #expect(try session.fingerprint("b1.conv1.weight.grad") == kept)
  }
}

private struct Missing: Error {}

extension JSONValue {
  fileprivate var factors: [(name: String, value: Double)] {
    get throws {
      guard case .array(let terms)? = self["terms"] else { throw Missing() }
      return terms.flatMap { term -> [(name: String, value: Double)] in
        guard case .array(let names)? = term["names"], case .array(let numbers)? = term["factors"]
        else { return [] }
        return zip(names, numbers).compactMap { name, number in
          guard case .string(let name) = name, let number = number.numeric else { return nil }
          return (name, number)
        }
      }
    }
  }
}

/// Names that stand for nothing, and places for names.
struct `A wrong name` {
  @Test(arguments: ["X[0,0,-1,0]", "net.out[0,0,99,0]", "net.out[0,0,x,0]", "nothing[0]"])
  func `a wrong name is marked by every command that takes it`(name: String) throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=16 slices=1", "noise gaussian", "conv", "forward noisy[0]",
      "tensor X = [[[[1]]]]",
    ])
    for command in ["show", "explain", "quiz", "pick"] {
      let error = try #require(
        #expect(throws: CommandError.self) { try session.run("\(command) \(name)") })
      #expect(error.range?.lowerBound == command.count + 1, "\(command): \(error.rendered)")
    }
  }

  @Test(arguments: ["tensor 0", "tensor noisy[0]", "tensor noisy"])
  func `what cannot name a tensor is not proposed as a name`(line: String) throws {
    let session = TestSession()
    let error = try #require(#expect(throws: CommandError.self) { try session.run(line) })
    #expect(error.code == .wrongValue, "\(error.summary)")
    #expect(error.hint?.contains("= 2") == false, "\(error.summary)")
  }
}
