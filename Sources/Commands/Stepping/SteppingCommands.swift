import CommandLanguage
import Figures
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let setup = [
    "phantom size=32 slices=2", "noise gaussian sigma=60HU", "block channels=2 act=tanh",
    "block channels=2 act=tanh merge=multiply", "conv",
  ]

  static let forward = Command(
    CommandSpec(
      "forward", family: .stepping,
      summary: "Open a pass on a slice before its first operation.",
      details: """
        'step' does one operation, 'next' one layer, 'until NAME' goes on to a value, 'finish' to the \
        end; 'step back' and 'next back' go back. All values can be looked at, those ahead too. Until \
        'finish', data, network and training stay as they are. 'forward y' walks through what a \
        typed number was computed from.
        """,
      parameters: [
        .word("input", .thing, "a noisy slice such as noisy[3], or a typed number"),
        .key(
          "target", .thing, "what the output is compared with",
          default: .absent("clean, the same slice")),
      ],
      examples: [
        CommandExample("forward noisy[1]", after: setup),
        CommandExample("forward noisy[1] target=clean[1]", after: setup),
      ], seeAlso: ["backward", "step", "where", "explain"])
  ) { arguments, workspace, _ in
    try workspace.requireNoStepper(arguments)
    let name = try arguments.text("input")
    if workspace.isTyped(name) {
      return try workspace.openTyped(name, startsBackward: false, arguments)
    }
    try workspace.network.requireTrainable()
    let (pass, slice) = try workspace.slicePass(arguments)
    try workspace.requireMemoryToInspect(pass, [workspace.flow])
    workspace.lastPass = pass
    try workspace.open(flows: [workspace.flow.name], startsBackward: false, arguments)
    var outcome = workspace.describeOpening()
    outcome.remarks += workspace.paddingRemark(slice)
    return outcome
  }

  static let backward = Command(
    CommandSpec(
      "backward", family: .stepping,
      summary: "Open the backward pass of the last pass, under one flow or several.",
      details: """
        The last pass is that of 'forward', or the last training step. With flows=, several flows \
        are walked at once, a column each; 'until difference' goes to where they first differ. \
        'backward y' gives the gradients of a typed number at once, and walks through them.
        """,
      parameters: [
        .word(
          "name", .thing, "a typed number, to go back from it", default: .absent("the last pass")),
        .key(
          "flows", .list(.text(placeholder: "FLOW")),
          "words such as standard, feedback, or kept names",
          default: .absent("the one in use")),
      ],
      examples: [
        CommandExample("backward", after: setup + ["train steps=1"]),
        CommandExample(
          "backward flows=standard,tape", after: setup + ["forward noisy[1]", "finish"]),
        CommandExample("backward y", after: ["tensor a = 2", "tensor y = a*a + a"]),
      ], seeAlso: ["forward", "step", "compare"])
  ) { arguments, workspace, _ in
    if let stepper = workspace.stepper, stepper.networkWalk != nil,
      stepper.current?.direction == .backward
    {
      throw arguments.error(
        .state, "a backward pass is open already", hint: "go on with 'step', or 'finish' it first")
    }
    if let name = arguments.textIfGiven("name") {
      if let stepper = workspace.stepper, stepper.networkWalk != nil {
        throw arguments.error(.state, "a pass is open", hint: "'finish' it first")
      }
      return try workspace.openTyped(name, startsBackward: true, arguments)
    }
    guard workspace.lastPass != nil else {
      throw arguments.error(
        .state, "there is no pass to go back through",
        hint: workspace.passCure("type 'forward noisy[0]' first"))
    }
    let names = arguments.list("flows").compactMap { value in
      if case .text(let name) = value { name } else { nil }
    }
    try workspace.open(
      flows: names.isEmpty ? [workspace.flow.name] : names, startsBackward: true, arguments)
    return workspace.describeOpening()
  }

  static let step = Command(
    CommandSpec(
      "step", family: .stepping,
      summary: "Do one operation of the open pass, or several, or take them back.",
      parameters: [
        .flag("direction", ["back"], "back, not on", default: .absent("on")),
        .word("count", .integer(1...1_000_000), "how many operations", default: .value("1")),
      ],
      examples: [
        CommandExample("step", after: setup + ["forward noisy[1]"]),
        CommandExample("step 3", after: setup + ["forward noisy[1]"]),
        CommandExample("step back", after: setup + ["forward noisy[1]", "step", "step"]),
      ], seeAlso: ["next", "until", "where", "explain"])
  ) { arguments, workspace, _ in
    try workspace.repeatMove(arguments) { stepper, isBack in
      if isBack { stepper.stepBack() } else { stepper.step() }
    }
  }

  static let next = Command(
    CommandSpec(
      "next", family: .stepping,
      summary: "Go to the end of a layer of the open pass, or of several, or back.",
      parameters: [
        .flag("direction", ["back"], "back, not on", default: .absent("on")),
        .word("count", .integer(1...1_000_000), "how many layers", default: .value("1")),
      ],
      examples: [CommandExample("next", after: setup + ["forward noisy[1]"])],
      seeAlso: ["step", "until"])
  ) { arguments, workspace, _ in
    try workspace.repeatMove(arguments) { stepper, isBack in
      if isBack { stepper.previousLayer() } else { stepper.nextLayer() }
    }
  }

  static let until = Command(
    CommandSpec(
      "until", family: .stepping,
      summary: "Go on in the open pass until a value is final.",
      details: """
        'until difference' goes to the first operation after which two flows of \
        'backward flows=A,B' have other numbers.
        """,
      parameters: [.word("name", .thing, "a value or gradient such as b2.out.grad")],
      examples: [CommandExample("until b1.out", after: setup + ["forward noisy[1]"])],
      seeAlso: ["step", "next"])
  ) { arguments, workspace, _ in
    let name = try arguments.text("name")
    return try workspace.move(arguments) { stepper in
      if name.lowercased() == "difference" {
        guard stepper.pass.flowNames.count > 1 else {
          throw arguments.error(
            at: "name", .state, "only one flow is walked", hint: "open 'backward flows=A,B'")
        }
        guard stepper.advanceToDifference() else {
          throw arguments.error(
            at: "name", .state, "the flows do not differ further on", hint: "type 'finish'")
        }
        return
      }
      guard stepper.advance(to: name) else {
        let names = stepper.pending.flatMap(\.writes)
        throw arguments.error(
          at: "name", .unknownName,
          stepper.steps.contains { $0.writes.contains(name) }
            ? "\(name) has been computed already" : "no operation ahead computes '\(name)'",
          hint: NearestNames.question(for: name, among: names)
            ?? names.first.map { "the next is \($0)" })
      }
    }
  }

  static let finish = Command(
    CommandSpec(
      "finish", family: .stepping,
      summary: "Go to the end of the open pass and close it; its values stay.",
      examples: [CommandExample("finish", after: setup + ["forward noisy[1]", "step"])],
      seeAlso: ["forward", "backward"])
  ) { arguments, workspace, _ in
    var stepper = try workspace.requireStepper(arguments)
    if let hit = workspace.walk(&stepper, to: stepper.steps.count) {
      workspace.stepper = stepper
      return workspace.describe(hit, stepper)
    }
    return workspace.close(stepper)
  }

  static let whereCommand = Command(
    CommandSpec(
      "where", family: .stepping,
      summary: "Show the open pass: what is done, where it stands, what is pending.",
      examples: [CommandExample("where", after: setup + ["forward noisy[1]", "step"])],
      seeAlso: ["step", "plot net"])
  ) { arguments, workspace, _ in
    let stepper = try workspace.requireStepper(arguments)
    var outcome = stepper.map()
    if workspace.keepsDrawings { outcome.drawing = try stepper.diagram?.drawing().svg() }
    return outcome
  }

  static let pick = Command(
    CommandSpec(
      "pick", family: .stepping,
      summary: "Follow an element: each stop shows its number and its gradient.",
      details: "'pick' alone lists what is followed; 'pick off' follows nothing.",
      parameters: [
        .word(
          "element", .thing, "an element such as b1.out[0,1,10,12], or off",
          default: .absent("list them"))
      ],
      examples: [
        CommandExample("pick b1.out[0,1,10,12]", after: setup + ["forward noisy[1]"])
      ], seeAlso: ["step", "explain"])
  ) { arguments, workspace, _ in
    var stepper = try workspace.requireStepper(arguments)
    if let element = arguments.textIfGiven("element") {
      if element.lowercased() == "off" {
        stepper.picks = []
      } else {
        try stepper.checkPick(element, arguments)
        if !stepper.picks.contains(element) { stepper.picks.append(element) }
      }
    }
    workspace.stepper = stepper
    var outcome = Outcome()
    for line in stepper.pickLines() { outcome.say(line) }
    outcome.result = ["picks": .list(stepper.picks) { .string($0) }]
    return outcome
  }
}

/// The error of 'step' or 'next' at an end of the pass.
private func endOfPass(_ arguments: Arguments) -> CommandError {
  let (word, isBack) = (arguments.spec.name, arguments.has("direction"))
  return arguments.error(
    .state, isBack ? "this is the start of the pass" : "this is the end of the pass",
    hint: isBack ? "go on with '\(word)'" : "'\(word) back' goes back, 'finish' closes it")
}

// MARK: - The workspace's open pass

extension Workspace {
  /// The open pass.
  ///
  /// - Throws: `CommandError` that says how to open one.
  func requireStepper(_ arguments: Arguments) throws(CommandError) -> Stepper {
    if let stepper { return stepper }
    throw arguments.error(
      .state, "no pass is open", hint: "type 'forward noisy[0]', or after a training 'backward'")
  }

  fileprivate func requireNoStepper(_ arguments: Arguments) throws(CommandError) {
    guard stepper?.networkWalk != nil else { return }
    throw arguments.error(.state, "a pass is open", hint: "'finish' it first")
  }

  /// A pass of one slice, in network range, and the slice's shape before any padding.
  fileprivate mutating func slicePass(
    _ arguments: Arguments
  ) throws -> (pass: TrainingPass<Float>, slice: Shape) {
    let input = try value(arguments, "input")
    guard input.isImage else {
      throw arguments.error(
        at: "input", .wrongValue, "\(input.name) is no slice", hint: "for example noisy[0]")
    }
    func batch(_ value: NamedValue, _ argument: String) throws -> Tensor<Float> {
      let extents = value.tensor.shape.extents
      guard extents.count >= 2, extents.dropLast(2).allSatisfy({ $0 == 1 }) else {
        throw arguments.error(
          at: argument, .shape, "\(value.name) is \(value.tensor.shape), not one slice",
          hint: "for example \(Self.stackNames[1])[0]")
      }
      return value.tensor.reshaped([1, 1, extents[extents.count - 2], extents[extents.count - 1]])
    }
    let noisy = try batch(input, "input")
    let target =
      arguments.has("target")
      ? try value(arguments, "target") : try value("clean" + input.name.drop { $0 != "[" })
    let clean = try batch(target, arguments.has("target") ? "target" : "input")
    guard clean.shape == noisy.shape else {
      throw arguments.error(
        at: "target", .shape,
        "the input is \(noisy.shape), the target \(clean.shape)", hint: "name equal parts of both")
    }
    try network.requireFitWhenPadded(height: noisy.shape.height, width: noisy.shape.width)
    try arguments.blaming("input") { () throws(CommandError) in
      try requireFittingLoss(min(clean.shape.height, clean.shape.width))
    }
    let scale = try requireScale()
    let pass = TrainingPass(
      network: network, input: scale.toNetwork(noisy), target: scale.toNetwork(clean), loss: loss)
    return (pass.padded(), noisy.shape)
  }

  fileprivate mutating func open(
    flows names: [String], startsBackward: Bool, _ arguments: Arguments
  ) throws {
    let flows = try names.enumerated().map { index, name in
      (
        name: name,
        flow: name == flow.name
          ? flow : try fittingFlow(name, at: "flows", index: index, arguments)
      )
    }
    var opened = Stepper(try walk(flows), startsBackward: startsBackward)
    opened.picks = stepper?.picks ?? []
    stepper = opened
  }

  /// The last pass under some flows, computed where it is not known yet.
  private mutating func walk(
    _ flows: [(name: String, flow: any GradientFlow)]
  ) throws(CommandError) -> NetworkWalk {
    let pass = try requireLastPass()
    try requireMemoryToInspect(pass, flows.map(\.flow))
    var walked: [(name: String, flow: any GradientFlow, result: PassResult<Float>)] = []
    for (name, flow) in flows { walked.append((name, flow, try requirePass(flow))) }
    return NetworkWalk(pass, flows: walked)
  }

  /// Ends stepping.
  fileprivate mutating func close(_ stepper: Stepper) -> Outcome {
    self.stepper = nil
    let count = stepper.steps.count
    guard let walk = stepper.networkWalk else {
      return Outcome(
        "finished  \(count, "operation")",
        result: ["steps": .integer(count)])
    }
    let loss = walk.flows[0].result.loss
    return Outcome(
      "finished  \(count, "operation") · loss \(loss, significant: 4)",
      result: ["steps": .integer(count), "loss": .number(loss)])
  }

  /// Makes the number of moves that a line asks for, forward or back; stops at the end of the pass.
  fileprivate mutating func repeatMove(
    _ arguments: Arguments, _ body: (inout Stepper, _ isBack: Bool) -> Void
  ) throws -> Outcome {
    let (count, isBack) = (try arguments.integer("count"), arguments.has("direction"))
    return try move(arguments) { stepper in
      for done in 0..<count {
        guard isBack ? !stepper.isAtStart : !stepper.isAtEnd else {
          guard done > 0 else { throw endOfPass(arguments) }
          return
        }
        body(&stepper, isBack)
      }
    }
  }

  /// Moves the cursor and returns the screen of its new place.
  fileprivate mutating func move(
    _ arguments: Arguments, _ body: (inout Stepper) throws -> Void
  ) throws -> Outcome {
    let start = try requireStepper(arguments)
    var target = start
    try body(&target)
    guard target.cursor > start.cursor else {
      stepper = target
      return target.screen()
    }
    var walked = start
    let hit = walk(&walked, to: target.cursor)
    stepper = walked
    return hit.map { describe($0, walked) } ?? walked.screen()
  }

  /// The screen of a place where a breakpoint stopped the walk.
  fileprivate func describe(_ hit: BreakpointHit, _ stepper: Stepper) -> Outcome {
    var outcome = Outcome(hit.line)
    let screen = stepper.screen()
    outcome.append(screen)
    outcome.result = screen.result
    return outcome
  }

  /// Goes on in an open pass to the next breakpoint or the end; nil if no pass is open, or if a
  /// training was stopped in it.
  mutating func continueWalk() -> Outcome? {
    guard var walked = stepper, trainer?.heldPass == nil || walked.networkWalk == nil else {
      return nil
    }
    let hit = walk(&walked, to: walked.steps.count)
    stepper = walked
    return hit.map { describe($0, walked) } ?? walked.screen()
  }

  /// Opens the pass of the step that a breakpoint held back.
  mutating func stop(
    at hit: BreakpointHit, update: Int, _ held: TrainingPass<Float>, after told: Outcome
  ) -> Outcome {
    var outcome = told
    outcome.say("stopped before step \(update)  \(hit.line)")
    lastPass = held
    do {
      var opened = Stepper(try walk([(flow.name, flow)]), startsBackward: false)
      opened.go(to: hit.place)
      stepper = opened
      if let place = opened.current?.place { outcome.say("  the pass is open at \(place)") }
    } catch {
      outcome.warn("the pass is not open for stepping: \(error.message)")
    }
    outcome.remarks.append("'continue' makes the step and goes on; 'where' shows the pass")
    if case .object(let members) = told.result {
      outcome.result = .object(
        members.filter { $0.key != "stopped" } + [
          .init("stopped", "breakpoint"), .init("breakpoint", .integer(hit.number)),
          .init("before", .integer(update)),
        ])
    }
    return outcome
  }

  func describeOpening() -> Outcome {
    guard let stepper else { return Outcome() }
    let about =
      stepper.networkWalk.map { walk in
        "\(walk.pass.input.shape) · flow \(walk.flowNames.joined(separator: ", "))"
      } ?? "typed numbers"
    let direction = stepper.isAtStart ? "forward" : "backward"
    return Outcome(
      """
      \(direction)  \(stepper.pending.count, "operation") ahead · \(about) · \
      next: \(stepper.next?.operation ?? "nothing")
      """,
      result: [
        "steps": .integer(stepper.steps.count), "cursor": .integer(stepper.cursor),
        "flows": .list(stepper.pass.flowNames) { .string($0) },
      ])
  }
}
