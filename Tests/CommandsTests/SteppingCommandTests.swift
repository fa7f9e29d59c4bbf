import CommandLanguage
import Commands
import Foundation
import Tensors
import TestSupport
import Testing

/// The stepper, breakpoints, typed numbers and quizzes as lines type them.
struct SteppingCommandTests {
  private static let data = ["phantom size=32 slices=4", "noise gaussian sigma=60HU"]
  private static let network = [
    "conv channels=3 act=tanh", "block channels=3 act=tanh convs=2 merge=multiply-add",
    "block channels=3 act=tanh", "block channels=3", "conv",
  ]

  // MARK: - What explain prints

  @Test(arguments: ["flow standard", "flow tape", "flow dilated rate=2"])
  func `every number that explain prints is that of the saved tensors`(_ flow: String) throws {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network + [flow, "train steps=2 batch=2"])
    let names = [
      "b1.conv1.z[0,1,5,6]", "b1.out[1,2,0,0]", "b2.conv1.a[0,0,9,9]", "b1.out.grad[0,1,5,6]",
      "b2.in.grad[0,2,31,31]", "b1.conv2.weight.grad[1,2,0,2]", "b1.conv1.bias.grad[2]",
      "c2.in.grad[0,1,3,3]", "c1.weight.update[1,0,1,1]", "c1.weight.m[0,0,0,0]",
      "b3.conv1.weight.v[2,1,1,1]",
    ]
    for name in names {
      let result = try session.run("explain \(name) terms=5 difference=yes").result
      let stored = try session.saved(name)
      let value = try #require(result.value(at: "value")?.numeric)
      #expect(value == stored, "\(name)")
      let sum = try #require(result.value(at: "sum")?.numeric)
      let whole = try session.largest(name)
      let allowed = (name.contains("weight.grad") ? 2e-5 : 4e-6) * whole
      #expect(abs(sum - stored) <= allowed, "\(name)")
      for (factor, number) in try result.factors() where factor.hasSuffix("]") {
        #expect(number == (try session.saved(factor)), "\(factor) of \(name)")
      }
    }
  }

  @Test func `a difference of the loss stands beside each gradient`() throws {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network + ["train steps=1 batch=2"])
    for name in ["b2.conv1.weight.grad[1,1,1,1]", "b1.out.grad[0,1,8,8]", "c1.bias.grad[0]"] {
      let result = try session.run("explain \(name) difference=yes").result
      let gradient = try #require(result.value(at: "value")?.numeric)
      let difference = try #require(result.value(at: "finite_difference")?.numeric)
      #expect(abs(difference - gradient) <= 1e-4 * (try session.largest(name)), "\(name)")
    }
    let plain = try session.run("explain b1.out[0,1,8,8]").result
    #expect(plain["finite_difference"] == .null)
  }

  // MARK: - The stepper

  @Test func `stepping to the end leaves what backward in one go leaves`() throws {
    let (walked, once) = (TestSession(), TestSession())
    for session in [walked, once] {
      try session.run(lines: Self.data + Self.network + ["forward noisy[1]"])
    }
    var count = 0
    while (try? walked.run("step")) != nil { count += 1 }
    #expect(count > 20)
    try walked.run(lines: ["step back", "step", "next back", "next", "finish"])
    try once.run(lines: ["finish", "backward", "finish"])
    for name in ["b1.out", "b1.out.grad", "b2.conv1.weight.grad", "net.in.grad", "loss"] {
      #expect(try walked.fingerprint(name) == once.fingerprint(name), "\(name)")
    }
  }

  @Test func `an open pass keeps data, network and training as they are`() throws {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network + ["forward noisy[1]"])
    for line in ["conv", "train steps=1", "noise gaussian sigma=1HU", "assign c1.bias[0] = 1"] {
      #expect(throws: CommandError.self) { try session.run(line) }
    }
    try session.run(lines: ["stats b1.out", "gradcheck samples=1", "help step", "flow tape"])
    try session.run(lines: ["finish", "assign c1.bias[0] = 1"])
    #expect(try session.number("stats c1.bias", "max") == 1)
  }

  @Test func `a pass that does not fit is refused, and the last one stays`() throws {
    let session = TestSession()
    try session.run(
      lines: [
        "phantom size=512 slices=1", "noise gaussian", "block channels=32", "conv",
        "train steps=1 patch=32", "set limit.memory=150MiB",
      ])
    let before = try session.fingerprint("b1.out")
    #expect(throws: CommandError.self) { try session.run("forward noisy[0]") }
    #expect(try session.fingerprint("b1.out") == before)
    // Two flows at once need twice as much as one.
    try session.run(lines: ["forward noisy[0, 0:128, 0:128]", "finish", "set limit.memory=20MiB"])
    #expect(throws: CommandError.self) { try session.run("backward flows=standard,tape") }
    try session.run(lines: ["set limit.memory=1GiB", "backward flows=standard,tape", "finish"])
  }

  @Test func `two flows are walked side by side to their first difference`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + Self.network + ["forward noisy[1]", "finish"]
        + ["backward flows=standard,dilated"])
    let result = try session.run("until difference").result
    #expect(result["operation"] == "links")
    #expect(
      try session.fingerprint("b3.in.grad.standard") == session.fingerprint("b3.in.grad.dilated"))
    #expect(
      try session.fingerprint("b1.out.grad.standard") != session.fingerprint("b1.out.grad.dilated"))
  }

  @Test func `gradients are drawn in color on one scale for both flows`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + Self.network + ["forward noisy[1]", "finish"]
        + ["backward flows=standard,dilated"])
    let limit = try ["standard", "dilated"].map { flow in
      let name = "stats b1.out.grad.\(flow)[0]"
      return max(try session.number(name, "max"), -(try session.number(name, "min")))
    }.max()
    for name in ["b1.out.grad.standard[0]", "b1.out.grad.dilated[0]", "c1.weight.grad"] {
      let lines = try session.run("view \(name)").lines
      #expect(lines[0].contains("rgb8"), "\(lines)")
      guard name.hasPrefix("b1"), let limit else { continue }
      #expect(lines[1].contains(NumberFormat.significant(4).string(limit)), "\(lines)")
    }
  }

  // MARK: - Breakpoints

  @Test func `a training that was stopped at breakpoints ends with the same weights`() throws {
    let (plain, broken) = (TestSession(), TestSession())
    let setup = Self.data + Self.network + ["optimizer adam lr=0.01"]
    try plain.run(lines: setup + ["train steps=12 batch=3"])
    try broken.run(
      lines: setup + [
        "break step 1", "break step 5", "break loss < 0.9*previous", "break nan",
        "break b1.conv1.weight.grad norm > 1e9", "break dead b3 > 2",
        "break cosine dilated standard b1 < -2",
      ])
    var result = try broken.run("train steps=12 batch=3").result
    #expect(result["stopped"] == "breakpoint" && result["before"] == .integer(1))
    var stops = 1
    while true {
      try broken.run(
        lines: ["where", "stats b1.out.grad", "explain c1.weight.grad[0,0,1,1]", "step back"])
      // Whether the pass is closed before or not, the training goes on.
      if stops % 2 == 0 { try broken.run("finish") }
      result = try broken.run("continue").result
      guard result["stopped"] == "breakpoint" else { break }
      stops += 1
    }
    #expect(stops >= 3)
    for name in ["c1.weight", "b1.conv2.weight", "b3.conv1.bias", "c2.weight", "c2.weight.v"] {
      #expect(try plain.fingerprint(name) == broken.fingerprint(name), "\(name)")
    }
    #expect(try broken.number("breaks", "breakpoints.0.hits") == 1)
    #expect(try broken.number("breaks", "breakpoints.1.hits") == 1)
    #expect(try broken.number("breaks", "breakpoints.4.hits") == 0)
  }

  @Test func `a NaN stops a training where it arose`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["conv channels=2", "conv", "assign c2.weight[0,0,0,0] = 1e30"]
        + ["assign c1.weight = 1e30", "break nan"])
    let result = try session.run("train steps=2 nan=keep").result
    #expect(result["stopped"] == "breakpoint" && result["steps"] == .integer(0))
    #expect(try session.number("stats c2.z", "inf") > 0 || session.number("stats c2.z", "nan") > 0)
  }

  @Test(arguments: [
    "break", "break foo > 3", "break b1.out norm", "break b1.out norm >", "break b1.out nrm > 1",
    "break dead b9 > 1", "break cosine standard other b1 < 0", "break step x", "break step 0",
    "break loss > 2*prev", "break loss ! 3", "break > 3", "break delete 3", "break delete x",
  ])
  func `a condition that means nothing says so`(_ line: String) throws {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network)
    #expect(throws: CommandError.self) { try session.run(line) }
  }

  // MARK: - Typed numbers

  @Test func `both arrivals count at a join`() throws {
    let session = TestSession()
    try session.run(
      lines: [
        "tensor a = 2", "tensor b = 3", "tensor c = a + b", "tensor d = a*b",
        "tensor y = (c + d) + c*d", "backward y",
      ])
    #expect(try session.number("stats y", "max") == 41)
    #expect(try session.number("stats a.grad", "max") == 25)
    #expect(try session.number("stats b.grad", "max") == 19)
    try session.run(lines: ["expect a.grad = 25", "expect y = 41"])
    try session.run("assign a = 3")
    #expect(try session.number("stats y", "max") == 69)
    // The gradients are those of the last backward, and so are their terms.
    #expect(try session.number("explain a.grad", "value") == 25)
    try session.run("backward y")
    #expect(try session.number("stats a.grad", "max") == 31)
  }

  /// A formula with its value and its gradients by a and b, worked out by hand.
  struct Formula: Sendable {
    let text: String
    let value: Double, byA: Double, byB: Double

    init(_ text: String, _ value: Double, _ byA: Double, _ byB: Double) {
      (self.text, self.value, self.byA, self.byB) = (text, value, byA, byB)
    }
  }

  private static let formulas: [Formula] = [
    Formula("a - b", -1, 1, -1), Formula("a/b", 2.0 / 3, 1.0 / 3, -2.0 / 9),
    Formula("-a*b", -6, -3, -2), Formula("a*a*a", 8, 12, 0),
    Formula("sum([1,2,3]*a) + b", 15, 6, 1), Formula("mean([[1,2],[3,4]]*b)", 7.5, 0, 2.5),
    Formula("relu(a - b)", 0, 0, 0), Formula("relu(b - a)", 1, -1, 1),
    Formula("sigmoid(a*0)", 0.5, 0, 0),
    Formula("sum(conv([[1,2],[3,4]]*a, [[0,0,0],[0,1,0],[0,0,0]]*b))", 60, 30, 20),
  ]

  @Test(arguments: formulas)
  func `gradients of typed formulas`(
    _ formula: Formula
  ) throws {
    let session = TestSession()
    try session.run(lines: [
      "tensor a = 2", "tensor b = 3", "tensor y = \(formula.text) + 0*a + 0*b",
    ])
    try session.run("backward y")
    for (name, expected) in [
      ("y", formula.value), ("a.grad", formula.byA), ("b.grad", formula.byB),
    ] {
      let found = try session.number("stats \(name)", "max")
      #expect(abs(found - expected) <= 1e-6 * max(1, abs(expected)), "\(name) of \(formula.text)")
    }
    let result = try session.run("explain a.grad difference=yes").result
    let difference = try #require(result.value(at: "finite_difference")?.numeric)
    #expect(abs(difference - formula.byA) < 1e-6)
    // Steps back and forth through the whole tape, the sums of arrivals ending in the gradient.
    while (try? session.run("step")) != nil {}
    try session.run(lines: ["step back", "step", "where", "finish"])
  }

  @Test(arguments: [
    "tensor b1 = 2", "tensor clean = 1", "tensor 2x = 1", "tensor y = ", "tensor y = 3 +",
    "tensor y = [1,[2]]", "tensor y = [[1,2],[3]]", "tensor y = []", "tensor y = nothing",
    "tensor y = foo(x)", "tensor y = conv(x)", "tensor y = conv(x,[1,2])", "tensor y = x*[1,2,3]",
    "tensor y = sum(x", "tensor = 2", "tensor y", "backward x", "backward z", "assign q = 2",
    "assign s = 4", "assign x = [1,2,3]", "assign x[9,9] = 1", "explain x[0,0]", "quiz x[0,0]",
  ])
  func `what cannot be computed says why`(_ line: String) throws {
    let session = TestSession()
    try session.run(lines: ["tensor x = [[1,2],[3,4]]", "tensor s = sum(x)"])
    #expect(throws: CommandError.self) { try session.run(line) }
    try session.run("expect s = 10")
  }

  @Test func `numbers of the network can be computed with, and overwritten`() throws {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network)
    try session.run(
      lines: [
        "tensor x = noisy[1, 10:14, 10:14]", "tensor m = mean(x)",
        "assign noisy[1, 10:12, 10:12] = [[1,2],[3,4]]", "assign clean[0] = 7",
        "assign b1.conv1.weight[0] = 0.5",
      ])
    #expect(try session.number("stats noisy[1, 10:12, 10:12]", "mean") == 2.5)
    #expect(try session.number("stats clean[0]", "max") == 7)
    #expect(try session.number("stats noisy[1, 13]", "max") > 7)
    #expect(try session.number("stats b1.conv1.weight[0]", "mean") == 0.5)
    try session.run("train steps=1")
  }

  // MARK: - Quiz

  @Test func `explain does not tell the answer while a question is open`() throws {
    let session = TestSession()
    try session.run(lines: [
      "phantom size=32 slices=2", "noise gaussian sigma=60HU", "conv channels=2", "conv",
      "forward noisy[1]", "explain c2.z[0,0,5,6]", "quiz c2.z[0,0,5,6]",
    ])
    // Its own name, and what is the same number or shows it as a factor.
    for line in [
      "explain c2.z[0,0,5,6]", "explain c2.out[0,0,5,6] terms=2", "explain net.out[0,0,5,6]",
    ] {
      let error = #expect(throws: CommandError.self) { try session.run(line) }
      #expect(error?.message.contains("open question about c2.z[0,0,5,6]") == true, "\(line)")
    }
    try session.run("explain c1.z[0,0,5,6]")
    try session.run("answer 0")
    try session.run("explain c2.z[0,0,5,6]")
    // Small whole numbers turn up everywhere; only their own name tells them.
    try session.run(lines: [
      "finish", "tensor a = 2", "tensor b = 4", "tensor y = a*b + a", "backward y", "quiz b.grad",
      "explain a.grad",
    ])
    #expect(throws: CommandError.self) { try session.run("explain b.grad") }
  }

  @Test func `answers are judged and scored`() throws {
    let session = TestSession()
    try session.run(lines: ["tensor a = 2", "tensor y = a*a + a", "backward y", "quiz a.grad"])
    #expect(try session.run("answer 2*2 + 1").result["right"] == true)
    try session.run("quiz y within=10%")
    let second = try session.run("answer 6.7").result
    #expect(second["right"] == false && second["score"] == .integer(1))
    #expect(second["asked"] == .integer(2))
    try session.run("quiz y within=20%")
    #expect(try session.run("answer 6.7").result["right"] == true)
    #expect(throws: CommandError.self) { try session.run("answer 6") }
    try session.run("quiz y")
    #expect(throws: CommandError.self) { try session.run("answer six") }
    try session.run("answer 6")
  }

  @Test func `a question does not give its answer away`() throws {
    let session = TestSession()
    try session.run(lines: Self.data + Self.network + ["forward noisy[1]"])
    let value = try session.number("explain b1.conv1.a[0,1,5,6]", "value")
    let asked = try session.run("quiz b1.conv1.a[0,1,5,6]").lines.joined()
    #expect(!asked.contains(NumberFormat.significant(6).string(value)))
  }
}

extension TestSession {
  /// The number that a name with an index stands for, from a saved file.
  fileprivate func saved(_ name: String) throws -> Double {
    guard let bracket = name.firstIndex(of: "[") else { return .nan }
    let tensor = try whole(String(name[..<bracket]))
    let index = name[bracket...].dropFirst().dropLast().split(separator: ",").compactMap { Int($0) }
    let offset = tensor.shape.offset(of: index)
    return Double(tensor.scalars[offset])
  }

  fileprivate func largest(_ name: String) throws -> Double {
    let tensor = try whole(String(name.prefix { $0 != "[" }))
    return tensor.scalars.reduce(0) { max($0, abs(Double($1))) }
  }

  private func whole(_ name: String) throws -> Tensor<Float> {
    try run("save tensor \(name) saved.npy")
    return try NPY.decode(Data(contentsOf: folder.appending(path: "saved.npy"))).floats()
  }
}

extension JSONValue {
  /// The names and numbers of all factors that an explanation lists.
  fileprivate func factors() throws -> [(String, Double)] {
    guard case .array(let terms)? = self["terms"] else { return [] }
    return terms.flatMap { term -> [(String, Double)] in
      guard case .array(let names)? = term["names"], case .array(let numbers)? = term["factors"]
      else { return [] }
      return zip(names, numbers).compactMap { name, number in
        guard case .string(let name) = name, let number = number.numeric else { return nil }
        return (name, number)
      }
    }
  }
}
