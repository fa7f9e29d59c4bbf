import CommandLanguage
import Commands
import Foundation
import Tensors
import TestSupport
import Testing

/// State dictionaries of PyTorch for published networks: `Tests/Fixtures/make_presets.py`.
struct PublishedWeightsTests {
  /// The facts of a PyTorch model.
  private struct Facts: Decodable {
    let parameters: Int
    let tensors: [Entry]
  }

  /// A tensor of a state dictionary.
  private struct Entry: Decodable {
    let name: String, type: String
    let shape: [Int]

    var count: Int { shape.reduce(1, *) }
    var bytes: Int { count * (type == "F32" ? 4 : 8) }
  }

  private static let slice = ["phantom size=48 slices=1 patients=1", "noise gaussian sigma=60HU"]

  @Test(arguments: [
    "dncnn17", "dncnn20", "ircnn", "cnn10", "redcnn", "ldct-resnet", "wgan-generator", "unet",
  ])
  func `weights of a PyTorch model give its output`(_ preset: String) throws {
    let presets = Fixture("presets")
    let facts = try presets.json("\(preset).json", as: Facts.self)
    let session = TestSession()
    try session.run(lines: Self.slice)
    let noisy = try pixels("noisy[0]", session)
    #expect(try noisy == presets.tensor("input").scalars.map { Float($0) })
    try session.run("net preset \(preset)")
    #expect(try session.number("net show", "parameters") == Double(facts.parameters))
    try Self.file(facts.tensors)
      .write(to: session.folder.appending(path: "theirs.safetensors"))
    let report = try session.run("net load theirs.safetensors match=order")
    for entry in facts.tensors where entry.type == "F32" {
      #expect(report.lines.contains { $0.contains(entry.name) }, "\(entry.name) went somewhere")
    }
    let ours = try pixels("denoised[0]", session)
    let theirs = try presets.tensor(preset).scalars
    let largest = try #require(theirs.map(abs).max())
    let error = zip(ours, theirs).map { abs(Double($0) - $1) }.max() ?? .infinity
    #expect(error < 2e-5 * largest, "\(error) of \(largest)")
  }

  @Test func `a model whose modules have the names of layers loads by name`() throws {
    let presets = Fixture("presets")
    let session = TestSession()
    try session.run(
      lines: Self.slice + [
        "conv channels=8 act=relu", "conv channels=8 act=relu norm=batch", "conv",
        "output subtract",
      ])
    #expect(try pixels("noisy[0]", session) == presets.tensor("input").scalars.map { Float($0) })
    try presets.data("named.safetensors")
      .write(to: session.folder.appending(path: "named.safetensors"))
    try session.run("net load named.safetensors")
    let ours = try pixels("denoised[0]", session)
    let theirs = try presets.tensor("named").scalars
    let largest = try #require(theirs.map(abs).max())
    for (ours, theirs) in zip(ours, theirs) {
      #expect(abs(Double(ours) - theirs) < 2e-5 * largest)
    }
  }

  @Test func `ircnn has the published count once its norms are folded`() throws {
    let session = TestSession()
    try session.run(lines: ["net preset ircnn", "net fold"])
    #expect(try session.number("net show", "parameters") == 185_857)
  }

  /// The pixels of a slice.
  private func pixels(_ name: String, _ session: TestSession) throws -> [Float] {
    try session.run("save tensor \(name) slice.npy replace=yes")
    let data = try Data(contentsOf: session.folder.appending(path: "slice.npy"))
    return try NPY.decode(data).scalars.map { Float($0) }
  }

  /// A `.safetensors` file with the numbers that the script computes by the same formula.
  private static func file(_ entries: [Entry]) throws -> Data {
    var offset = 0
    let parts = entries.map { entry in
      defer { offset += entry.bytes }
      let shape = entry.shape.map(String.init).joined(separator: ",")
      return """
        "\(entry.name)":{"dtype":"\(entry.type)","shape":[\(shape)],\
        "data_offsets":[\(offset),\(offset + entry.bytes)]}
        """
    }
    let header = Data("{\(parts.joined(separator: ","))}".utf8)
    var data = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
    for (number, entry) in entries.enumerated() {
      guard entry.type == "F32" else {
        data += Data(count: entry.bytes)
        continue
      }
      let values = numbers(entry, number)
      data += values.withUnsafeBytes { Data($0) }
    }
    return data
  }

  /// The numbers of tensor `number`: a hash of their places.
  private static func numbers(_ entry: Entry, _ number: Int) -> [Float] {
    let isFactor = entry.name.hasSuffix("weight") || entry.name.hasSuffix("running_var")
    let fan = Double(entry.shape.dropFirst().reduce(1, *))
    return (0..<entry.count).map { place in
      var x = UInt32(
        truncatingIfNeeded: (place + 1) &* 2_654_435_761 &+ (number + 1) &* 974_634_823)
      x ^= x >> 15
      x = x &* 2_246_822_519
      x ^= x >> 13
      let u = Double(x) / 4_294_967_296
      if entry.shape.count == 4 { return Float((u - 0.5) * 2 * (3 / fan).squareRoot()) }
      return Float(isFactor ? 0.5 + u : (u - 0.5) * 0.2)
    }
  }
}
