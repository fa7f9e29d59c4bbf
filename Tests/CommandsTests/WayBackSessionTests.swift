import CommandLanguage
import Commands
import Fingerprints
import Foundation
import Tensors
import TestSupport
import Testing

/// Sessions under each way back: threads, checkpoints and files change no bit.
struct WayBackSessionTests {
  static let flows = [
    "flow dilated rate=0.05", "flow feedback", "flow feedback signs=fixed seed=3",
    "flow feedback signs=redrawn", "flow feedback mirror=yes", "flow direct",
    "flow synthetic predictor-lr=0.01", "flow local", "flow forward directions=2",
    "flow truncated depth=1", "flow checkpointed every=1",
  ]

  /// Epochs of two steps, so that a training of five stops within one.
  private static let setup = [
    "phantom size=32 slices=4", "noise gaussian sigma=40HU fresh", "conv channels=3 act=tanh",
    "block channels=3 convs=2", "block channels=3", "conv", "output subtract",
    "optimizer adamw lr=0.01 weight-decay=0.1",
  ]

  /// The fingerprints of all weights and tensors of the flow, and of what the optimizer keeps of them.
  private func state(_ session: TestSession) throws -> [String: String] {
    try session.run("net save state.safetensors optimizer=yes replace=yes")
    let file = try SafeTensors(
      decoding: Data(contentsOf: session.folder.appending(path: "state.safetensors")))
    return try Dictionary(
      uniqueKeysWithValues: file.entries.map {
        ($0.name, try file.floats($0).fingerprint.description)
      })
  }

  @Test(arguments: flows)
  func `one, two and three threads train to the same bits`(_ flow: String) throws {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let results = try [1, 2, 3].map { threads in
      Parallelism.threads = threads
      let session = TestSession()
      try session.run(lines: Self.setup + [flow, "train steps=3 batch=2"])
      return try state(session).merging(["denoised": session.fingerprint("denoised")]) { $1 }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test(arguments: flows)
  func `a checkpoint within an epoch, and a file with the optimizer, go on as if never left`(
    _ flow: String
  ) throws {
    let whole = TestSession()
    try whole.run(lines: Self.setup + [flow, "train steps=8 batch=2"])
    let first = TestSession()
    try first.run(lines: Self.setup + [flow, "train steps=5 batch=2", "checkpoint half"])
    let second = TestSession(sessionFolder: first.folder)
    try second.run(lines: ["restore half", "continue steps=3"])
    #expect(try state(second) == state(whole))
    #expect(try second.run("flow").lines == whole.run("flow").lines)

    let third = TestSession()
    try third.run(
      lines: Self.setup + [
        flow, "train epochs=2 batch=2", "net save net.safetensors optimizer=yes",
        "train epochs=2 batch=2",
      ])
    let fourth = TestSession(sessionFolder: third.folder)
    try fourth.run(
      lines: Self.setup.prefix(2) + ["net load net.safetensors", "train epochs=2 batch=2"])
    #expect(try state(fourth) == state(third))
  }

  @Test(
    .enabled(if: Python.hasSafeTensors),
    arguments: [
      ("flow feedback mirror=yes", ["c2.weight.feedback", "b1.conv2.weight.feedback"]),
      ("flow direct", ["b2.out.feedback"]),
      ("flow synthetic predictor-lr=0.01", ["b1.out.synthetic.weight", "b1.out.synthetic.bias"]),
      ("flow local", ["b1.local.weight", "b1.local.bias"]),
    ])
  func `the Python library reads a flow's own tensors`(
    _ flow: String, _ names: [String]
  ) throws {
    let session = TestSession()
    try session.run(
      lines: Self.setup + [flow, "train steps=2 batch=2", "net save net.safetensors"])
    let script = """
      import sys, hashlib, safetensors.numpy
      tensors = safetensors.numpy.load_file(sys.argv[1])
      for name in sys.argv[2].split():
          print(name, hashlib.sha256(tensors[name].tobytes()).hexdigest())
      """
    let expected = try names.map { "\($0) \(try session.fingerprint($0))\n" }.joined()
    let path = session.folder.appending(path: "net.safetensors").path
    #expect(try Python.run(script, path, names.joined(separator: " ")) == expected)
  }
}
