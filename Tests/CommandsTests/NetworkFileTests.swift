import CommandLanguage
import Commands
import Fingerprints
import Foundation
import Tensors
import TestSupport
import Testing

/// `net save` and `net load`.
struct NetworkFileTests {
  private static let data = ["phantom size=32 slices=3", "noise gaussian sigma=40HU"]

  /// Networks with every kind of line.
  static let networks: [[String]] = [
    ["block channels=2", "conv"],
    [
      "net new seed=9 init=normal:0.05",
      "block channels=4 kernel=5 act=elu convs=2 merge=multiply-add skip=project bias=no",
      "block channels=4 act=tanh skip=input merge=multiply",
      "block channels=4 act=arctan merge=none", "conv kernel=1 act=sigmoid", "output subtract",
      "loss half-squares gradient=declared",
      "optimizer sgd lr=0.003 momentum=0.9 nesterov=yes schedule=cosine final-lr=1e-5 clip=norm:0.5",
      "flow dilated rate=0.05 decay=0.07 links=sparse",
      "gradient-noise scalar eta=1e-4 gamma=0.6 seed=3",
    ],
    [
      "conv channels=3 act=leaky-relu", "conv", "output normalize", "loss l1",
      "optimizer rmsprop lr=0.002 momentum=0.5 schedule=one-cycle warmup=40% clip=value:0.1",
      "flow tape", "gradient-noise multiply",
    ],
    [
      "conv channels=2 bias=no", "conv", "optimizer adagrad schedule=step decay-every=2",
    ],
    ["conv", "optimizer adadelta schedule=warm-up warmup=7 initial-lr=0.1"],
    ["conv", "optimizer adam beta1=0.8 correction=constant update=incremental"],
  ]

  private func lines(_ session: TestSession) throws -> [String] {
    try session.run("net load net.safetensors").lines
  }

  @Test(arguments: networks)
  func `a network comes back with its weights, lines and training`(_ network: [String]) throws {
    let first = TestSession()
    try first.run(lines: Self.data + network + ["train steps=3", "net save net.safetensors"])
    let second = TestSession(sessionFolder: first.folder)
    try second.run(lines: Self.data + ["block channels=5", "loss l1", "optimizer sgd"])
    let lines = try lines(second)
    #expect(try second.fingerprint("denoised") == first.fingerprint("denoised"))
    #expect(try second.run("optimizer").lines == first.run("optimizer").lines)
    #expect(try second.run("flow").lines == first.run("flow").lines)
    #expect(try second.run("net show").lines == first.run("net show").lines)
    // What it says is what builds it.
    let third = TestSession()
    try third.run(lines: Self.data + lines.dropLast())
    #expect(try third.run("net show").lines == second.run("net show").lines)
    #expect(lines.filter { $0.hasPrefix("loss") || $0.hasPrefix("gradient-noise") }.count == 2)
    // A further training is the same bits.
    for session in [first, second] {
      try session.run(lines: ["net load net.safetensors", "train steps=2"])
    }
    #expect(try second.fingerprint("c1.weight") == first.fingerprint("c1.weight"))
  }

  @Test(arguments: networks)
  func `with the optimizer's memory, training goes on to the same bits`(_ network: [String]) throws
  {
    let whole = TestSession()
    // Two slices a batch of three: epochs end within the steps.
    try whole.run(
      lines: Self.data + network + ["train epochs=2 batch=2", "train epochs=2 batch=2"])
    let first = TestSession()
    try first.run(
      lines: Self.data + network + [
        "train epochs=2 batch=2", "net save net.safetensors optimizer=yes",
      ])
    let second = TestSession(sessionFolder: first.folder)
    try second.run(lines: Self.data + ["net load net.safetensors", "train epochs=2 batch=2"])
    for name in ["c1.weight", "c1.weight.update", "denoised"] {
      #expect(try second.fingerprint(name) == whole.fingerprint(name))
    }
  }

  @Test func `the same network gives the same bytes, and no name of a person`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "block channels=2", "conv", "train steps=1", "net save a.safetensors optimizer=yes",
        "net load a.safetensors", "net save b.safetensors optimizer=yes",
      ])
    let bytes = try ["a", "b"].map {
      try Data(contentsOf: session.folder.appending(path: "\($0).safetensors"))
    }
    #expect(bytes[0] == bytes[1])
    let file = try SafeTensors(decoding: bytes[0])
    #expect(Set(file.metadata.keys) == ["backflow", "lines", "scale", "step", "epoch"])
    #expect(file.metadata["scale"] == "-1000.0..1000.0")
    #expect(
      file.entries.map(\.name).filter { $0.hasPrefix("c1") } == [
        "c1.bias", "c1.bias.m", "c1.bias.v", "c1.weight", "c1.weight.m", "c1.weight.v",
      ])
  }

  // MARK: - Files from elsewhere

  private func foreign(_ name: String) throws -> TestSession {
    let session = TestSession(sessionFolder: Fixture("safetensors").folder)
    try session.run(lines: Self.data + ["block channels=2", "conv", "train steps=1"])
    try session.run("net load \(name).safetensors")
    return session
  }

  @Test func `weights of the Python library load by their names`() throws {
    let session = try foreign("weights")
    let fixture = Fixture("safetensors")
    for name in ["b1.conv1.weight", "b1.conv1.bias", "c1.weight", "c1.bias"] {
      let expected = try fixture.tensor("weights/\(name)").floats()
      #expect(try session.fingerprint(name) == expected.fingerprint.description)
    }
    // What was trained before is not taken up.
    #expect(throws: CommandError.self) { try session.run("stats c1.weight.m") }
  }

  @Test func `half precision is converted with a warning`() throws {
    let session = try foreign("weights")
    let outcome = try session.run("net load f16.safetensors")
    #expect(outcome.warnings == ["4 tensors were F16 and are float32 now"])
  }

  @Test func `the same weights are written to the bytes of the library`() throws {
    let session = try foreign("weights")
    try session.run("net save own.safetensors")
    let own = try SafeTensors(
      decoding: Data(contentsOf: session.folder.appending(path: "own.safetensors")))
    var tensors: [String: Tensor<Float>] = [:]
    for entry in own.entries { tensors[entry.name] = try own.floats(entry) }
    #expect(SafeTensors.encode(tensors) == (try Fixture("safetensors").data("weights.safetensors")))
  }

  @Test(.enabled(if: Python.hasSafeTensors))
  func `the Python library reads what is written here`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["block channels=2", "conv", "train steps=1", "net save net.safetensors"])
    let script = """
      import sys, hashlib, safetensors, safetensors.numpy
      with safetensors.safe_open(sys.argv[1], "np") as file:
          assert file.metadata()["backflow"] == "1"
      tensors = safetensors.numpy.load_file(sys.argv[1])
      for name in sorted(tensors):
          assert tensors[name].dtype.str == "<f4"
          print(name, list(tensors[name].shape), hashlib.sha256(tensors[name].tobytes()).hexdigest())
      """
    let path = session.folder.appending(path: "net.safetensors").path
    let expected = try ["b1.conv1.bias", "b1.conv1.weight", "c1.bias", "c1.weight"].map { name in
      let shape =
        name.hasSuffix("bias")
        ? (name.hasPrefix("b") ? "[2]" : "[1]")
        : (name.hasPrefix("b") ? "[2, 1, 3, 3]" : "[1, 2, 3, 3]")
      return "\(name) \(shape) \(try session.fingerprint(name))\n"
    }
    #expect(try Python.run(script, path) == expected.joined())
  }

  // MARK: - Refusals

  @Test(arguments: [
    ("conv", "weights", "c1.weight [1,1,3,3]"), ("block channels=3", "weights", "expected [3,"),
    ("block channels=2 bias=no", "weights", #""b1.conv1.bias" [2] has no place"#),
    ("block channels=2 convs=2", "weights", "b1.conv2.weight [2,2,3,3] is missing"),
    ("block channels=2", "i64", "holds I64, expected real numbers"),
    ("block channels=2", "refused/twice", "is there twice"),
    ("block channels=2", "nothing", "no such file"),
  ])
  func `a file that does not fit is refused and changes nothing`(
    line: String, file: String, words: String
  ) throws {
    let session = TestSession(sessionFolder: Fixture("safetensors").folder)
    try session.run(lines: Self.data + [line, "conv", "train steps=1"])
    let before = try state(session)
    let error = #expect(throws: CommandError.self) {
      try session.run("net load \(file).safetensors")
    }
    let message = error?.message ?? ""
    if line == "conv" {
      #expect(message.contains("c1.weight is [1,2,3,3], expected [1,1,3,3]"), "\(message)")
    } else {
      #expect(message.contains(words), "\(message)")
    }
    #expect(error?.status == .badInput)
    #expect(try state(session) == before)
  }

  /// Weights, the optimizer's memory, setting and lines.
  private func state(_ session: TestSession) throws -> [String] {
    try [session.fingerprint("c1.weight"), session.fingerprint("c1.weight.m")]
      + session.run("net show").lines + session.run("optimizer").lines + session.run("flow").lines
  }

  /// Files with lines of their own; none may do more than build a network.
  static let hostile: [(lines: String, words: String)] = [
    ("net new\nconv\nsave tensor c1.weight stolen.npy", "no command"),
    ("net new\nconv\nload /etc", "no command"), ("net new\nconv\nnet load net.safetensors", "net"),
    ("net new\nconv\nset seed=4", "no command"),
    ("net new\nblock channels=1024 kernel=13", "more weights"),
    ("net new\nconv\nquit", "no command"), ("net new\nconv channels=0", "out of range"),
    ("net new\nconv\nfails conv", "no command"), ("net new\nconv\nlet x = 1", "no command"),
    ("net new\nconv\nconv", "more weights"), ("net new", "has no place"),
    ("net new\nconv act=$HOME", "HOME"),
    (Array(repeating: "conv", count: 100).joined(separator: "\n"), "more lines"),
    ("net new\nconv\nflow nowhere", "nowhere"), ("net new\nconv\u{1B}[2J", "conv"),
  ]

  @Test(arguments: hostile)
  func `lines in a file only build a network`(lines: String, words: String) throws {
    let session = TestSession()
    try session.run(lines: Self.data + ["block channels=2", "conv", "train steps=1"])
    let before = try state(session)
    let weights: [String: Tensor<Float>] = [
      "c1.weight": Tensor(shape: [1, 1, 3, 3], repeating: 1),
      "c1.bias": Tensor(shape: [1], repeating: 1),
    ]
    let data = SafeTensors.encode(weights, metadata: ["backflow": "1", "lines": lines])
    try FileManager.default.createDirectory(at: session.folder, withIntermediateDirectories: true)
    try data.write(to: session.folder.appending(path: "evil.safetensors"))
    let error = #expect(throws: CommandError.self, "\(lines)") {
      try session.run("net load evil.safetensors")
    }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect(error?.summary.unicodeScalars.contains("\u{1B}") == false)
    #expect(try state(session) == before)
    #expect(
      !FileManager.default.fileExists(atPath: session.folder.appending(path: "stolen.npy").path))
  }

  @Test func `a file of a later format says so`() throws {
    let session = TestSession()
    try session.run("conv")
    try FileManager.default.createDirectory(at: session.folder, withIntermediateDirectories: true)
    try SafeTensors.encode([:], metadata: ["backflow": "2"]).write(
      to: session.folder.appending(path: "new.safetensors"))
    let error = #expect(throws: CommandError.self) { try session.run("net load new.safetensors") }
    #expect(error?.message.contains(#"format "2""#) == true)
  }

  @Test func `weights that are NaN, and another scale, are warned of`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + ["conv", "net save net.safetensors", "scale hu=-500..500"])
    let outcome = try session.run("net load net.safetensors")
    #expect(outcome.warnings.count == 1)
    #expect(outcome.warnings[0].contains("scale hu=-1000..1000"))
    try SafeTensors.encode([
      "c1.weight": Tensor(shape: [1, 1, 3, 3], repeating: .nan),
      "c1.bias": Tensor(shape: [1], repeating: 1),
    ]).write(to: session.folder.appending(path: "nan.safetensors"))
    let second = try session.run("net load nan.safetensors")
    #expect(
      second.warnings == ["1 of the parameters holds NaN or infinity, the first is c1.weight"])
  }

  @Test func `two thousand damaged files load whole or change nothing`() throws {
    let session = TestSession()
    try session.run(
      lines: Self.data + [
        "block channels=2", "conv", "train steps=1", "net save net.safetensors optimizer=yes",
      ])
    let seed = [UInt8](try Data(contentsOf: session.folder.appending(path: "net.safetensors")))
    let place = session.folder.appending(path: "damaged.safetensors")
    let before = try state(session)
    var refused = 0
    for n in 0..<2000 {
      let stream = RandomStream(seed: 4, name: "damage/\(n)")
      var bytes = seed
      damage(&bytes, stream)
      try Data(bytes).write(to: place)
      do {
        try session.run("net load damaged.safetensors")
        try session.run("net load net.safetensors")
      } catch {
        refused += 1
        #expect(error is CommandError)
        #expect(try state(session) == before)
      }
    }
    #expect(refused > 1000)
  }
}

/// Python with the library safetensors, where it is installed.
enum Python {
  static let hasSafeTensors = (try? run("import safetensors.numpy; print('yes')")) == "yes\n"

  struct Failure: Error {
    let status: Int32
  }

  /// The output of a script.
  static func run(_ script: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus) }
    return String(decoding: text, as: UTF8.self)
  }
}
