import Foundation
import TestSupport
import Testing

/// Files that the program wrote and that were damaged since.
struct DamagedFileTests {
  let folder: Folder

  /// Makes a file of each kind.
  init() throws {
    folder = try Folder()
    try folder.write(
      """
      phantom size=16 slices=2 patients=1
      noise gaussian sigma=40HU
      conv channels=2 act=relu
      conv
      train steps=3
      stats c1.weight
      explain c1.weight.grad[0,0,1,1]
      session save whole
      checkpoint point
      net save net.safetensors optimizer=yes

      """, to: "make.txt")
    let made = try Program.run(["run", "make.txt", "--out", "."], in: folder)
    try #require(made.status == 0, "\(made.errors)")
  }

  /// What is damaged, and the line that reads it.
  enum Kind: String, CaseIterable, CustomTestStringConvertible {
    case session, ledger, checkpoint, network

    var testDescription: String { rawValue }
  }

  /// The bytes of the file of a kind.
  private func whole(_ kind: Kind) throws -> [UInt8] {
    let name =
      switch kind {
      case .session: "whole.session"
      case .ledger: "whole.ledger"
      case .checkpoint: "point.checkpoint"
      case .network: "net.safetensors"
      }
    return Array(try Data(contentsOf: folder.url.appending(path: name)))
  }

  /// Writes a damaged file; returns the line that reads it.
  private func write(_ bytes: [UInt8], _ kind: Kind, _ number: Int) throws -> String {
    let name = "damaged\(number)"
    switch kind {
    case .session:
      try folder.write(Data(bytes), to: "\(name).session")
      return "replay \(name)"
    case .ledger:
      try folder.write(Data(bytes), to: "\(name).ledger")
      try folder.write(Data(try whole(.session)), to: "\(name).session")
      return "replay \(name)"
    case .checkpoint:
      try folder.write(Data(bytes), to: "\(name).checkpoint")
      return "restore \(name)"
    case .network:
      try folder.write(Data(bytes), to: "\(name).safetensors")
      return "net load \(name).safetensors"
    }
  }

  @Test(arguments: Kind.allCases)
  func `are read or refused with a hint`(_ kind: Kind) throws {
    let whole = try whole(kind)
    var lines = [try write(whole, kind, 0)]
    for number in 1...60 {
      var dice = Dice(seed: UInt64(number))
      var bytes = whole
      // One in four is cut off, the others have up to eight bits flipped.
      if number % 4 == 0 {
        bytes.removeLast(1 + dice.next(bytes.count))
      } else {
        for _ in 0...dice.next(8) { bytes[dice.next(bytes.count)] ^= 1 << UInt8(dice.next(8)) }
      }
      lines.append(try write(bytes, kind, number))
    }
    let ending = try folder.run(lines, "--json", "--keep-going", limit: 120)
    #expect(!ending.crashed, "\(ending.output.suffix(500)) \(ending.errors.suffix(500))")
    let results = try JSONLine.all(ending.output)
    #expect(results.count == lines.count)
    #expect(results.first?.status == "ok", "\(ending.output.prefix(1000))")
    for result in results where result.status != "ok" {
      let error = result["error"]
      #expect(
        error.text("message")?.isEmpty == false && error.text("hint")?.isEmpty == false,
        "\(result.members)")
    }
    #expect(results.contains { $0.status == "error" })
  }
}
