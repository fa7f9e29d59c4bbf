import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// The cursor over a pass: what each operation reads and writes, forwards and backwards.
struct StepperTests {
  static let flows: [any GradientFlow] = {
    var dilated = DilatedFlow()
    dilated.rate = 2
    return [StandardFlow(), TapeFlow(), dilated] + WaysBackTests.flows
  }()

  @Test(arguments: GradientCheckTests.networks)
  func `each operation reads what was written before it`(_ lines: [String]) throws {
    let stepper = Stepper(
      NetworkWalk(
        try GradientCheckTests.pass(lines, .meanSquaredError),
        running: [("standard", StandardFlow())]
      ), startsBackward: false)
    let network = try #require(stepper.networkWalk).network
    var written: Set<String> = Set(
      ["net.in", "\(network.layerNames[0]).in"] + network.parameterNames)
    for step in stepper.steps {
      for name in step.reads {
        #expect(written.contains(name), "\(step.operation) of \(step.place) reads \(name)")
        #expect(stepper.value(name) != nil, "\(name)")
      }
      for name in step.writes {
        #expect(stepper.value(name) != nil, "\(name)")
        #expect(step.arrival?.number == 2 || !written.contains(name), "\(name) is written twice")
        written.insert(name)
      }
    }
    let all = network.valueNames + ["loss"]
    let gradients = (network.valueNames + network.parameterNames).map { $0 + ".grad" }
    #expect(written.isSuperset(of: all + gradients))
  }

  @Test(arguments: Array(flows.indices))
  func `steps to the end equal the pass in one go, and a step back and on the same bits`(
    _ flow: Int
  ) throws {
    let flow = Self.flows[flow]
    let block = "block channels=2 act=tanh convs=2 merge=multiply-add"
    let pass = try GradientCheckTests.pass(
      ["conv channels=2", block, block, block, "conv"], .meanSquaredError)
    var stepper = Stepper(NetworkWalk(pass, running: [(flow.name, flow)]), startsBackward: false)
    var snapshots = [visible(stepper)]
    while stepper.step() { snapshots.append(visible(stepper)) }
    #expect(snapshots.count == stepper.steps.count + 1)
    // Back through every position, a step back and on at each.
    for cursor in snapshots.indices.reversed() {
      #expect(visible(stepper) == snapshots[cursor])
      if stepper.stepBack() {
        #expect(visible(stepper) == snapshots[cursor - 1])
        stepper.step()
        #expect(visible(stepper) == snapshots[cursor])
        stepper.stepBack()
      }
    }
    #expect(stepper.isAtStart)

    let once = pass.run(flow, retention: .everything)
    let trained = pass.run(flow, retention: .training)
    stepper.finish()
    for name in pass.network.valueNames {
      #expect(stepper.value(name)?.scalars == once.value(name)?.scalars, "\(name)")
      #expect(stepper.value(name + ".grad")?.scalars == once.gradient(name)?.scalars, "\(name)")
    }
    for name in pass.network.parameterNames {
      #expect(stepper.value(name + ".grad")?.scalars == trained.gradient(name)?.scalars, "\(name)")
    }
  }

  @Test func `two gradients arrive at a join, and only both make it final`() throws {
    let pass = try GradientCheckTests.pass(
      ["conv channels=2", "block channels=2 act=tanh", "conv"], .meanSquaredError)
    var stepper = Stepper(
      NetworkWalk(pass, running: [("standard", StandardFlow())]), startsBackward: true)
    let arrivals = stepper.steps.filter { $0.place == "b1.in.grad" && $0.arrival != nil }
    #expect(arrivals.map { $0.arrival?.number } == [1, 2])
    while let next = stepper.next, next.arrival?.number != 1 { stepper.step() }
    stepper.step()
    #expect(!stepper.hasReached("b1.in.grad"))
    let first = try #require(stepper.written("b1.in.grad", by: arrivals[0]))
    stepper.step()
    #expect(stepper.hasReached("b1.in.grad"))
    let skip = try #require(stepper.value("b1.skip.grad"))
    let both = try #require(stepper.value("b1.in.grad"))
    let sum = zip(first.scalars, skip.scalars).map { $0 + $1 }
    #expect(both.scalars == sum)
  }

  @Test func `lock-step stops where the dilated flow first differs`() throws {
    let block = "block channels=2 act=tanh"
    let pass = try GradientCheckTests.pass(
      ["conv channels=2", block, block, block, "conv"], .meanSquaredError)
    var stepper = Stepper(
      NetworkWalk(pass, running: [("standard", Self.flows[0]), ("dilated", Self.flows[2])]),
      startsBackward: true)
    let found = stepper.advanceToDifference()
    #expect(found)
    // b2 is fed by b3 alone; the first link goes from b3 to b1.
    #expect(stepper.current?.place == "b1.out.grad" && stepper.current?.operation == "links")
    #expect(
      stepper.value("b2.in.grad", flow: 0)?.scalars == stepper.value("b2.in.grad", flow: 1)?.scalars
    )
    #expect(
      stepper.value("b1.out.grad", flow: 0)?.scalars
        != stepper.value("b1.out.grad", flow: 1)?.scalars)
  }

  @Test func `layer by layer, on and back`() throws {
    let pass = try GradientCheckTests.pass(
      ["conv channels=2", "block channels=2", "conv"], .meanSquaredError)
    var stepper = Stepper(
      NetworkWalk(pass, running: [("standard", StandardFlow())]), startsBackward: false)
    stepper.nextLayer()
    #expect(stepper.current?.place == "c1.a" && stepper.next?.layer == 1)
    stepper.nextLayer()
    #expect(stepper.hasReached("b1.out") && !stepper.hasReached("c2.z"))
    stepper.previousLayer()
    #expect(stepper.next?.layer == 1 && !stepper.hasReached("b1.conv1.z"))
    let reached = stepper.advance(to: "b1.out.grad")
    #expect(reached && stepper.hasReached("b1.out.grad"))
    let passed = stepper.advance(to: "b1.out")
    #expect(!passed)
  }

  /// The values that have been reached, by name.
  private func visible(_ stepper: Stepper) -> [String: [Float]] {
    guard let network = stepper.networkWalk?.network else { return [:] }
    let names =
      network.valueNames + ["loss"]
      + (network.valueNames + network.parameterNames).map { $0 + ".grad" }
    return Dictionary(
      uniqueKeysWithValues: names.filter { stepper.hasReached($0) }.map {
        ($0, stepper.value($0)?.scalars ?? [])
      })
  }
}

extension NetworkWalk {
  /// Computes a pass under some flows.
  fileprivate init(
    _ pass: TrainingPass<Float>, running flows: [(name: String, flow: any GradientFlow)]
  ) {
    var walked: [(name: String, flow: any GradientFlow, result: PassResult<Float>)] = []
    for (name, flow) in flows {
      walked.append((name, flow, pass.run(flow, retention: .everything)))
    }
    self.init(pass, flows: walked)
  }
}
